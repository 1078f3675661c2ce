"""A convex loss as a list of smooth pieces, with the slopes that meet at its kinks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from numerics.rewrite.errors import RewriteError
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


@dataclass(frozen=True)
class Loss:
    """Pieces in increasing order; between neighbours the slope may jump upwards."""

    u: sp.Symbol
    pieces: tuple[Smooth, ...]

    @property
    def explicit(self) -> bool:
        """Piecewise quadratic?"""
        return all(p.line for p in self.pieces)

    def slope_at(self, point: sp.Expr) -> sp.Expr:
        """Slope at a number or expression, the right branch chosen at run time."""
        branches = [(p.slope.xreplace({self.u: point}), point < p.upper) for p in self.pieces[:-1]]
        last = self.pieces[-1].slope.xreplace({self.u: point})
        return sp.Piecewise(*branches, (last, True)) if branches else last

    def jumps(self) -> tuple[tuple[sp.Expr, sp.Expr, sp.Expr, sp.Expr], ...]:
        """Kinks: (place, loss there, slope from the left, slope from the right)."""
        found = []
        for left, right in zip(self.pieces, self.pieces[1:], strict=False):
            at = {self.u: left.upper}
            found.append((left.upper, left.value.xreplace(at), left.slope.xreplace(at), right.slope.xreplace(at)))
        return tuple(found)


def convex_loss(loss: sp.Expr, u: sp.Symbol, facts: Facts) -> Loss:
    """Cut a loss into smooth pieces and test that it is convex.

    Raises:
        RewriteError: not convex (tested at numbers: controls at their defaults and at random points of their domains).
    """
    pieces = []
    for s in segments((loss,), u, facts):
        value = s.contents[0]
        slope = value.diff(u)
        line = coefficients(slope, u, 1)
        pieces.append(Smooth(s.lower, s.upper, value, slope, slope.diff(u), ((*line, sp.S.Zero)[:2]) if line else None))
    found = Loss(u, tuple(pieces))
    _check(found, loss, facts)
    return found


def _check(found: Loss, loss: sp.Expr, facts: Facts) -> None:
    at = {s: v[:, None] for s, v in facts.draw(loss.free_symbols - {found.u}).items()}
    refusal = f"the loss {loss} is not convex in {found.u}: its proximal point may jump; only convex losses are integrated over it"
    for p in found.pieces:
        if p.curvature == 0 or (p.line and facts.sign(p.line[1]) in (0, 1)):
            continue
        low, high = (np.broadcast_to(evaluate(e, at), (POINTS, 1)) for e in (p.lower, p.upper))
        centre = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
        where = np.clip(centre + GRID, low, high)
        values = evaluate(p.curvature, at | {found.u: where})
        if not (np.where(np.isfinite(values), values, 0.0) >= -1e-10).all():
            raise RewriteError(refusal)
    for _, _, before, after in found.jumps():
        if facts.sign(after - before) in (0, 1):
            continue
        before_, after_ = (evaluate(e, at) for e in (before, after))
        if not (after_ - before_ >= -1e-10 * (1 + np.abs(before_))).all():
            raise RewriteError(refusal)
