"""A loss that is not convex, reduced to numbers: parameters may shift and scale it, l(u) = c0 + c1 u + c2 u^2/2 + A L((u - a)/s)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sympy as sp

from numerics.reads import free
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.facts import POINTS, Facts
from numerics.rewrite.hull import Function, Numbers
from numerics.rewrite.losses import Loss
from numerics.rewrite.sample import Array, along, evaluate
from numerics.rewrite.walk import coefficients, parts

_PROBES = [sp.Rational(k, 7) for k in (-60, -23, -11, -5, -2, -1, 1, 2, 5, 11, 23, 60)]  # where curvatures are compared, in units of s
_CLOSE = 1e-9


@dataclass(frozen=True)
class Shape:
    """L in numbers, and expressions of the parameters: origin a, length s, size A, common curvature c2."""

    numbers: Numbers
    origin: sp.Expr
    length: sp.Expr
    size: sp.Expr
    common: sp.Expr

    def strength(self, chi: sp.Expr) -> sp.Expr:
        """X for which (u - h)^2/(2 chi) + l(u) has its minima where w^2/2 - H w + X L(w) has them."""
        return chi * self.size / self.length**2 / (1 + chi * self.common)

    def place(self, w: float) -> sp.Expr:
        """The u of a number w."""
        return self.origin + self.length * sp.Float(w, 17) if w else self.origin


def read_shape(loss: Loss, facts: Facts) -> Shape:
    """
    Raises:
        RewriteError: parameters change the shape of the loss.
    """
    if len(loss.pieces) == 1 and loss.explicit:
        raise RewriteError(f"the loss {loss.pieces[0].value} falls faster than a parabola rises: no proximal point where chi is large")
    symbols = set().union(*(free(p.value) | free(p.lower) | free(p.upper) for p in loss.pieces)) - {loss.u}
    at = facts.draw(symbols)
    common = _common_curvature(loss, facts)
    for origin, length in _candidates(loss):
        found = _fits(loss, origin, length, common, at)
        if found is not None:
            return Shape(_numbers(loss, origin, length, common, at, found[1]), origin, length, found[0], common)
    raise RewriteError(
        f"the loss {loss.pieces[0].value if len(loss.pieces) == 1 else ', '.join(str(p.value) for p in loss.pieces)} is not convex, and "
        f"{', '.join(sorted(str(s) for s in symbols))} change its shape; parameters of such a loss may only shift and scale it"
    )


def _common_curvature(loss: Loss, facts: Facts) -> sp.Expr:
    """The curvature of a piecewise quadratic loss, where all its pieces have the same."""
    rates = [p.line[1] for p in loss.pieces if p.line]
    same = loss.explicit and not any(p.forbidden for p in loss.pieces) and all(facts.vanishes(r - rates[0]) for r in rates)
    return rates[0] if same else sp.S.Zero


def _candidates(loss: Loss) -> Iterator[tuple[sp.Expr, sp.Expr]]:
    """Origins and lengths that the loss itself names: kinks, bottoms of its parabolas, zeros and slopes of what its functions read."""
    points: dict[sp.Expr, None] = {k.place: None for k in loss.kinks}
    lengths: dict[sp.Expr, None] = {}
    for p in loss.pieces:
        if p.line and p.line[1] != 0:
            points[-p.line[0] / p.line[1]] = None
        for part, _ in parts(p.value):
            found = coefficients(part, loss.u, 2) if isinstance(part, sp.Expr) and not p.line else None
            if found is not None and len(found) == 2:
                points[-found[0] / found[1]] = lengths[1 / sp.Abs(found[1])] = None
            elif found is not None and len(found) == 3:
                c0, c1, c2 = found
                points[-c1 / (2 * c2)] = None
                lengths[sp.sqrt(sp.Abs(c0 / c2 - (c1 / c2) ** 2 / 4))] = lengths[1 / sp.sqrt(sp.Abs(c2))] = None
    places = list(points)
    apart = [sp.Abs(a - b) for i, a in enumerate(places) for b in places[:i]]
    for length in dict.fromkeys([sp.S.One, *apart] if loss.explicit else [*apart, *lengths, sp.S.One]):
        for origin in dict.fromkeys([*places, sp.S.Zero]):
            if length != 0:
                yield origin, length


def _entries(loss: Loss, origin: sp.Expr, length: sp.Expr, common: sp.Expr) -> Iterator[tuple[sp.Expr, sp.Expr, sp.Expr, sp.Expr]]:
    """(what is proportional to A, a place, the range in which it must lie) for curvatures, and for jumps of slopes and values."""
    for p in loss.pieces:
        if p.forbidden:
            continue
        for w in _PROBES if loss.u in free(p.curvature) else [sp.S.Zero]:
            u = origin + length * w
            inside = (p.lower, p.upper) if loss.u in free(p.curvature) else (-sp.oo, sp.oo)
            yield length**2 * (p.curvature - common).xreplace({loss.u: u}), u, *inside
    for left, kink, right in zip(loss.pieces, loss.kinks, loss.pieces[1:], strict=False):
        if not (left.forbidden or right.forbidden):
            at = {loss.u: kink.place}
            yield length * (kink.after - kink.before), kink.place, -sp.oo, sp.oo
            yield (right.value - left.value).xreplace(at), kink.place, -sp.oo, sp.oo


def _row(e: sp.Expr, at: dict[sp.Basic, Array]) -> Array:
    return np.broadcast_to(evaluate(e, at), (POINTS,)).astype(float)


def _fits(loss: Loss, origin: sp.Expr, length: sp.Expr, common: sp.Expr, at: dict[sp.Basic, Array]) -> tuple[sp.Expr, float] | None:
    """(A, the size of L that goes with it) if the loss keeps its shape at all sample points."""
    scale = _row(length, at)
    if not (np.isfinite(scale) & (scale > 0)).all():
        return None
    for kink in loss.kinks:
        w = _row((kink.place - origin) / length, at)
        if not np.abs(w - w[0]).max() <= _CLOSE * (1 + np.abs(w[0])):
            return None
    rows, entries = [], []
    for entry, place, lower, upper in _entries(loss, origin, length, common):
        values, u = _row(entry, at), _row(place, at)
        if np.isfinite(values).all() and (u >= _row(lower, at)).all() and (u <= _row(upper, at)).all():
            rows.append(values)
            entries.append(entry)
    table = np.array(rows)
    if not rows or not table[:, 0].any():
        return None
    k = int(np.abs(table[:, 0]).argmax())
    ratio = table[k] / table[k, 0]
    if not ((ratio > 0).all() and (np.abs(table - np.outer(table[:, 0], ratio)) <= _CLOSE * ratio * np.abs(table[k, 0])).all()):
        return None
    return (entries[k] / sp.Float(table[k, 0], 17) if free(entries[k]) else sp.S.One), float(np.abs(table[k, 0]))


def _numbers(loss: Loss, origin: sp.Expr, length: sp.Expr, common: sp.Expr, at: dict[sp.Basic, Array], size: float) -> Numbers:
    """L itself: the loss at the first sample point."""
    first: dict[sp.Basic, Array] = {s: values[:1] for s, values in at.items()}
    a, s, c = (float(_row(e, at)[0]) for e in (origin, length, common))

    def function(e: sp.Expr, order: int) -> Function:
        at_u = along(e, loss.u, first)

        def value(w: Array) -> Array:
            w = np.asarray(w, float)
            found = at_u(a + s * w.ravel())
            parabola = c * s**2 * (w.ravel() ** 2 / 2 if order == 0 else w.ravel() if order == 1 else 1.0)
            return np.broadcast_to(s**order * found - parabola, w.ravel().shape).reshape(w.shape)

        return value

    def forbidden(w: Array) -> Array:
        return np.full(np.shape(w), np.inf)

    pieces = tuple(
        (forbidden, lambda w: np.full(np.shape(w), np.nan), forbidden)
        if p.forbidden
        else (function(p.value, 0), function(p.slope, 1), function(p.curvature, 2))
        for p in loss.pieces
    )
    kinks = tuple(float((_row(k.place, at)[0] - a) / s) for k in loss.kinks)
    values = tuple(float(_row(k.value, at)[0] - c * s**2 * w**2 / 2) for k, w in zip(loss.kinks, kinks, strict=True))
    return Numbers(pieces, kinks, values, 1.0, 1 / size)
