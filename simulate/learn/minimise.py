"""Minimisers of a convex energy: L-BFGS and Newton for smooth terms, the method of multipliers for kinked ones.

All stop on the optimality residual, relative to the two parts of the gradient that cancel; none on a count of steps.
"""

from __future__ import annotations

from collections import deque

import torch

from simulate.learn.energy import Energy

GOAL = 1e-9  # what the minimisers aim at; `erm.TOLERANCE` is what is accepted


def lbfgs(energy: Energy, w: torch.Tensor, steps: int, memory: int = 12) -> tuple[torch.Tensor, torch.Tensor, int]:
    """(w, residual, steps taken) after at most `steps` iterations, all instances in step; finished ones stand still."""
    z = energy.fields(w)
    g, residual = energy.slope(w, z)
    pairs: deque[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = deque(maxlen=memory)
    best = residual.clone()
    stalled = taken = 0
    while taken < steps:
        if bool((residual <= GOAL).all()) or stalled > 8:
            break
        p = _two_loops(-g, pairs)
        t, zp = energy.along(w, z, p)
        t = torch.where(residual <= GOAL, torch.zeros_like(t), t)[:, None]
        w, z, before = w + t * p, z + t * zp, g
        g, residual = energy.slope(w, z)
        s, change = t * p, g - before
        product = (s * change).sum(1)
        pairs.append((s, change, torch.where(product > 0, 1 / product, torch.zeros_like(product))))
        taken += 1
        stalled = 0 if bool((residual < 0.9 * best).any()) else stalled + 1
        best = torch.minimum(best, residual)
    return w, residual, taken


def _two_loops(direction: torch.Tensor, pairs: deque[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    kept = []
    for s, change, rho in reversed(pairs):
        a = rho * (s * direction).sum(1)
        direction = direction - a[:, None] * change
        kept.append(a)
    if pairs:
        s, change, rho = pairs[-1]
        size = (change**2).sum(1) * rho
        direction = direction * torch.where(size > 0, 1 / size, torch.ones_like(size))[:, None]
    for (s, change, rho), a in zip(pairs, reversed(kept), strict=True):
        direction = direction + (a - rho * (change * direction).sum(1))[:, None] * s
    return direction


def newton(energy: Energy, w: torch.Tensor, goal: float = GOAL, steps: int = 60) -> tuple[torch.Tensor, torch.Tensor, int]:
    """(w, residual, steps taken) by Newton's method with a line search; semismooth where curvatures jump."""
    z = energy.fields(w)
    g, residual = energy.slope(w, z)
    best = residual
    stalled = taken = 0
    while taken < steps:
        if bool((residual <= goal).all()) or stalled > 12 or not bool(residual.isfinite().all()):
            break
        p = energy.newton(w, z, g, residual)
        p = torch.where(residual[:, None] <= goal, torch.zeros_like(p), p)
        t, zp = energy.along(w, z, p)
        w, z = w + t[:, None] * p, z + t[:, None] * zp
        g, residual = energy.slope(w, z)
        taken += 1
        stalled = 0 if bool((residual < 0.5 * best).any()) else stalled + 1
        best = torch.minimum(best, residual)
    return w, residual, taken


def multipliers(energy: Energy, w: torch.Tensor, goal: float = 1e-9, rounds: int = 40) -> tuple[torch.Tensor, torch.Tensor, int]:
    """(w, residual, Newton steps taken) for kinked terms.

    The residual is the larger of the slope's and the relative distance of fields or weights from their proximal points.
    """
    stiffness, steps = 1.0, 0
    residual = torch.full((len(w),), torch.inf, dtype=w.dtype, device=w.device)
    for _ in range(rounds):
        inner = max(goal / 10, min(1e-2, 0.03 * float(residual.max())))  # no finer than the multipliers deserve yet
        w, slope, more = newton(energy, w, goal=inner)
        steps += more
        z = energy.fields(w)
        away = torch.maximum(_relative(energy.loss.violation(z), z), _relative(energy.penalty.violation(w), w))
        residual = torch.maximum(slope, away)
        if bool((residual <= goal).all()) or not bool(residual.isfinite().all()):
            break
        stiffness = min(2 * stiffness, 1e4)
        energy.advance(w, z, stiffness)
    return w, residual, steps


def _relative(away: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm(away, dim=1) / (1e-300 + torch.linalg.vector_norm(of, dim=1))
