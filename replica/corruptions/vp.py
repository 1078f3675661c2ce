"""Variance-preserving corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replica.ingredients import Corruption, Value, parameter


@dataclass(frozen=True)
class VP(Corruption):
    """sqrt(abar) x + sqrt(1 - abar) noise.

    Args:
        abar: weight of the clean input, in [0, 1].
    """

    abar: Value = parameter(domain="[0, 1]", meaning="weight of the clean input")

    def apply(self, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        abar = self.number(self.abar)
        return np.sqrt(abar) * x + np.sqrt(1 - abar) * rng.standard_normal(x.shape)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(abar=0.5),)
