"""Change of variables to the proximal point.

On a smooth piece of a loss the loop runs over the proximal point u itself, h = u + chi l'(u), dh = (1 + chi l''(u)) du;
where the proximal point rests on a kink it runs over the slope g between the one-sided slopes, h = u_k + chi g, dh = chi dg.
Nothing is solved for: prox, its slope and the Moreau envelope are explicit in both.

The proximal point of a loss that is not convex jumps: the u that are no minima for any field are left out (numerics.rewrite.jumps).
Its slope is the derivative in the sense of distributions: a jump counts with its height, where the field is that of the jump.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from numerics.program import Steady
from numerics.reads import PROXIMAL, free
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.jumps import Gap, Jumps, read_jumps
from numerics.rewrite.kinks import segments
from numerics.rewrite.losses import GRID, Loss, Smooth, read_loss
from numerics.rewrite.pieces import Context, Piece, clip, unit
from numerics.rewrite.sample import evaluate
from numerics.rewrite.walk import coefficients, inner_variables, parts, substitute
from replica.nodes import Prox, ProxSlope

TIGHTER = (sp.Rational(1, 2), sp.S.One, sp.Rational(3, 2), sp.S(2))  # multiples of log(1 + gap) tried as better ends of the window


def proximals(contents: tuple[sp.Basic, ...], v: sp.Symbol) -> list[sp.Expr]:
    """Proximal nodes in `contents` whose field reads `v` and that read no variable bound further inside."""
    found: dict[sp.Expr, None] = {}
    for content in contents:
        if v not in free(content):
            continue
        for part, bound in parts(content, inner_variables(contents)):
            if isinstance(part, PROXIMAL) and v in free(part.h) and not free(part) & bound:
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
    if len(same) > 1 or line is None or v in free(first.chi) or v in (free(first.loss) - {u}):
        return None
    shift, scale = line
    loss = context.once((first.loss, u), lambda: read_loss(first.loss, u, context.facts))
    chi, middle = first.chi, shift + scale * mean
    sign = context.facts.sign(scale)
    deviation = sp.sqrt(variance) * (scale if sign == 1 else -scale if sign == -1 else sp.Abs(scale))
    low, high = middle - context.reach * deviation, middle + context.reach * deviation
    weight = 1 / (deviation * sp.sqrt(2 * sp.pi))
    pieces = []

    def placed(h: sp.Expr, point: sp.Expr, slope: sp.Expr, envelope: sp.Expr, contents: tuple[sp.Basic, ...]) -> tuple[sp.Basic, ...]:
        place: dict[sp.Basic, sp.Expr] = {v: (h - shift) / scale}
        for n in nodes:
            place[n] = point if isinstance(n, Prox) else slope if isinstance(n, ProxSlope) else envelope
        return tuple(substitute(e, place) for e in contents)

    def add(
        c: sp.Symbol, raw: tuple[sp.Expr, sp.Expr], window: tuple[sp.Expr, sp.Expr], h: sp.Expr, jacobian: sp.Expr,
        point: sp.Expr, slope: sp.Expr, envelope: sp.Expr,
    ) -> None:
        for s in segments(placed(h, point, slope, envelope, contents), c, context.facts, *raw):
            exponent = -(((h - middle) / deviation) ** 2) / 2
            pieces.append(unit(context, c, clip(s.lower, *window), clip(s.upper, *window), s.contents, jacobian * weight, exponent))

    jumps = None if loss.convex else context.once((first.loss, u, chi, Jumps), lambda: read_jumps(loss, chi, context))
    ends = (low, high)
    if not loss.explicit:
        ends = context.once((first.loss, u, chi, low, high), lambda: _safe_ends(context, loss, chi, low, high, jumps))
    for p, lower, upper in _runs(loss, jumps):
        window = _explicit_ends(p.line, chi, low, high) if p.line else ends
        if jumps:  # a finite run is taken whole: where the pieces curve down, the window of a parabola means nothing
            window = window[0] if lower == -sp.oo else lower, window[1] if upper == sp.oo else upper
        add(
            u, (lower, upper), window, u + chi * p.slope, 1 + chi * p.curvature,
            u, 1 - chi * p.curvature / (1 + chi * p.curvature), chi * p.slope**2 / 2 + p.value,
        )
    for kink, (before, after) in zip(loss.kinks, jumps.rests if jumps else ((k.before, k.after) for k in loss.kinks), strict=True):
        if sp.oo not in (-before, after) and context.facts.vanishes(after - before):
            continue
        g = sp.Dummy("g", real=True)
        window = Steady((low - kink.place) / chi), Steady((high - kink.place) / chi)
        add(
            g, (before, after), window, kink.place + chi * g, chi,
            kink.place, sp.S.Zero, chi * g**2 / 2 + kink.value,
        )
    for gap in jumps.gaps if jumps else ():
        at_jump = _linear_part(contents, nodes, gap)
        if at_jump is not None:
            z = sp.Dummy("z", real=True)
            exponent = -(((gap.field - middle) / deviation) ** 2) / 2
            moved = placed(gap.field, z, sp.S.Zero, gap.envelope, at_jump)
            pieces.append(replace(unit(context, z, gap.left, gap.right, moved, weight, exponent), atom=True))
    return pieces


def _runs(loss: Loss, jumps: Jumps | None) -> list[tuple[Smooth, sp.Expr, sp.Expr]]:
    """(piece, lower, upper): the smooth parts of the loss that proximal points reach; lower > upper never happens."""
    if jumps is None:
        return [(p, p.lower, p.upper) for p in loss.pieces if not p.forbidden]
    kinks = (-sp.oo, *jumps.shape.numbers.kinks, sp.oo)
    gaps = jumps.gaps
    found = []
    for p, low, high in zip(loss.pieces, kinks, kinks[1:], strict=False):
        for before, after in zip((None, *gaps), (*gaps, None), strict=True):
            if p.forbidden or (before and before.centre >= high) or (after and after.centre <= low):
                continue
            lower, upper = p.lower, p.upper
            if before:
                lower = before.right if before.centre >= low else sp.Max(lower, before.right, evaluate=False)
            if after:
                upper = after.left if after.centre <= high else sp.Min(upper, after.left, evaluate=False)
            if sp.oo not in (-lower, upper):
                upper = sp.Max(lower, upper, evaluate=False)
            found.append((p, lower, upper))
    return found


def _linear_part(contents: tuple[sp.Basic, ...], nodes: list[sp.Expr], gap: Gap) -> tuple[sp.Basic, ...] | None:
    """What is integrated over a jump, height by height: the coefficient of the slope; infinite where the slope stands squared."""
    slopes = [n for n in nodes if isinstance(n, ProxSlope)]
    s = sp.Dummy("s", real=True)
    body = substitute(contents[0], dict.fromkeys(slopes, s))
    rate = body.diff(s)
    if rate == 0:
        return None
    second = rate.diff(s)
    if second != 0:
        rate = sp.Piecewise((sp.sign(second) * sp.oo, sp.Gt(gap.right - gap.left, 0, evaluate=False)), (sp.S.Zero, True), evaluate=False)
    return rate, *contents[1:]


def _explicit_ends(line: tuple[sp.Expr, sp.Expr], chi: sp.Expr, low: sp.Expr, high: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    offset, slope = line
    return Steady((low - chi * offset) / (1 + chi * slope)), Steady((high - chi * offset) / (1 + chi * slope))


def _safe_ends(
    context: Context, loss: Loss, chi: sp.Expr, low: sp.Expr, high: sp.Expr, jumps: Jumps | None
) -> tuple[sp.Expr, sp.Expr]:
    """Points below prox(low) and above prox(high), near enough for adaptive panels.

    prox(h) lies between h and h - chi l'(h) if the loss is convex; else l' stands for its extreme values on that side.  That
    bracket can be astronomically wide (exponential loss), so points at a logarithmic distance are tried as well, and taken where
    they are still on the safe side.  Whatever is too wide carries no mass, so the ends' derivatives do not matter.
    """
    sides = _slope_signs(loss, context)
    hold = context.loops.hold
    ends = []
    for side, h in ((1, low), (-1, high)):
        h = hold(h)
        reach = hold(chi * loss.slope_at(h))
        if jumps:
            extreme = jumps.slopes[0 if side == 1 else 1]
            farthest = (sp.Max if side == 1 else sp.Min)(reach, chi * extreme, 0, evaluate=False)
            outer, beyond = hold(h - farthest), (jumps.gaps[0].left if side == 1 else jumps.gaps[-1].right)
        else:
            outer, beyond = h - side * sp.Max(side * reach, 0) if side in sides else h, None
        best = [outer]
        for factor in TIGHTER:
            # the proximal point lies inside the window if the slope there has the sign -side, outside it if it has the sign side
            for way in sides:
                candidate = hold(h - way * factor * sp.log(1 + sp.Max(way * reach, 0)))
                excess = hold(side * (candidate + chi * loss.slope_at(candidate) - h))
                good = sp.Le(excess, 0, evaluate=False)
                if beyond is not None:
                    good = sp.And(good, sp.Ge(side * (beyond - candidate), 0, evaluate=False), evaluate=False)
                best.append(sp.Piecewise((candidate, good), (outer, True), evaluate=False))
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
        RewriteError: the loss is not piecewise quadratic, so the proximal point is not explicit; or its slope has jumps in it.
    """
    loss = context.once((node.loss, node.u), lambda: read_loss(node.loss, node.u, context.facts))
    if not loss.explicit or (isinstance(node, ProxSlope) and not loss.convex):
        raise RewriteError(
            f"the proximal point of {node.loss} stands where it cannot be integrated over "
            "(two different ones in one average, or none of its variables is a Gaussian field); "
            "only piecewise quadratic losses are possible there, and slopes only of convex ones"
        )
    chi, h = node.chi, node.h
    jumps = None if loss.convex else context.once((node.loss, node.u, chi, Jumps), lambda: read_jumps(loss, chi, context))
    hold = context.loops.hold

    def result(point: sp.Expr, slope: sp.Expr, value: sp.Expr) -> sp.Expr:
        if isinstance(node, Prox):
            return point
        return slope if isinstance(node, ProxSlope) else (point - h) ** 2 / (2 * chi) + value

    branches: list[tuple[sp.Expr, sp.Basic]] = []
    runs = _runs(loss, jumps)
    for i, kink in enumerate((None, *loss.kinks)):
        if kink is not None:
            before, after = jumps.rests[i - 1] if jumps else (kink.before, kink.after)
            if sp.oo in (-before, after) or not context.facts.vanishes(after - before):
                here = sp.true if after == sp.oo else h < hold(kink.place + chi * after)
                if jumps and sp.oo not in (-before, after):
                    here = sp.And(here, sp.Lt(before, after, evaluate=False), evaluate=False)
                branches.append((result(kink.place, sp.S.Zero, kink.value), here))
        for p, lower, upper in (r for r in runs if r[0] is loss.pieces[i]):
            offset, rate = p.line  # type: ignore[misc]
            point = (h - chi * offset) / (1 + chi * rate)
            end = sp.true if upper == sp.oo else h < hold(upper + chi * (offset + rate * upper))
            if jumps and sp.oo not in (-lower, upper):
                end = sp.And(end, sp.Lt(lower, upper, evaluate=False), evaluate=False)
            branches.append((result(point, 1 / (1 + chi * rate), p.value.xreplace({loss.u: point})), end))
    return sp.Piecewise(*branches, evaluate=False)
