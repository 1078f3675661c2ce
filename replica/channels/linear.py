"""Linear channel: the field, with Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Channel, Value, parameter


@dataclass(frozen=True)
class Linear(Channel):
    """y = z + sqrt(variance) xi.

    Args:
        variance: variance of the label noise, >= 0.
    """

    variance: Value = parameter(0, "[0, inf)", "variance of the label noise")

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        variance = self.expr(self.variance)
        return None if variance.is_zero else sp.exp(-((y - z) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)

    def map(self, z: sp.Expr, xi: sp.Expr) -> sp.Expr:
        return z + sp.sqrt(self.expr(self.variance)) * xi

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return z + np.sqrt(self.number(self.variance)) * rng.standard_normal(np.shape(z))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(variance=0.25)
