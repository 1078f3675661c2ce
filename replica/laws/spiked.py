"""A spike in a symmetric noise matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.disorder import Disorder, Moments, symmetric
from replica.ingredients import Value, Words, parameter


@dataclass(frozen=True)
class Spiked(Disorder):
    """Y = sqrt(snr/N) x x^T + symmetric noise of unit variance.

    Args:
        of: the latents that are spikes.
        snr: signal-to-noise ratio.
    """

    of: Words = parameter(meaning="latent that is the spike")
    snr: Value = parameter(1, "[0, inf)", "signal-to-noise ratio")

    def moments(self, d: sp.Symbol) -> Moments:
        """Of sqrt(snr/d) Y, with the square that completes the log-likelihood."""
        strength = self.expr(self.snr) / d
        return Moments(strength, strength, strength / 2)

    def planted(self) -> tuple[str, ...]:
        return tuple(self.of)

    def couplings(self, rng: np.random.Generator, d: int, truth: Mapping[str, np.ndarray]) -> np.ndarray:
        """sqrt(snr/N) Y off the diagonal: with `squares` the energy is minus the log-likelihood of the spike."""
        strength = np.sqrt(self.number(self.snr) / d)
        noise = symmetric(rng.standard_normal(d * (d - 1) // 2), d, 2)
        signal = strength * sum(np.outer(truth[name], truth[name]) for name in self.of)
        np.fill_diagonal(signal, 0.0)
        return strength * (signal + noise)

    def squares(self, d: int) -> float:
        return self.number(self.snr) / (2 * d)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(("spike",), snr=2),)
