"""Inputs with independent entries of one law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replica.ingredients import Law, Prior, parameter
from replica.priors.binary import Binary
from replica.priors.uniform import Uniform


@dataclass(frozen=True)
class IID(Law):
    """Every entry of x is drawn from `entries`; theories use its first two moments, which should be 0 and 1.

    Args:
        entries: law of one entry.
    """

    entries: Prior = parameter(Binary(), meaning="law of one entry")

    def sample(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        return self.entries.sample(rng, (n, d))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(Uniform("-sqrt(3)", "sqrt(3)").bind({}))
