"""A piece: one loop over a part of a measure's range, and what the contents of the average read on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from numerics.program import Rule, Steady
from numerics.reads import AVERAGES, PROXIMAL, free
from numerics.rewrite.facts import Facts
from numerics.rewrite.kinks import segments
from numerics.rewrite.loops import Loops
from numerics.rewrite.tilt import REACH, peak_window, polynomial, travel
from numerics.rewrite.walk import coefficients, inner_variables, parts, substitute

FAR = 37.0  # standard deviations: the normal density is no number much further out
FLOOR = sp.Rational(1, 10**30)  # least width of a piece under a logarithm: an empty piece then weighs e^-69, and its log is finite


@dataclass(frozen=True)
class Piece:
    """One loop.  `weight * exp(exponent)` is density times Jacobian; `width` the part of the weight that may be zero.

    `atom`: what a body with a delta function gets from it; the piece has no mass of its own.
    """

    variable: sp.Dummy
    contents: tuple[sp.Basic, ...]
    weight: sp.Expr = sp.S.One
    width: sp.Expr = sp.S.One
    exponent: sp.Expr = sp.S.Zero
    atom: bool = False

    @property
    def factor(self) -> sp.Expr:
        """Weight without the exponential."""
        return self.weight * self.width

    @property
    def log_weight(self) -> sp.Expr:
        """Logarithm of the whole weight, finite also where the piece is empty."""
        width = self.width if self.width.is_number else sp.Max(self.width, FLOOR)
        return sp.log(self.weight) + sp.log(width) + self.exponent


@dataclass(frozen=True)
class Context:
    """What every pass needs: facts on symbols, the loops handed out so far, and results that several averages share."""

    facts: Facts
    loops: Loops
    reach: float = REACH  # standard deviations kept on either side of a Gaussian
    shared: dict[tuple[object, ...], Any] = field(default_factory=dict)

    def once(self, key: tuple[object, ...], make: Callable[[], Any]) -> Any:
        """make(), the first time that `key` is asked for."""
        if key not in self.shared:
            self.shared[key] = make()
        return self.shared[key]


def unit(
    context: Context, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr, contents: tuple[sp.Basic, ...], weight: sp.Expr, exponent: sp.Expr,
    outward: int = 0,
) -> Piece:
    """A piece over x in [lower, upper], finite, mapped to [0, 1]; weight and exponent may read x.

    `outward` is the sign of an end that only the window makes: the range goes on there, where the integrand is not negligible.
    """
    lower, upper = context.loops.hold(lower), context.loops.hold(upper)
    rule, (begin, end) = (Rule.RAY if outward else Rule.UNIT), ((upper, lower) if outward < 0 else (lower, upper))
    xi = context.loops.variable(rule, (begin, end, substitute(weight, {x: _X}), substitute(exponent, {x: _X})), contents)
    place = {x: begin + (end - begin) * xi}
    return Piece(xi, tuple(substitute(c, place) for c in contents), substitute(weight, place), upper - lower, substitute(exponent, place))


_X = sp.Symbol("x", real=True)  # stands for the integration variable in the names of loops


def clip(point: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    """`point` moved into [lower, upper]; infinite points become ends."""
    if point == -sp.oo:
        return lower
    return upper if point == sp.oo else sp.Min(sp.Max(point, lower, evaluate=False), upper, evaluate=False)


def _shapes_a_loss(contents: tuple[sp.Basic, ...], v: sp.Symbol) -> bool:
    """Whether a loss inside a proximal node reads `v`."""
    return any(isinstance(p, PROXIMAL) and v in free(p.loss) for c in contents for p, _ in parts(c))


def cut_gauss(
    context: Context, v: sp.Symbol, mean: sp.Expr, variance: sp.Expr, contents: tuple[sp.Basic, ...], tilt: int | None
) -> list[Piece]:
    """A normal variable: one LINE loop if the contents are smooth, else UNIT loops between the kinks.

    `contents[tilt]` is an exponent whose average is not known to be one.  Under an outer loop it may carry the mass out of the
    Gaussian's window, then the window follows.  Elsewhere the kinks are taken where they are, and the nodes find how far the mass goes.
    """
    deviation = sp.sqrt(variance)
    found = list(segments(contents, v, context.facts))
    if len(found) == 1 and (fixed := _of_field(context, v, mean, variance, found[0].contents)) is not None:
        return [fixed]
    window = (-sp.Float(context.reach), sp.Float(context.reach))
    moved, nested = None, context.loops.reads_outer((mean, variance, *contents))
    if tilt is not None and v in free(contents[tilt]) and nested:
        moved = travel(contents[tilt], v, mean, deviation, context.reach, context.loops.hold)
    if len(found) == 1:
        return [_whole(context, v, mean, deviation, found[0].contents, moved)]
    if moved is not None:
        window = (window[0] + moved[0], window[1] + moved[1])
    t = sp.Dummy("t", real=True)
    inner = inner_variables(contents)
    pieces = []
    for s in found:
        ends = tuple(e if e in (sp.oo, -sp.oo) else (e - mean) / deviation for e in (s.lower, s.upper))
        place = {v: mean + deviation * t}
        outward = 0 if nested else (s.upper == sp.oo) - (s.lower == -sp.oo)
        lower, upper = (clip(e, *window) for e in ends) if nested else _around(ends, context.reach)
        if _shapes_a_loss(s.contents, v):  # its sign may tell whether the loss is convex
            named = sp.Dummy(v.name, real=True)
            context.facts.bound(named, s.lower, s.upper)
            contents = tuple(substitute(c, {v: named}) for c in s.contents)
            piece = unit(context, t, lower, upper, contents, 1 / sp.sqrt(2 * sp.pi), -(t**2) / 2, outward)
            begin, end = (upper, lower) if outward < 0 else (lower, upper)
            context.loops.name(named, mean + deviation * (begin + (end - begin) * piece.variable))
            pieces.append(piece)
            continue
        if tilt is not None:
            c1, c2, pure = polynomial(s.contents[tilt], v)
            if pure and (c1, c2) != (0, 0) and not (free(c1) | free(c2)) & inner:
                hold = context.loops.hold
                slope, precision = hold(deviation * (c1 + 2 * c2 * mean)), hold(1 - 2 * c2 * variance)
                lower, upper = peak_window(slope, precision, hold(ends[0]), hold(ends[1]), context.reach)
                outward = 0
        moving = tuple(substitute(c, place) for c in s.contents)
        pieces.append(unit(context, t, lower, upper, moving, 1 / sp.sqrt(2 * sp.pi), -(t**2) / 2, outward))
    return pieces


def _of_field(
    context: Context, v: sp.Symbol, mean: sp.Expr, variance: sp.Expr, contents: tuple[sp.Basic, ...]
) -> Piece | None:
    """A loop over the field itself, on nodes that are the same wherever its mean lies, where averages inside read the field alone.

    These are then taken once for every field, and not once for every field around every mean: nested averages cost as many products of
    two loops as there are levels.  None where they read more, or the mean is no sum of normal loop variables.
    """
    inside = [p for c in contents for p, _ in parts(c) if isinstance(p, AVERAGES) and v in free(p)]
    loops = context.loops
    if not inside or not loops.reads_outer((mean,)) or loops.reads_outer((variance, *inside)):
        return None
    centre, spread = mean, variance
    for t in free(mean) & loops.spreads.keys():
        line = coefficients(centre, t, 1)
        if line is None or len(line) != 2 or free(line[1]) & loops.spreads.keys():
            return None
        centre, spread = line[0], spread + (line[1] * loops.spreads[t]) ** 2
    if loops.reads_outer((centre,)):
        return None
    width = loops.hold(Steady((variance * spread) ** sp.Rational(1, 4)))
    t = loops.variable(Rule.FIELD, (centre, width), (mean,))
    loops.spreads[t] = sp.sqrt(spread) / width
    place = {v: centre + width * t}
    density = -((centre + width * t - mean) ** 2) / (2 * variance)
    return Piece(t, tuple(substitute(c, place) for c in contents), width / sp.sqrt(2 * sp.pi * variance), exponent=density)


def _around(ends: tuple[sp.Expr, ...], reach: float) -> tuple[sp.Expr, sp.Expr]:
    """Finite ends, in deviations, for a range between kinks: infinite ones at the reach, or a deviation from a kink that lies beyond."""
    far = sp.Float(max(FAR, reach))
    lower, upper = (e if e in (sp.oo, -sp.oo) else _least(_most(e, -far), far) for e in ends)
    if lower == -sp.oo:
        return _least(upper - 1, -sp.Float(reach)), upper
    return lower, _most(lower + 1, sp.Float(reach)) if upper == sp.oo else upper


def _most(e: sp.Expr, bound: sp.Expr) -> sp.Expr:
    """The larger of two; SymPy compares numbers that are exactly zero for long, and may fail."""
    if e.is_number:
        return e if float(e) >= float(bound) else bound
    return sp.Max(e, bound, evaluate=False)


def _least(e: sp.Expr, bound: sp.Expr) -> sp.Expr:
    return -_most(-e, -bound) if e.is_number else sp.Min(e, bound, evaluate=False)


def _whole(
    context: Context,
    v: sp.Symbol,
    mean: sp.Expr,
    deviation: sp.Expr,
    contents: tuple[sp.Basic, ...],
    moved: tuple[sp.Expr, sp.Expr] | None,
) -> Piece:
    """A LINE loop over the normal variable; over one that stands where the mass is, at a density above one there, if that has moved."""
    if moved is None:
        t = context.loops.variable(Rule.LINE, (mean, deviation**2), contents)
        context.loops.spreads[t] = sp.S.One
        place = {v: mean + deviation * t}
        return Piece(t, tuple(substitute(c, place) for c in contents))
    centre = context.loops.hold((moved[0] + moved[1]) / 2)
    stretch = context.loops.hold(1 + (moved[1] - moved[0]) / (2 * sp.Float(context.reach)))
    t = context.loops.variable(Rule.LINE, (mean, deviation**2, centre, stretch), contents)
    place = {v: mean + deviation * (centre + stretch * t)}
    return Piece(
        t,
        tuple(substitute(c, place) for c in contents),
        stretch,
        exponent=((1 - stretch) * t - centre) * ((1 + stretch) * t + centre) / 2,
    )
