"""A loss as a list of smooth pieces, with what meets at its kinks, and whether it is convex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from numerics.rewrite.facts import POINTS, Facts
from numerics.rewrite.kinks import segments
from numerics.rewrite.sample import evaluate
from numerics.rewrite.walk import coefficients

GRID = np.concatenate([-np.logspace(2, -3, 26), [0.0], np.logspace(-3, 2, 26)])  # where convexity is tested, around zero and each kink


@dataclass(frozen=True)
class Smooth:
    """The loss and its first two derivatives in `u` on [lower, upper], ends possibly infinite.

    `line` holds (b, a) where the slope is b + a u, so that the proximal point is explicit.
    """

    lower: sp.Expr
    upper: sp.Expr
    value: sp.Expr
    slope: sp.Expr
    curvature: sp.Expr
    line: tuple[sp.Expr, sp.Expr] | None

    @property
    def forbidden(self) -> bool:
        """Is the loss infinite here?"""
        return self.value == sp.oo


@dataclass(frozen=True)
class Kink:
    """Where two pieces meet: the lower of their two values, and the slopes from the left and from the right (infinite at a wall)."""

    place: sp.Expr
    value: sp.Expr
    before: sp.Expr
    after: sp.Expr


@dataclass(frozen=True)
class Loss:
    """Pieces in increasing order, the kinks between them, and whether the whole is convex."""

    u: sp.Symbol
    pieces: tuple[Smooth, ...]
    kinks: tuple[Kink, ...]
    convex: bool

    @property
    def explicit(self) -> bool:
        """Piecewise quadratic?"""
        return all(p.line or p.forbidden for p in self.pieces)

    def slope_at(self, point: sp.Expr) -> sp.Expr:
        """Slope at a number or expression, the right branch chosen at run time."""
        branches = [(p.slope.xreplace({self.u: point}), point < p.upper) for p in self.pieces[:-1]]
        last = self.pieces[-1].slope.xreplace({self.u: point})
        return sp.Piecewise(*branches, (last, True)) if branches else last


def read_loss(loss: sp.Expr, u: sp.Symbol, facts: Facts) -> Loss:
    """Cut a loss into smooth pieces; convexity is tested at numbers: controls at their defaults and random points of their domains."""
    pieces = []
    for s in segments((loss,), u, facts):
        value = s.contents[0]
        slope = value.diff(u)
        line = None if value == sp.oo else coefficients(slope, u, 1)
        pieces.append(Smooth(s.lower, s.upper, value, slope, slope.diff(u), ((*line, sp.S.Zero)[:2]) if line else None))
    kinks, steps = [], False
    for left, right in zip(pieces, pieces[1:], strict=False):
        at = {u: left.upper}
        values = [p.value.xreplace(at) for p in (left, right)]
        before = -sp.oo if left.forbidden else left.slope.xreplace(at)
        after = sp.oo if right.forbidden else right.slope.xreplace(at)
        lower = int(left.forbidden)
        if sp.oo not in values and not facts.vanishes(values[1] - values[0]):
            steps = True
            lower = int(float(np.ravel(evaluate(values[1] - values[0], facts.draw((values[1] - values[0]).free_symbols)))[0]) < 0)
        kinks.append(Kink(left.upper, values[lower], before, after))
    walls = [i for i, p in enumerate(pieces) if p.forbidden]
    outside = all(i in (0, len(pieces) - 1) for i in walls)
    found = Loss(u, tuple(pieces), tuple(kinks), False)
    at_draws = {s: v[:, None] for s, v in facts.draw(loss.free_symbols - {u}).items()}
    return Loss(u, found.pieces, found.kinks, outside and not steps and _bends_up(found, at_draws, facts))


def _bends_up(found: Loss, at: dict, facts: Facts) -> bool:
    for p in found.pieces:
        if p.forbidden or p.curvature == 0 or (p.line and facts.sign(p.line[1]) in (0, 1)):
            continue
        low, high = (np.broadcast_to(evaluate(e, at), (POINTS, 1)) for e in (p.lower, p.upper))
        centre = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
        where = np.clip(centre + GRID, low, high)
        values = evaluate(p.curvature, at | {found.u: where})
        if not (np.where(np.isfinite(values), values, 0.0) >= -1e-10).all():
            return False
    for kink in found.kinks:
        if sp.oo in (-kink.before, kink.after) or facts.sign(kink.after - kink.before) in (0, 1):
            continue
        before, after = (evaluate(e, at) for e in (kink.before, kink.after))
        if not (after - before >= -1e-10 * (1 + np.abs(before))).all():
            return False
    return True
