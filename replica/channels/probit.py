"""Probit channel: the sign of the field with Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Channel, Value, parameter
from replica.labels import SIGNS, Labels
from replica.nodes import LogH


@dataclass(frozen=True)
class Probit(Channel):
    """y = sign(z + sqrt(variance) xi).

    Args:
        variance: variance of the noise inside the sign, > 0.
    """

    variance: Value = parameter(1, "(0, inf)", "variance of the noise inside the sign; write 'sign' for none")

    def labels(self) -> Labels:
        return SIGNS

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return sp.exp(LogH(-y * z / sp.sqrt(self.expr(self.variance))))

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        noisy = z + np.sqrt(self.number(self.variance)) * rng.standard_normal(np.shape(z))
        return np.where(noisy >= 0, 1.0, -1.0)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(variance=0.1)
