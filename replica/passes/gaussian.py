"""Gaussian algebra on averages: completing squares, moments of polynomials, and rotations to fewer variables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import sympy as sp

from replica.nodes import Flat, Gauss, Log2Cosh, LogH, Moreau, Prox, ProxSlope, Softplus, Tilted
from replica.nodes.measures import Measure


def tidy(expression: sp.Expr) -> sp.Expr:
    """Rational part over one denominator, logarithms merged: for the small expressions that completing a square leaves."""
    rational, whole, halves = [], sp.S.One, sp.S.One
    for term in sp.Add.make_args(sp.expand_mul(expression)):
        coefficient, rest = term.as_coeff_Mul()
        if isinstance(rest, sp.log) and coefficient.is_Integer:
            whole *= rest.args[0] ** coefficient
        elif isinstance(rest, sp.log) and (2 * coefficient).is_Integer:
            halves *= rest.args[0] ** (2 * coefficient)
        else:
            rational.append(term)
    return sp.factor(sp.Add(*rational)) + sp.log(sp.cancel(whole)) + sp.log(sp.factor(halves)) / 2


def _quadratic_part(exponent: sp.Expr, v: sp.Symbol) -> tuple[sp.Expr, sp.Expr, sp.Expr, sp.Expr]:
    """exponent = c0 + c1 v + c2 v^2 / 2 + rest, rest collecting every term that is not a quadratic in v."""
    c = [sp.S.Zero] * 3
    rest = sp.S.Zero
    for term in sp.Add.make_args(exponent):
        if v not in term.free_symbols:
            c[0] += term
            continue
        poly = term if term.is_polynomial(v) else None
        if poly is None or sp.degree(poly, v) > 2:
            rest += term
            continue
        expanded = sp.expand(poly)
        for k in range(3):
            c[k] += expanded.coeff(v, k)
    return c[0], c[1], 2 * c[2], rest


@lru_cache(maxsize=512)
def absorb(exponent: sp.Expr, measures: tuple[Measure, ...]) -> tuple[sp.Expr, tuple[Measure, ...], sp.Expr]:
    """Move quadratic exponents into the measures, so that a grid centred on a measure is centred on the mass.

    One-dimensional measures only, innermost (those whose variables no other measure reads) first.
    Returns (exponent, measures, log weight in front).
    """
    exponent = sp.expand_mul(exponent)
    done: list[Measure] = []
    pending = list(measures)
    while pending:
        free = [m for m in pending if not any(v in other.free_symbols for other in pending if other is not m for v in m.variables)]
        m = next((m for m in free if isinstance(m, Flat)), free[0])  # a label is drawn given the fields, not the other way round
        pending.remove(m)
        if not isinstance(m, (Gauss, Flat)) or len(m.variables) != 1:
            done.append(m)
            continue
        (v,) = m.variables
        c0, c1, c2, rest = _quadratic_part(exponent, v)
        if isinstance(m, Flat):
            if (m.lower, m.upper) != (-sp.oo, sp.oo) or c2 == 0 or v in rest.free_symbols:
                done.append(m)
                continue
            variance = tidy(-1 / c2)
            mean = tidy(c1 * variance)
            constant = c0 + tidy(c1 * mean / 2) + (sp.log(2) + sp.log(sp.pi) + sp.log(variance)) / 2
        elif c1 == 0 and c2 == 0:
            done.append(m)
            continue
        else:
            mean0, variance0 = m.means[0], m.covariance[0, 0]
            variance = tidy(variance0 / (1 - c2 * variance0))
            mean = tidy(variance * (c1 + mean0 / variance0))
            constant = c0 + tidy(mean**2 / (2 * variance) - mean0**2 / (2 * variance0) + sp.log(variance) / 2 - sp.log(variance0) / 2)
        constant, remaining = tidy_split(constant)
        exponent = sp.expand_mul(constant) + remaining + rest
        done.append(Gauss([v], [mean], [[variance]]))
    bound = {v for m in done for v in m.variables}
    outside = [t for t in sp.Add.make_args(exponent) if not t.free_symbols & bound]
    return exponent - sp.Add(*outside), tuple(done), tidy(sp.Add(*outside))


def tidy_split(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """(tidied rational-and-logarithm part, everything else)."""
    simple: list[sp.Expr] = []
    other: list[sp.Expr] = []
    for term in sp.Add.make_args(expression):
        atoms = term.atoms(sp.Function) - term.atoms(sp.log)
        (other if atoms or term.has(Tilted, Prox) else simple).append(term)
    return tidy(sp.Add(*simple)), sp.Add(*other)


def moment(power: int, mean: sp.Expr, variance: sp.Expr) -> sp.Expr:
    """E h^power for h ~ N(mean, variance)."""
    previous, current = sp.S.Zero, sp.S.One
    for k in range(power):
        previous, current = current, mean * current + k * variance * previous
    return current


LONG = 12
"""Terms of a sum that is not multiplied out."""


def integrate_polynomials(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> tuple[sp.Expr, tuple[Measure, ...]]:
    """Integrate out Gaussian variables in which the body is a polynomial and on which nothing else depends."""
    bound = {v for m in measures for v in m.variables}
    long = {e: sp.Dummy("c", real=True) for e in dict.fromkeys(found for part in (body, *measures) for found in _long_sums(part, bound))}
    measures_left: tuple[Measure, ...] = tuple(m.xreplace(long) for m in measures)
    body, measures_left = _integrated(body.xreplace(long), exponent, measures_left)
    back = {symbol: e for e, symbol in long.items()}
    return body.xreplace(back), tuple(m.xreplace(back) for m in measures_left)


def _long_sums(e: sp.Basic, bound: set[sp.Symbol]) -> Iterator[sp.Expr]:
    """Parts with a long sum that read no variable of the measures; multiplied out they would be products of such sums."""
    if isinstance(e, sp.Expr) and not isinstance(e, sp.MatrixBase) and not e.free_symbols & bound:
        if any(len(part.args) > LONG for part in sp.preorder_traversal(e) if part.is_Add):
            yield e
        return
    for part in e.args:
        yield from _long_sums(part, bound)


def _integrated(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> tuple[sp.Expr, tuple[Measure, ...]]:
    changed = True
    while changed:
        changed = False
        for m in measures:
            if not isinstance(m, Gauss) or len(m.variables) != 1:
                continue
            (v,) = m.variables
            others = [o for o in measures if o is not m]
            if v in exponent.free_symbols or any(v in o.free_symbols for o in others):
                continue
            if not body.is_polynomial(v):
                continue
            body = _mean_of_polynomial(body, v, m)
            body = factored(body)
            measures, changed = tuple(others), True
            break
    return body, measures


def _mean_of_polynomial(body: sp.Expr, v: sp.Symbol, m: Gauss) -> sp.Expr:
    coefficients = sp.Poly(body, v).all_coeffs()[::-1]
    return sp.Add(*(c * moment(k, m.means[0], m.covariance[0, 0]) for k, c in enumerate(coefficients)))


def without_large_parts(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> tuple[sp.Expr, sp.Expr]:
    """(what is left to average, what is averaged in closed form) of a body with log 2 cosh of a shifted field.

    Far from zero log 2 cosh is a straight line; its mean is taken exactly, so that it can cancel against other terms.
    """
    if len(measures) != 1 or not isinstance(measures[0], Gauss) or len(measures[0].variables) != 1 or exponent != 0:
        return body, sp.S.Zero
    (m,) = measures
    (v,) = m.variables
    lines = {}
    for node in body.atoms(Log2Cosh):
        (x,) = node.args
        centre = x.xreplace({v: m.means[0]})
        if x.is_polynomial(v) and sp.degree(x, v) == 1 and centre != 0:
            lines[node] = Softplus(2 * x) - x if centre.could_extract_minus_sign() else Softplus(-2 * x) + x
    if not lines or not body.is_polynomial(*lines):
        return body, sp.S.Zero
    terms = sp.Add.make_args(sp.expand_mul(body.xreplace(lines)))
    straight = sp.Add(*(t for t in terms if t.is_polynomial(v)))
    return sp.Add(*(t for t in terms if not t.is_polynomial(v))), factored(_mean_of_polynomial(straight, v, m))


def factored(expression: sp.Expr) -> sp.Expr:
    """The rational terms over one denominator and factored; other terms as they are."""
    terms = sp.Add.make_args(sp.expand_mul(expression))
    rational = [t for t in terms if t.is_rational_function()]
    return sp.factor(sp.Add(*rational)) + sp.Add(*(t for t in terms if not t.is_rational_function()))


def is_quotient(e: sp.Expr) -> bool:
    """Whether an expression is a product of polynomials and of their inverses."""
    bases = (f.base if f.is_Pow and f.exp.is_Integer else f for f in sp.Mul.make_args(e))
    return not e.is_Add and all(base.is_polynomial() for base in bases)


def translate(body: sp.Expr, y: sp.Symbol) -> sp.Expr:
    """Rewrite proximal nodes of a loss of y - u as nodes of the residual's own loss at y - h, which no longer see y alone."""

    def change(node):
        v = sp.Dummy("v", real=True)
        loss = sp.expand_mul(node.loss.xreplace({node.u: y - v}))
        if y in loss.free_symbols:
            return node
        moved = node.func(loss, v, node.chi, y - node.h)
        return y - moved if isinstance(node, Prox) else moved

    nodes = {n: change(n) for n in body.atoms(Prox, ProxSlope, Moreau)}
    return body.xreplace(nodes)


def rotate(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...], y: sp.Symbol) -> tuple[sp.Expr, tuple[Measure, ...]]:
    """Integrate over r = y - h instead of (y, h) when the body is a polynomial in h at fixed r.

    `measures` hold y ~ N(a h + b, s) and h ~ N(mu, q).
    """
    inner = next((m for m in measures if isinstance(m, Gauss) and m.variables == (y,)), None)
    if inner is None or y in exponent.free_symbols:
        return body, measures
    outer = next(
        (m for m in measures if isinstance(m, Gauss) and m is not inner and len(m.variables) == 1 and m.variables[0] in inner.free_symbols),
        None,
    )
    if outer is None or outer.variables[0] in exponent.free_symbols:
        return body, measures
    turn = _residual(inner, outer)
    if turn is None:
        return body, measures
    (h,), ((r,), left) = outer.variables, (turn[0].variables, turn[1])
    turned = body.xreplace({y: r + h})
    nodes = {n: sp.Dummy("p", real=True) for n in turned.atoms(Prox, ProxSlope, Moreau)}
    settled = {p: n.func(n.loss, n.u, n.chi, sp.expand(n.h)) for n, p in nodes.items()}
    if any(h in n.free_symbols for n in settled.values()):
        return body, measures
    turned = turned.xreplace(nodes)
    if not turned.is_polynomial(h):
        return body, measures
    turned, _ = integrate_polynomials(turned, exponent, (left,))
    kept = tuple(m for m in measures if m is not inner and m is not outer)
    return turned.xreplace(settled), (*kept, turn[0])


@lru_cache(maxsize=128)
def _residual(inner: Gauss, outer: Gauss) -> tuple[Gauss, Gauss] | None:
    """Laws of r = y - h, and of h given r, for y ~ inner given h ~ outer."""
    (h,), q, mu = outer.variables, outer.covariance[0, 0], outer.means[0]
    slope = inner.means[0].diff(h)
    if h in slope.free_symbols:
        return None
    r = sp.Dummy("r", real=True)
    variance = factored(inner.covariance[0, 0] + (slope - 1) ** 2 * q)
    mean = factored((slope - 1) * mu + inner.means[0] - slope * h)
    gain = factored((slope - 1) * q / variance)
    left = Gauss([h], [mu + gain * (r - mean)], [[factored(q - gain * (slope - 1) * q)]])
    return Gauss([r], [mean], [[variance]]), left


def orthant(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> sp.Expr | None:
    """E[H(a + b h)], and E[step(+-h) H(s h)] of a centred Gaussian field (the angle between two half planes), in closed form."""
    if len(measures) != 1 or not isinstance(measures[0], Gauss) or len(measures[0].variables) != 1:
        return None
    (h,), q = measures[0].variables, measures[0].covariance[0, 0]
    if body == 1 and isinstance(exponent, LogH):  # E H(a + b h), h ~ N(mu, q), is again a tail
        argument = sp.expand(exponent.args[0])
        a, b = argument.coeff(h, 0), argument.coeff(h, 1)
        if h not in a.free_symbols | b.free_symbols and sp.expand(argument - a - b * h) == 0:
            return sp.exp(LogH((a + b * measures[0].means[0]) / sp.sqrt(1 + b**2 * q)))
    if measures[0].means[0] != 0 or not isinstance(body, sp.Heaviside) or not isinstance(exponent, LogH):
        return None
    step, slope = sp.expand(body.args[0]).coeff(h, 1), sp.expand(exponent.args[0]).coeff(h, 1)
    if not step.is_number or body.args[0] - step * h != 0 or sp.expand(exponent.args[0] - slope * h) != 0:
        return None
    angle = sp.atan(slope * sp.sqrt(q)) / (2 * sp.pi)
    return sp.Rational(1, 4) + (angle if step < 0 else -angle)
