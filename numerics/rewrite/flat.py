"""Lebesgue measure: UNIT loops between breaks and kinks.

On a piece with a quadratic exponent the range is the part of the piece that carries mass.  Otherwise w = c + s y / (1 - y^2), which
reaches infinite ends at y = +-1, resolves the scale s around c, and leaves nothing out; c and s come from the quadratic part of the
exponent, taking the rest of it for a density of unit scale.
"""

from __future__ import annotations

import sympy as sp

from numerics.reads import free
from numerics.rewrite.kinks import Segment, segments
from numerics.rewrite.pieces import Context, Piece, unit
from numerics.rewrite.tilt import peak_window, polynomial
from numerics.rewrite.walk import inner_variables, substitute
from replica.nodes import Flat, Measure

BROADEST = sp.Rational(1, 4)  # least precision assumed for the map: a posterior four times as broad as a unit density


def cut_flat(context: Context, measure: Flat, contents: tuple[sp.Basic, ...], tilt: int) -> list[Piece]:
    """Pieces over `measure`; `contents[tilt]` is the exponent."""
    (w,) = measure.variables
    forced = tuple(sp.Heaviside(w - b) for b in measure.breaks)
    pieces = []
    for s in segments(contents + forced, w, context.facts, measure.lower, measure.upper):
        s = Segment(s.lower, s.upper, s.contents[: len(contents)])
        pieces.append(_piece(context, w, s, tilt))
    return pieces


def _piece(context: Context, w: sp.Symbol, s: Segment, tilt: int) -> Piece:
    inner = inner_variables(s.contents)
    c1, c2, pure = polynomial(s.contents[tilt], w)
    coupled = bool((free(c1) | free(c2)) & inner) or any(w in free(m) for m in s.contents if isinstance(m, Measure))
    bounded = s.lower != -sp.oo and s.upper != sp.oo
    hold = context.loops.hold
    if pure and not coupled and c2 != 0:
        lower, upper = peak_window(hold(c1), hold(-2 * c2), s.lower, s.upper, context.reach)
        return unit(context, w, lower, upper, s.contents, sp.S.One, sp.S.Zero)
    if pure and not coupled and c1 != 0 and (s.lower == -sp.oo) != (s.upper == sp.oo):
        length = hold(context.reach**2 / 2 / sp.Abs(c1))
        lower, upper = (s.lower, s.lower + length) if s.upper == sp.oo else (s.upper - length, s.upper)
        return unit(context, w, lower, upper, s.contents, sp.S.One, sp.S.Zero)
    if bounded and (coupled or (c1 == 0 and c2 == 0)):
        return unit(context, w, s.lower, s.upper, s.contents, sp.S.One, sp.S.Zero)
    return _mapped(context, w, s, sp.S.Zero if coupled else c1, sp.S.Zero if coupled else c2)


def _mapped(context: Context, w: sp.Symbol, s: Segment, c1: sp.Expr, c2: sp.Expr) -> Piece:
    hold = context.loops.hold
    precision = 1 - 2 * c2
    if not precision.is_number:
        precision = hold(sp.Max(precision, BROADEST, evaluate=False))
    scale, centre = hold(1 / sp.sqrt(precision)), c1 / precision
    if s.lower != -sp.oo:
        centre = sp.Max(centre, s.lower)
    if s.upper != sp.oo:
        centre = sp.Min(centre, s.upper)
    centre = hold(centre)
    y = sp.Dummy("y", real=True)
    place = {w: centre + scale * y / (1 - y**2)}
    jacobian = scale * (1 + y**2) / (1 - y**2) ** 2
    contents = tuple(substitute(c, place) for c in s.contents)
    return unit(context, y, _end(s.lower - centre, scale), _end(s.upper - centre, scale), contents, jacobian, sp.S.Zero)


def _end(distance: sp.Expr, scale: sp.Expr) -> sp.Expr:
    """The y at which scale y / (1 - y^2) has come the `distance`."""
    if distance in (sp.oo, -sp.oo):
        return sp.S.One if distance == sp.oo else -sp.S.One
    return 2 * distance / (scale + sp.sqrt(scale**2 + 4 * distance**2))
