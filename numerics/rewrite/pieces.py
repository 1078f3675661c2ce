"""A piece: one loop over a part of a measure's range, and what the contents of the average read on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from numerics.program import Rule
from numerics.reads import PROXIMAL, free
from numerics.rewrite.facts import Facts
from numerics.rewrite.kinks import segments
from numerics.rewrite.loops import Loops
from numerics.rewrite.tilt import REACH, peak_window, polynomial, travel
from numerics.rewrite.walk import inner_variables, parts, substitute

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
    context: Context, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr, contents: tuple[sp.Basic, ...], weight: sp.Expr, exponent: sp.Expr
) -> Piece:
    """A piece over x in [lower, upper], finite, mapped to [0, 1]; weight and exponent may read x."""
    lower, upper = context.loops.hold(lower), context.loops.hold(upper)
    xi = context.loops.variable(Rule.UNIT, (lower, upper, substitute(weight, {x: _X}), substitute(exponent, {x: _X})), contents)
    place = {x: lower + (upper - lower) * xi}
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
    Gaussian's window, then the window follows.
    """
    deviation = sp.sqrt(variance)
    found = list(segments(contents, v, context.facts))
    window = (-sp.Float(context.reach), sp.Float(context.reach))
    moved = None
    if tilt is not None and v in free(contents[tilt]) and context.loops.reads_outer((mean, variance, *contents)):
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
        lower, upper = (clip(e, *window) for e in ends)
        if _shapes_a_loss(s.contents, v):  # its sign may tell whether the loss is convex
            named = sp.Dummy(v.name, real=True)
            context.facts.bound(named, s.lower, s.upper)
            contents = tuple(substitute(c, {v: named}) for c in s.contents)
            piece = unit(context, t, lower, upper, contents, 1 / sp.sqrt(2 * sp.pi), -(t**2) / 2)
            value = mean + deviation * (lower + (upper - lower) * piece.variable)
            context.loops.name(named, value)
            pieces.append(piece)
            continue
        if tilt is not None:
            c1, c2, pure = polynomial(s.contents[tilt], v)
            if pure and (c1, c2) != (0, 0) and not (free(c1) | free(c2)) & inner:
                hold = context.loops.hold
                slope, precision = hold(deviation * (c1 + 2 * c2 * mean)), hold(1 - 2 * c2 * variance)
                lower, upper = peak_window(slope, precision, hold(ends[0]), hold(ends[1]), context.reach)
        pieces.append(unit(context, t, lower, upper, tuple(substitute(c, place) for c in s.contents), 1 / sp.sqrt(2 * sp.pi), -(t**2) / 2))
    return pieces


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
