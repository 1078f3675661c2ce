"""The scalar functions of a learner at a point, as message passing needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from replica.symbols import control_symbol
from replica.theory import Scores
from simulate.algorithms.scalars import Scalars
from simulate.draw import bound


@dataclass(frozen=True)
class Rules:
    """The scalar functions of one learner at one point.

    Args:
        scores: their expressions.
        values: value of every control.
        pinned: |w|^2/d where the prior imposes it; its multiplier is then found at each step.
    """

    scores: Scores
    values: Mapping[Any, np.ndarray]
    pinned: float | None
    evaluate: Scalars

    def output(self, y: np.ndarray, omega: np.ndarray, V: float) -> tuple[np.ndarray, np.ndarray]:
        """(score, slope in omega) of fields with cavity mean omega (n,) and variance V."""
        s = self.scores
        at = {**self.values, s.y: y, s.omega: omega, s.V: np.full_like(omega, V)}
        return self.evaluate(s.output, at), self.evaluate(s.output_slope, at)

    def weight(self, A: float, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance) of weights with prior exp(-A w^2/2 + B w), B of shape (d,)."""
        if self.pinned is None:
            return self._denoise(A, B)

        def excess(shift: float) -> float:
            mean, variance = self._denoise(A + shift, B)
            return float(np.mean(mean**2) + np.mean(variance) - self.pinned)

        low = -A - 1 / self.pinned + 1e-9  # where the Gaussian stops being normalisable
        high = 1.0
        while excess(high) > 0:
            high *= 4
        return self._denoise(A + brentq(excess, low, high, xtol=1e-12), B)

    def _denoise(self, A: float, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s = self.scores
        at = {**self.values, s.A: np.full_like(B, A), s.B: B}
        return self.evaluate(s.denoiser, at), self.evaluate(s.denoiser_slope, at)


def rules_of(scores: Scores, spec: Any, learner: Any, at: Mapping[str, float]) -> Rules:
    """The scalar functions of a learner at a point."""
    priors = [p for p in (learner.prior, *(latent.prior for latent in spec.latents.values())) if p is not None]
    norm = bound(priors[0], at).pinned_norm() if priors else None
    values = {control_symbol(name): np.array(float(v)) for name, v in at.items()}
    return Rules(scores, values, None if norm is None else float(norm), Scalars())
