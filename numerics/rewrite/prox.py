"""Change of variables to the proximal point.

On a smooth piece of a convex loss the loop runs over the proximal point u itself, h = u + chi l'(u), dh = (1 + chi l''(u)) du;
where the proximal point rests on a kink it runs over the slope g between the one-sided slopes, h = u_k + chi g, dh = chi dg.
Nothing is solved for: prox, its slope and the Moreau envelope are explicit in both.
"""

from __future__ import annotations

import sympy as sp

from numerics.program import Steady
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.kinks import segments
from numerics.rewrite.losses import GRID, Loss, convex_loss
from numerics.rewrite.pieces import Context, Piece, clip, unit
from numerics.rewrite.sample import evaluate
from numerics.rewrite.walk import PROXIMAL, coefficients, free, inner_variables, parts, substitute
from replica.nodes import Prox, ProxSlope

TIGHTER = (sp.Rational(1, 2), sp.S.One, sp.Rational(3, 2), sp.S(2))  # multiples of log(1 + gap) tried as better ends of the window


def proximals(contents: tuple[sp.Basic, ...], v: sp.Symbol) -> list[sp.Expr]:
    """Proximal nodes in `contents` whose field reads `v` and that read no variable bound further inside."""
    found: dict[sp.Expr, None] = {}
    for content in contents:
        if v not in free(content):
            continue
        for part, bound in parts(content, inner_variables(contents)):
            if isinstance(part, PROXIMAL) and v in part.h.free_symbols and not part.free_symbols & bound:
                found[part] = None
    return list(found)


def cut_prox(
    context: Context, v: sp.Symbol, mean: sp.Expr, variance: sp.Expr, contents: tuple[sp.Basic, ...], nodes: list[sp.Expr]
) -> list[Piece] | None:
    """Pieces of a normal variable `v` on which `nodes` are explicit; None if the nodes do not share one proximal point."""
    first = nodes[0]
    u = first.u
    same = {(n.loss.xreplace({n.u: u}), n.chi, n.h) for n in nodes}
    line = coefficients(first.h, v, 1)
    if len(same) > 1 or line is None or v in first.chi.free_symbols or v in (first.loss.free_symbols - {u}):
        return None
    shift, scale = line
    loss = context.once((first.loss, u), lambda: convex_loss(first.loss, u, context.facts))
    chi, middle = first.chi, shift + scale * mean
    sign = context.facts.sign(scale)
    deviation = sp.sqrt(variance) * (scale if sign == 1 else -scale if sign == -1 else sp.Abs(scale))
    low, high = middle - context.reach * deviation, middle + context.reach * deviation
    pieces = []

    def add(
        c: sp.Symbol, raw: tuple[sp.Expr, sp.Expr], window: tuple[sp.Expr, sp.Expr], h: sp.Expr, jacobian: sp.Expr,
        point: sp.Expr, slope: sp.Expr, envelope: sp.Expr,
    ) -> None:
        place: dict[sp.Basic, sp.Expr] = {v: (h - shift) / scale}
        for n in nodes:
            place[n] = point if isinstance(n, Prox) else slope if isinstance(n, ProxSlope) else envelope
        placed = tuple(substitute(e, place) for e in contents)
        for s in segments(placed, c, context.facts, *raw):
            weight = jacobian / (deviation * sp.sqrt(2 * sp.pi))
            exponent = -(((h - middle) / deviation) ** 2) / 2
            pieces.append(unit(context, c, clip(s.lower, *window), clip(s.upper, *window), s.contents, weight, exponent))

    ends = (low, high)
    if not loss.explicit:
        ends = context.once((first.loss, u, chi, low, high), lambda: _safe_ends(context, loss, chi, low, high))
    for i, p in enumerate(loss.pieces):
        window = _explicit_ends(p.line, chi, low, high) if p.line else ends
        add(
            u, (p.lower, p.upper), window, u + chi * p.slope, 1 + chi * p.curvature,
            u, 1 - chi * p.curvature / (1 + chi * p.curvature), chi * p.slope**2 / 2 + p.value,
        )
        if i + 1 < len(loss.pieces):
            place, value, before, after = loss.jumps()[i]
            if context.facts.vanishes(after - before):
                continue
            g = sp.Dummy("g", real=True)
            window = Steady((low - place) / chi), Steady((high - place) / chi)
            add(
                g, (before, after), window, place + chi * g, chi,
                place, sp.S.Zero, chi * g**2 / 2 + value,
            )
    return pieces


def _explicit_ends(line: tuple[sp.Expr, sp.Expr], chi: sp.Expr, low: sp.Expr, high: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    offset, slope = line
    return Steady((low - chi * offset) / (1 + chi * slope)), Steady((high - chi * offset) / (1 + chi * slope))


def _safe_ends(context: Context, loss: Loss, chi: sp.Expr, low: sp.Expr, high: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Points below prox(low) and above prox(high), near enough for adaptive panels.

    prox(h) lies between h and h - chi l'(h).  That bracket can be astronomically wide (exponential loss), so points at a
    logarithmic distance are tried as well, and taken where they are still on the safe side.  Whatever is too wide carries
    no mass, so the ends' derivatives do not matter.
    """
    sides = _slope_signs(loss, context)
    hold = context.loops.hold
    ends = []
    for side, h in ((1, low), (-1, high)):
        h = hold(h)
        reach = hold(chi * loss.slope_at(h))
        outer = h - side * sp.Max(side * reach, 0) if side in sides else h
        best = [outer]
        for factor in TIGHTER:
            # the proximal point lies inside the window if the slope there has the sign -side, outside it if it has the sign side
            for way in sides:
                candidate = hold(h - way * factor * sp.log(1 + sp.Max(way * reach, 0)))
                excess = hold(side * (candidate + chi * loss.slope_at(candidate) - h))
                best.append(sp.Piecewise((candidate, sp.Le(excess, 0, evaluate=False)), (outer, True), evaluate=False))
        ends.append(sp.Max(*best, evaluate=False) if side == 1 else sp.Min(*best, evaluate=False))
    return hold(Steady(ends[0])), hold(Steady(ends[1]))


def _slope_signs(loss: Loss, context: Context) -> tuple[int, ...]:
    """Signs that the slope takes, seen at sample points; only used to leave out ends that cannot occur."""
    slope = loss.slope_at(loss.u)
    at = {s: x[:, None] for s, x in context.facts.draw(slope.free_symbols - {loss.u}).items()}
    values = evaluate(slope, at | {loss.u: GRID})
    return tuple(sign for sign in (1, -1) if (values * sign > 0).any()) or (1, -1)


def explicit(node: sp.Expr, context: Context) -> sp.Expr:
    """A proximal node of a piecewise quadratic loss as a Piecewise in its field.

    Raises:
        RewriteError: the loss is not piecewise quadratic, so the proximal point is not explicit.
    """
    loss = context.once((node.loss, node.u), lambda: convex_loss(node.loss, node.u, context.facts))
    if not loss.explicit:
        raise RewriteError(
            f"the proximal point of {node.loss} stands where it cannot be integrated over "
            "(two different ones in one average, or none of its variables is a Gaussian field); "
            "only piecewise quadratic losses are possible there"
        )
    chi, h = node.chi, node.h
    branches: list[tuple[sp.Expr, sp.Basic]] = []

    def result(point: sp.Expr, slope: sp.Expr, value: sp.Expr) -> sp.Expr:
        if isinstance(node, Prox):
            return point
        return slope if isinstance(node, ProxSlope) else (point - h) ** 2 / (2 * chi) + value

    for i, p in enumerate(loss.pieces):
        offset, rate = p.line
        point = (h - chi * offset) / (1 + chi * rate)
        smooth = result(point, 1 / (1 + chi * rate), p.value.xreplace({loss.u: point}))
        if i + 1 == len(loss.pieces):
            branches.append((smooth, sp.true))
            break
        place, value, before, after = loss.jumps()[i]
        branches.append((smooth, h < place + chi * before))
        if not context.facts.vanishes(after - before):
            branches.append((result(place, sp.S.Zero, value), h < place + chi * after))
    return sp.Piecewise(*branches)


