"""Poisson channel: counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Channel, Value, parameter
from replica.labels import CountLabels, Labels


@dataclass(frozen=True)
class Poisson(Channel):
    """y is a Poisson count of mean rate * exp(z): the logarithmic link of generalized linear models.

    Args:
        rate: mean count at z = 0, > 0.
    """

    rate: Value = parameter(1, "(0, inf)", "mean count at z = 0")

    def labels(self) -> Labels:
        return CountLabels()

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        rate = self.expr(self.rate)
        return sp.exp(y * (z + sp.log(rate)) - rate * sp.exp(z) - sp.loggamma(y + 1))

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return rng.poisson(self.number(self.rate) * np.exp(z)).astype(float)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(rate=3)
