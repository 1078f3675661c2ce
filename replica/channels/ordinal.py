"""Ordinal channel: grades between thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Channel, Value, Values, parameter
from replica.labels import DiscreteLabels, Labels
from replica.nodes import LogH


@dataclass(frozen=True)
class Ordinal(Channel):
    """y is the number of thresholds below z + sqrt(variance) xi: one of 0, 1, ..., len(thresholds).

    Args:
        thresholds: increasing.
        variance: variance of the noise, > 0.
    """

    thresholds: Values = parameter(meaning="place where the grade changes")
    variance: Value = parameter(1, "(0, inf)", "variance of the noise")

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [t for t in self.thresholds if not isinstance(t, str) and self.expr(t).is_number]
        if not self.thresholds or len(given) == len(self.thresholds) and any(b <= a for a, b in zip(given, given[1:], strict=False)):
            raise ValueError(f"Ordinal: thresholds must be given in increasing order, got {self.thresholds}.")

    def labels(self) -> Labels:
        return DiscreteLabels(tuple(sp.Integer(k) for k in range(len(self.thresholds) + 1)))

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        scale = sp.sqrt(self.expr(self.variance))
        above = [sp.Integer(1), *(sp.exp(LogH((self.expr(t) - z) / scale)) for t in self.thresholds), sp.Integer(0)]
        odds = [low - high for low, high in zip(above, above[1:], strict=False)]
        odds[0] = sp.exp(LogH((z - self.expr(self.thresholds[0])) / scale))
        return sp.Piecewise(*((p, sp.Eq(y, k)) for k, p in enumerate(odds[:-1])), (odds[-1], True))

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        noisy = z + np.sqrt(self.number(self.variance)) * rng.standard_normal(np.shape(z))
        return np.searchsorted([self.number(t) for t in self.thresholds], noisy).astype(float)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls((-1.5, -0.5, 0.5, 1.5)), cls((0,), variance=0.2)
