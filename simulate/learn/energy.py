"""The energy of a batch of instances side by side: fields, slopes and Newton directions as matrix products."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch

Term = Any  # Smooth or Multiplied of simulate.learn.scalars
Parts = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

LIFT = 0.01  # of the mean diagonal of the Hessian, times the relative residual


@dataclass
class Energy:
    """sum_mu loss(z_mu) + sum_i penalty(w_i), z linear in w, for B systems.

    Args:
        loss, penalty: terms giving (value, slope, curvature) of fields (B, n) and weights (B, d).
        kinked: whether a term has kinks, far from which it has no curvature.
    """

    loss: Term
    penalty: Term
    kinked: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        self._last: list[Any] = [None, None]
        self._last_penalty: list[Any] = [None, None]

    def at_fields(self, z: torch.Tensor) -> Parts:
        """The loss at fields z; asked three times in a row for the same tensor, evaluated once."""
        if self._last[0] is not z:
            self._last = [z, self.loss(z)]
        return self._last[1]

    def at_weights(self, w: torch.Tensor) -> Parts:
        """The penalty at weights w, likewise."""
        if self._last_penalty[0] is not w:
            self._last_penalty = [w, self.penalty(w)]
        return self._last_penalty[1]

    def advance(self, w: torch.Tensor, z: torch.Tensor, stiffness: float) -> None:
        """Update the multipliers of kinked terms."""
        self.loss.advance(z, stiffness)
        self.penalty.advance(w, stiffness)
        self._last, self._last_penalty = [None, None], [None, None]

    def fields(self, w: torch.Tensor) -> torch.Tensor:
        """(B, n) fields of weights (B, d)."""
        raise NotImplementedError

    def pull(self, g: torch.Tensor) -> torch.Tensor:
        """(B, d) transpose of `fields` applied to slopes (B, n)."""
        raise NotImplementedError

    def newton(self, w: torch.Tensor, z: torch.Tensor, g: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        """Newton directions (B, d): minus the inverse Hessian on g."""
        raise NotImplementedError

    def lifts(self, residual: torch.Tensor) -> torch.Tensor:
        """(B,) how much of its mean is added to the diagonal of a Hessian: in proportion to the residual where far from the optimum a
        kinked penalty leaves directions without any curvature."""
        return (LIFT * residual if self.kinked else 0.0 * residual) + 1e-13

    def slope(self, w: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradient (B, d) and its size relative to its two parts (B,)."""
        pulled, own = self.pull(self.at_fields(z)[1]), self.at_weights(w)[1]
        g = pulled + own
        parts = torch.linalg.vector_norm(pulled, dim=1) + torch.linalg.vector_norm(own, dim=1)
        return g, torch.linalg.vector_norm(g, dim=1) / (1e-300 + parts)

    def along(self, w: torch.Tensor, z: torch.Tensor, p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(step, fields of p): the minimum on the line w + t p to a tenth of the slope at 0; no matrix product per trial.

        The slope along the line is monotone, so each trial moves one end of a bracket; Newton's step is taken when inside.
        """
        zp = self.fields(p)
        first = ((self.at_fields(z)[1] * zp).sum(1) + (self.at_weights(w)[1] * p).sum(1)).abs()
        t = torch.ones(len(w), dtype=w.dtype, device=w.device)
        low, high = torch.zeros_like(t), torch.full_like(t, math.inf)
        for _ in range(60):
            _, ls, lc = self.loss(z + t[:, None] * zp)
            _, ps, pc = self.penalty(w + t[:, None] * p)
            slope = (ls * zp).sum(1) + (ps * p).sum(1)
            curvature = (lc * zp**2).sum(1) + (pc * p**2).sum(1)
            done = slope.abs() <= 0.1 * first
            if bool(done.all()):
                break
            below = slope <= 0  # an overflow compares as False and counts as too far
            low, high = torch.where(below, t, low), torch.where(below, high, t)
            newton = t - slope / curvature
            fallback = torch.where(high.isinf(), 4 * t, (low + high) / 2)
            trial = torch.where((newton > low) & (newton < high) & (newton < 10 * t), newton, fallback)
            t = torch.where(done, t, trial)
        return t, zp


@dataclass
class Batch(Energy):
    """One weight vector for each of B instances: z = inputs w / sqrt(d).

    Args:
        inputs: (B, n, d), not divided by sqrt(d).
    """

    inputs: torch.Tensor

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scale = 1 / math.sqrt(self.inputs.shape[2])

    def fields(self, w: torch.Tensor) -> torch.Tensor:
        if self.inputs.is_cuda:
            return self.scale * torch.bmm(self.inputs, w[:, :, None])[:, :, 0]
        return self.scale * torch.stack([x @ v for x, v in zip(self.inputs, w, strict=True)])  # one matrix at a time stays in cache

    def pull(self, g: torch.Tensor) -> torch.Tensor:
        if self.inputs.is_cuda:
            return self.scale * torch.bmm(g[:, None, :], self.inputs)[:, 0, :]
        return self.scale * torch.stack([v @ x for x, v in zip(self.inputs, g, strict=True)])

    def newton(self, w: torch.Tensor, z: torch.Tensor, g: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        samples, weights = self.at_fields(z)[2], self.at_weights(w)[2]
        parts = zip(self.inputs, samples, weights, g, self.lifts(residual), strict=True)
        return torch.stack([direction(x, self.scale, *rest) for x, *rest in parts])


def direction(
    x: torch.Tensor, scale: float, samples: torch.Tensor, weights: torch.Tensor, g: torch.Tensor, lift: torch.Tensor
) -> torch.Tensor:
    """Newton direction (d,) through n x n or d x d, whichever is smaller; only samples of non-zero curvature enter, which for a
    kinked loss are the few on a kink."""
    active = samples > 0
    if not bool(active.all()):
        x, samples = x[active], samples[active]
    x = x * scale
    weights = weights + lift * (weights.mean() + samples.sum() / len(weights))
    if len(samples) < len(weights) and bool((weights > 1e-10 * weights.max()).all()):
        right = g / weights
        inner = (x / weights) @ x.T
        inner.diagonal().add_(1 / samples)
        factor = torch.linalg.cholesky_ex(inner).L
        return -(right - (x.T @ torch.cholesky_solve((x @ right)[:, None], factor))[:, 0] / weights)
    hessian = x.T @ (samples[:, None] * x)
    hessian.diagonal().add_(weights)
    return solve(hessian, g)


def solve(hessian: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """Minus the inverse of a positive matrix on g; nan where it is not positive."""
    factor, failed = torch.linalg.cholesky_ex(hessian)
    if bool(failed):
        return torch.full_like(g, math.nan)
    return -torch.cholesky_solve(g[:, None], factor)[:, 0]
