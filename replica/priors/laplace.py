"""Laplace prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Prior, Value, parameter


@dataclass(frozen=True)
class Laplace(Prior):
    """p(w) = exp(-|w|/scale) / (2 scale).

    Args:
        scale: mean of |w|, > 0, so that E w^2 = 2 scale^2.
    """

    scale: Value = parameter(1, "(0, inf)", "mean of |w|; the variance is 2*scale**2")

    def density(self, w: sp.Expr) -> sp.Expr:
        scale = self.expr(self.scale)
        return sp.exp(-sp.Abs(w) / scale) / (2 * scale)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.laplace(0, self.number(self.scale), shape)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(scale=0.3)
