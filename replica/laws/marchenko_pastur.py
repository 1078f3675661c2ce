"""Gaussian inputs with the spectrum of a random covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replica.ingredients import Law, Value, parameter
from replica.spectrum import Eigenspace, marchenko_pastur

_POINTS = 8192  # of the angle in which the distribution function is tabulated


@dataclass(frozen=True)
class MarchenkoPastur(Law):
    """Gaussian inputs whose covariance has the spectrum of F F^T/D for a standard normal d x D matrix F, in its eigenbasis.

    The mean eigenvalue is 1; for ratio > 1 the part 1 - 1/ratio of the eigenvalues is 0.

    Args:
        ratio: d over D.
    """

    ratio: Value = parameter(1, "(0, inf)", "input dimension over the number of columns")

    def sample(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        return rng.standard_normal((n, d)) * np.sqrt(self.variances(d))

    def variances(self, d: int) -> np.ndarray:
        """The quantiles in the middles of d equal parts of the spectrum, scaled to the mean 1."""
        ratio = self.number(self.ratio)
        center, half = 1 + ratio, 2 * np.sqrt(ratio)
        angle = np.linspace(0, np.pi, _POINTS + 1)
        middle = (angle[1:] + angle[:-1]) / 2  # eigenvalue = center - half cos(angle); the density is smooth in the angle
        weight = np.sin(middle) ** 2 / np.maximum(center - half * np.cos(middle), 1e-300)
        bulk = min(1.0, 1 / ratio)
        places = (np.arange(d) + 0.5) / d
        levels = np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum()
        inside = np.interp((places - (1 - bulk)) / bulk, levels, angle)
        eigenvalues = np.where(places < 1 - bulk, 0.0, center - half * np.cos(inside))
        return eigenvalues / eigenvalues.mean()

    def spectrum(self) -> tuple[Eigenspace, ...]:
        return marchenko_pastur(self.expr(self.ratio))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(0.5), cls(2)
