"""A local law taken apart: atoms, exponentials of quadratics on intervals, Gaussian tails, and what is left.

Both leaf functions of a replica tree are integrals of a law against a Gaussian factor, and the first three kinds
integrate in closed form; the last becomes a nested average.  A law is the sum of its pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import sympy as sp

from replica.nodes import Flat, Gauss, Log2Cosh, LogAverage, LogH, Softplus
from replica.nodes.piecewise import Undecided, pieces, switches
from replica.tree.leaf import Side

_HALF_LOG_2PI = (sp.log(2) + sp.log(sp.pi)) / 2  # the form in which log_of writes it, so that they cancel


@dataclass(frozen=True)
class Atom:
    """exp(log_weight) delta(v - location)."""

    location: sp.Expr
    log_weight: sp.Expr

    def log_leaf(self, h, A, side):
        if side is Side.ENTROPIC:
            return self.log_weight + A * self.location**2 / 2 + h * self.location
        return self.log_weight - (self.location - h) ** 2 / (2 * A) - sp.log(A) / 2 - _HALF_LOG_2PI


@dataclass(frozen=True)
class Quadratic:
    """exp(c0 + c1 v + c2 v^2/2) on [lower, upper], times H(a + b v) when `tail` = (a, b) is given.

    Between two finite ends it stays an average: a difference of tails has no digits left where the Gaussian factor is much wider
    than the interval, or lies far outside of it.
    """

    c0: sp.Expr
    c1: sp.Expr
    c2: sp.Expr
    lower: sp.Expr = -sp.oo
    upper: sp.Expr = sp.oo
    tail: tuple[sp.Expr, sp.Expr] | None = None

    def log_leaf(self, h, A, side):
        low, high, energetic = self.lower != -sp.oo, self.upper != sp.oo, side is Side.ENERGETIC
        if low and high:
            v = sp.Dummy("v", real=True)
            return Density(self.c0 + self.c1 * v + self.c2 * v**2 / 2, v, self.lower, self.upper).log_leaf(h, A, side)
        if energetic and self.tail is None and self.c2 != 0 and not self.c2.is_positive and not low and not high:
            variance, mass = A - 1 / self.c2, self.c0 - self.c1**2 / (2 * self.c2) + _HALF_LOG_2PI + log_of(-1 / self.c2) / 2
            return mass - (h + self.c1 / self.c2) ** 2 / (2 * variance) - sp.log(variance) / 2 - _HALF_LOG_2PI
        if energetic and self.c1 == 0 and self.c2 == 0:
            center, precision, scale, log_mass = h, 1 / A, 1 / sp.sqrt(A), self.c0
        else:
            precision = 1 / A - self.c2 if energetic else -A - self.c2
            slope = h / A + self.c1 if energetic else h + self.c1
            log_mass = self.c0 + slope**2 / (2 * precision)
            if energetic:
                log_mass += -(h**2) / (2 * A) - sp.log(A * precision) / 2
            else:
                log_mass += _HALF_LOG_2PI - sp.log(precision) / 2
            center, scale = slope / precision, sp.sqrt(precision)
        if self.tail is not None:
            a, b = self.tail
            return log_mass + LogH((a + b * center) / sp.sqrt(1 + b**2 / precision))
        if low:
            return log_mass + LogH((self.lower - center) * scale)
        if high:
            return log_mass + LogH((center - self.upper) * scale)
        return log_mass


@dataclass(frozen=True)
class Density:
    """exp(log_density(v)) on [lower, upper], no closed form."""

    log_density: sp.Expr
    variable: sp.Symbol
    lower: sp.Expr = -sp.oo
    upper: sp.Expr = sp.oo
    breaks: tuple[sp.Expr, ...] = ()

    def log_leaf(self, h, A, side):
        v = sp.Dummy(self.variable.name, real=True)
        log_density = self.log_density.xreplace({self.variable: v})
        if side is Side.ENERGETIC and self.lower == -sp.oo and self.upper == sp.oo:
            return LogAverage(log_density, (Gauss([v], [h], [[A]]),))
        measure = Flat(v, self.lower, self.upper, self.breaks)
        if side is Side.ENTROPIC:
            return LogAverage(log_density + A * v**2 / 2 + h * v, (measure,))
        return LogAverage(log_density - (v - h) ** 2 / (2 * A) - sp.log(A) / 2 - _HALF_LOG_2PI, (measure,))


Piece = Atom | Quadratic | Density
Law = tuple[Piece, ...]


def substitute(law: Law, change: Mapping[sp.Basic, sp.Basic]) -> Law:
    """The law with symbols replaced, e.g. a label by its value."""
    return tuple(type(p)(**{f.name: _replaced(getattr(p, f.name), change) for f in fields(p)}) for p in law)


def _replaced(value, change):
    if isinstance(value, tuple):
        return tuple(_replaced(v, change) for v in value)
    return value.xreplace(dict(change)) if isinstance(value, sp.Basic) else value


def log_of(expression: sp.Expr) -> sp.Expr:
    """log of a positive expression, taken apart by structure: products, powers, exponentials."""
    if expression.is_Mul:
        return sp.Add(*(log_of(a) for a in expression.args))
    if isinstance(expression, sp.exp):
        return expression.args[0]
    if expression.is_Pow:
        return expression.exp * log_of(expression.base)
    return sp.log(expression)


def from_log_density(log_density: sp.Expr, v: sp.Symbol, lower=-sp.oo, upper=sp.oo) -> Law:
    """Law exp(log_density) on an interval."""
    if log_density.has(sp.S.NegativeInfinity, sp.zoo, sp.nan) and v not in log_density.free_symbols:
        return ()
    try:
        parts = pieces(log_density, v, lower, upper) if switches(log_density, v) else [(lower, upper, log_density)]
    except Undecided:
        return (Density(log_density, v, lower, upper),)
    found: list[Piece] = []
    general: list[tuple] = []
    for a, b, part in parts:
        part = sp.expand(part)
        if part.has(sp.S.NegativeInfinity, sp.zoo):
            continue
        smooth = _quadratic(part, v, a, b)
        if smooth is None:
            general.append((a, b, part))
        else:
            found.append(smooth)
    found += [Density(part, v, a, b) for a, b, part in general]
    return joined(tuple(found))


def joined(law: Law) -> Law:
    """Neighbouring intervals with one and the same exponential as one piece."""
    found: list[Piece] = []
    for piece in law:
        last = found[-1] if found else None
        if isinstance(last, Quadratic) and isinstance(piece, Quadratic) and last.upper == piece.lower and last.tail is piece.tail is None:
            if (last.c0, last.c1, last.c2) == (piece.c0, piece.c1, piece.c2):
                found[-1] = Quadratic(last.c0, last.c1, last.c2, last.lower, piece.upper)
                continue
        found.append(piece)
    return tuple(found)


def from_density(density: sp.Expr, v: sp.Symbol, lower=-sp.oo, upper=sp.oo) -> Law:
    """Law with the given density: sums become several pieces, kinks split them."""
    if density == 0:
        return ()
    try:
        parts = pieces(density, v, lower, upper) if switches(density, v) else [(lower, upper, density)]
    except Undecided:
        return (Density(log_of(density), v, lower, upper),)
    found: list[Piece] = []
    for a, b, part in parts:
        terms = _summands(part, v)
        closed = [_quadratic(sp.expand(log_of(t)), v, a, b) for t in terms if t != 0]
        if all(c is not None for c in closed):
            found += [c for c in closed if c is not None]
        elif part != 0:
            found.append(Density(log_of(part), v, a, b))
    return tuple(found)


def _summands(density: sp.Expr, v: sp.Symbol) -> list[sp.Expr]:
    """The terms of a mixture.  Only sums that depend on v are opened: 1 - rho is one positive weight, not two of either sign."""
    found = []
    for term in sp.Add.make_args(density):
        weight, rest = term.as_independent(v, as_Add=False)
        inner = sp.Add.make_args(sp.expand_mul(rest)) if any(a.is_Add for a in sp.Mul.make_args(rest)) else (rest,)
        found += [weight * r for r in inner]
    return found


def _quadratic(log_density: sp.Expr, v: sp.Symbol, lower, upper) -> Quadratic | None:
    """The piece when log_density is a quadratic in v, plus at most one log H(a + b v) on the whole line."""
    tail, rest = None, []
    for term in sp.Add.make_args(log_density):
        if isinstance(term, LogH) and v in term.free_symbols and lower == -sp.oo and upper == sp.oo and tail is None:
            a, b = sp.expand(term.args[0]).coeff(v, 0), sp.expand(term.args[0]).coeff(v, 1)
            if sp.expand(term.args[0] - a - b * v) != 0:
                return None
            tail = (a, b)
        else:
            rest.append(term)
    polynomial = sp.expand(sp.Add(*rest))
    c = [polynomial.coeff(v, k) for k in range(3)]
    if any(v in x.free_symbols for x in c) or sp.expand(polynomial - c[0] - c[1] * v - c[2] * v**2) != 0:
        return None
    return Quadratic(c[0], c[1], 2 * c[2], lower, upper, tail)


def log_sum(terms: list[sp.Expr]) -> sp.Expr:
    """log of a sum of exponentials, without overflow for any ordering."""
    if not terms:
        return sp.S.NegativeInfinity
    if len(terms) == 1:
        return terms[0]
    first, rest = terms[0], log_sum(terms[1:])
    return first + Softplus(sp.expand(rest - first))


def log_leaf(law: Law, h: sp.Expr, A: sp.Expr, side: Side) -> sp.Expr:
    """log F(h, A) of a law."""
    mirrored = _mirrored(law)
    if mirrored is None:
        return log_sum([piece.log_leaf(h, A, side) for piece in law])
    c, weight = mirrored.location, mirrored.log_weight  # even in h, and says so
    if side is Side.ENTROPIC:
        return weight + A * c**2 / 2 + Log2Cosh(h * c)
    return weight - (h**2 + c**2) / (2 * A) - sp.log(A) / 2 - _HALF_LOG_2PI + Log2Cosh(h * c / A)


def _mirrored(law: Law) -> Atom | None:
    """One of two atoms of equal weight at opposite places, if that is the law."""
    atoms = [piece for piece in law if isinstance(piece, Atom)]
    if len(law) != 2 or len(atoms) != 2:
        return None
    one, other = atoms
    return one if one.location == -other.location and one.log_weight == other.log_weight else None
