"""Uniform prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Prior, Value, parameter


@dataclass(frozen=True)
class Uniform(Prior):
    """p(w) = 1/(high - low) between the ends.

    Args:
        low: lower end.
        high: upper end, above `low`.
    """

    low: Value = parameter(-1, meaning="lower end")
    high: Value = parameter(1, meaning="upper end")

    def __post_init__(self) -> None:
        super().__post_init__()
        width = None if isinstance(self.low, str) or isinstance(self.high, str) else self.expr(self.high) - self.expr(self.low)
        if width is not None and width.is_number and not 0 < float(width) < float("inf"):
            raise ValueError(f"Uniform: low must lie below high and both be finite, got low={self.low}, high={self.high}.")

    def density(self, w: sp.Expr) -> sp.Expr:
        return 1 / (self.expr(self.high) - self.expr(self.low))

    def support(self) -> tuple[sp.Expr, sp.Expr]:
        return self.expr(self.low), self.expr(self.high)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.uniform(self.number(self.low), self.number(self.high), shape)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(low=0, high=2.5)
