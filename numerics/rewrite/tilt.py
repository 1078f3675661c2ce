"""Where the mass of a tilted measure lies: quadratic exponents absorbed exactly, windows for the others."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from numerics.program import Steady
from numerics.reads import AVERAGES, PROXIMAL, free
from numerics.rewrite.walk import coefficients, parts
from replica.nodes import Gauss, Measure

REACH = 9.5  # standard deviations kept on either side of a Gaussian in double precision: the mass beyond, 2e-21, is below rounding
NEWTON = 3  # steps towards the mode of a tilted Gaussian
NARROWEST = sp.Rational(1, 400)  # least precision that an exponent leaves of a unit Gaussian: one that takes more has no mean
LEAST = sp.Rational(1, 10**12)  # least precision under which a window is taken from it; beyond, the range itself bounds the window


def polynomial(exponent: sp.Expr, x: sp.Symbol) -> tuple[sp.Expr, sp.Expr, bool]:
    """(c1, c2, pure): the terms c1 x + c2 x^2 of an exponent; `pure` if no other term reads x."""
    c1, c2, pure = sp.S.Zero, sp.S.Zero, True
    for term in sp.Add.make_args(exponent):
        found = coefficients(term, x, 2)
        if found is None:
            pure = False
        else:
            c1, c2 = c1 + (found[1] if len(found) > 1 else 0), c2 + (found[2] if len(found) > 2 else 0)
    return c1, c2, pure


def absorb(head: Gauss, exponent: sp.Expr, rest: tuple[Measure, ...]) -> tuple[Gauss, sp.Expr, sp.Expr] | None:
    """A Gaussian with a quadratic exponent is a Gaussian: (that one, log of its mass, what remains of the exponent).

    None where the exponent is not quadratic in the variable, or inner measures couple to it.  A quadratic part beside
    other terms is left alone: the two may nearly cancel, and the mass would lie far from the new Gaussian.
    """
    (v,), (mean,), variance = head.variables, head.means, head.covariance[0, 0]
    if v not in free(exponent):
        return None
    inner = {s for m in rest for s in m.variables}
    terms = sp.Add.make_args(exponent)
    reading = sp.Add(*(t for t in terms if v in free(t)))
    remains = sp.Add(*(t for t in terms if v not in free(t)))
    c1, c2, pure = polynomial(reading, v)
    if not pure or free(reading) & inner or (free(remains) & inner and any(v in free(m) for m in rest)):
        return None
    shrink = 1 - 2 * c2 * variance
    c0 = reading.xreplace({v: sp.S.Zero})
    mass = c0 + (c1 * mean + c2 * mean**2 + variance * c1**2 / 2) / shrink - sp.log(shrink) / 2
    return Gauss([v], [(mean + variance * c1) / shrink], [[variance / shrink]]), mass, remains


def peak_window(c1: sp.Expr, precision: sp.Expr, lower: sp.Expr, upper: sp.Expr, reach: float) -> tuple[sp.Expr, sp.Expr]:
    """Where exp(c1 x - precision x^2 / 2) has its mass within [lower, upper]: `reach` deviations around the point of the range
    that is nearest to its peak.  A range without infinite ends is kept whole where the precision is not positive."""
    finite = lower != -sp.oo and upper != sp.oo
    safe = sp.Max(precision, LEAST, evaluate=False) if finite and not precision.is_number else precision
    centre, radius = c1 / safe, reach / sp.sqrt(safe)
    if lower != -sp.oo:
        centre = sp.Max(centre, lower, evaluate=False)
    if upper != sp.oo:
        centre = sp.Min(centre, upper, evaluate=False)
    left, right = Steady(centre - radius), Steady(centre + radius)
    return (
        left if lower == -sp.oo else sp.Max(left, lower, evaluate=False),
        right if upper == sp.oo else sp.Min(right, upper, evaluate=False),
    )


def travel(
    exponent: sp.Expr, v: sp.Symbol, mean: sp.Expr, deviation: sp.Expr, reach: float, hold: Callable[[sp.Expr], sp.Expr]
) -> tuple[sp.Expr, sp.Expr] | None:
    """Ends of a stretch, in deviations, that holds the mode of a Gaussian tilted by an exponent.

    The mode solves t = G(t), G the slope of the exponent in deviations.  Where that is concave G falls, and any t and G(t) are on
    either side of the mode: a few steps of Newton's method bring them together.  Where it is convex the two sides may have modes of
    their own, and widths: those of the parabolas that the exponent is like far out, at two places, as one may be where it bends sharply.
    None where the slope is no plain expression.
    """
    if v not in free(exponent) or any(isinstance(p, (*AVERAGES, *PROXIMAL)) for p, _ in parts(exponent)):
        return None
    slope = deviation * exponent.diff(v)
    bend = deviation * slope.diff(v)

    def at(e: sp.Expr, t: sp.Expr) -> sp.Expr:
        return hold(e.subs(v, mean + deviation * t))

    t, first = sp.S.Zero, at(bend, sp.S.Zero)
    for _ in range(NEWTON):
        t = hold(t + (at(slope, t) - t) / (1 + sp.Max(-at(bend, t), 0, evaluate=False)))
    image, far = at(slope, t), sp.Float(reach)
    ends = sp.Min(t, image, evaluate=False), sp.Max(t, image, evaluate=False)
    if not slope.is_number and not (first.is_number and first <= 0):
        rising = sp.Gt(first, 0, evaluate=False)

        def side(place: sp.Expr, outer: type[sp.Min] | type[sp.Max]) -> sp.Expr:
            curved = sp.Max(sp.Min(at(bend, place), at(bend, 2 * place), evaluate=False), 0, evaluate=False)
            left = sp.Max(1 - curved, NARROWEST, evaluate=False)
            return outer((at(slope, 2 * place) - 2 * curved * place) / left, 0, evaluate=False) + place * (1 / sp.sqrt(left) - 1)

        convex = side(-far, sp.Min), side(far, sp.Max)
        ends = tuple(sp.Piecewise((c, rising), (e, sp.true), evaluate=False) for c, e in zip(convex, ends, strict=True))
    return Steady(hold(ends[0])), Steady(hold(ends[1]))
