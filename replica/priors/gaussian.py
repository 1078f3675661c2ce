"""Gaussian prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import sympy as sp

from replica.ingredients import NotBuilt, Prior, Table, Value, parameter


@dataclass(frozen=True)
class Gaussian(Prior):
    """p(w) = N(w; mean, variance), coordinate by coordinate.

    Args:
        mean: mean of a weight.
        variance: variance of a weight, > 0.
        covariance: correlation along the coordinates, e.g. `{ kind = "exponential", length = 4 }`; declared only.
    """

    mean: Value = parameter(0, meaning="mean of a weight")
    variance: Value = parameter(1, "(0, inf)", "variance of a weight")
    covariance: Annotated[Table, "table"] | None = parameter(None, meaning="correlation along the coordinates")

    def density(self, w: sp.Expr) -> sp.Expr:
        self._independent()
        mean, variance = self.expr(self.mean), self.expr(self.variance)
        return sp.exp(-((w - mean) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        self._independent()
        return rng.normal(self.number(self.mean), np.sqrt(self.number(self.variance)), shape)

    def _independent(self) -> None:
        if self.covariance is not None:
            raise NotBuilt("prior 'gaussian' with a covariance is declared but not built yet")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(mean=-0.5, variance=2.5)
