"""A function of one field as a polynomial in the field, soft signs and bells: the functions whose Gaussian moments close.

erf, sign, step, |x|, rectifiers and what is linear or polynomial on either side of zero are all of this kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from replica.nodes.piecewise import Undecided, pieces


class SoftSign(sp.Function):
    """E sign(x + sqrt(s) xi) = erf(x/sqrt(2 s)); the sign itself at s = 0."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex=1):
        return 2 * Bell(*self.args)


class Bell(sp.Function):
    """Density at zero of a Gaussian of mean x and variance s; a point mass at s = 0."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex=1):
        x, s = self.args
        if s == 0:
            raise NoMoment("a jump is differentiated twice")
        return -x / s * Bell(x, s)


class NoMoment(ValueError):
    """A moment that does not exist, such as the square of a point mass."""


@dataclass(frozen=True)
class Shape:
    """coefficient x^power prod SoftSign(x, s) prod Bell(x, s)."""

    coefficient: sp.Expr
    power: int
    signs: tuple[sp.Expr, ...]
    bells: tuple[sp.Expr, ...]


def softened(expression: sp.Expr, x: sp.Symbol) -> sp.Expr | None:
    """`expression` with erf, exp(-b x^2) and kinks at zero written by SoftSign and Bell; None where that is not possible."""
    try:
        parts = pieces(expression, x)
    except Undecided:
        return None
    cuts = [upper for _, upper, _ in parts[:-1]]
    if any(cut != 0 for cut in cuts):
        return None
    found = [_smooth(part, x) for _, _, part in parts]
    smooth = [part for part in found if part is not None]
    if len(smooth) < len(found):
        return None
    if len(smooth) == 1:
        return smooth[0]
    below, above = smooth
    return sp.expand((below + above) / 2 + (above - below) / 2 * SoftSign(x, sp.S.Zero))


def _smooth(expression: sp.Expr, x: sp.Symbol) -> sp.Expr | None:
    """The same without kinks."""

    def erf(argument):
        slope = sp.expand(argument).coeff(x, 1)
        if sp.expand(argument - slope * x) != 0 or not slope.is_number:
            return sp.Function("opaque")(argument)
        return sp.sign(slope) * SoftSign(x, 1 / (2 * slope**2))

    def exp(argument):
        rate = -sp.expand(argument).coeff(x, 2)
        if sp.expand(argument + rate * x**2) != 0 or not rate.is_number or not rate.is_positive:
            return sp.Function("opaque")(argument)
        return sp.sqrt(sp.pi / rate) * Bell(x, 1 / (2 * rate))

    def change(node):
        if x not in node.free_symbols or isinstance(node, SoftSign | Bell):
            return node
        if isinstance(node, sp.erf):
            return erf(node.args[0])
        if isinstance(node, sp.exp):
            return exp(node.args[0])
        return node.func(*map(change, node.args)) if node.args else node

    found = sp.expand(change(expression))
    generators = [x, *sorted(found.atoms(SoftSign, Bell), key=sp.default_sort_key)]
    stand_ins = {g: sp.Dummy() for g in generators[1:]}
    return found if found.xreplace(stand_ins).is_polynomial(x, *stand_ins.values()) else None


@lru_cache(maxsize=1024)
def shapes(expression: sp.Expr, x: sp.Symbol) -> tuple[Shape, ...]:
    """The terms of a softened expression.

    Raises:
        NoMoment: a product of two point masses.
    """
    atoms = sorted(expression.atoms(SoftSign, Bell), key=sp.default_sort_key)
    marks = [sp.Dummy() for _ in atoms]
    found = []
    for powers, coefficient in sp.Poly(expression.xreplace(dict(zip(atoms, marks, strict=True))), x, *marks).terms():
        signs, bells = [], []
        for atom, power in zip(atoms, powers[1:], strict=True):
            s = atom.args[1]
            if isinstance(atom, SoftSign):
                signs += [s] * (power % 2 if s == 0 else power)
            else:
                if s == 0 and power > 1:
                    raise NoMoment("the square of a point mass has no average")
                bells += [s] * power
        if not (0 in bells and (powers[0] or 0 in signs)):  # x delta(x) and sign(x) delta(x) vanish
            found.append(Shape(coefficient, powers[0], tuple(signs), tuple(bells)))
    return tuple(found)
