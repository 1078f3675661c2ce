"""Ornstein-Uhlenbeck corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replica.ingredients import Corruption, Value, parameter


@dataclass(frozen=True)
class OU(Corruption):
    """exp(-t) x + sqrt(1 - exp(-2 t)) noise.

    Args:
        time: time of the process, >= 0.
    """

    time: Value = parameter(domain="[0, inf)", meaning="time of the process")

    def apply(self, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        kept = np.exp(-self.number(self.time))
        return kept * x + np.sqrt(1 - kept**2) * rng.standard_normal(x.shape)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(time=1),)
