"""Standard Gaussian inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replica.ingredients import Law, Value, parameter


@dataclass(frozen=True)
class Gaussian(Law):
    """x ~ N(0, I_d).

    Args:
        dimension: the number of coordinates where it is fixed and finite; absent, d is large.
    """

    dimension: Value | None = parameter(None, "integers [1, inf)", "fixed number of coordinates")

    def sample(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        return rng.standard_normal((n, d))

    def variances(self, d: int) -> np.ndarray:
        return np.ones(d)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(dimension=15)
