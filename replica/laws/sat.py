"""Random satisfiability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replica.clauses import Clauses
from replica.ingredients import Value, parameter


@dataclass(frozen=True)
class SAT(Clauses):
    """Clauses of k different weights, drawn with equal odds, as are the signs they ask for; alpha is clauses per weight.

    Args:
        k: literals in a clause.
    """

    k: Value = parameter(3, "integers [1, inf)", "literals in a clause")

    def formula(self, rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
        k = int(self.number(self.k))
        if k > d:
            raise ValueError(f"law 'sat': a clause has k = {k} different weights, and there are {d}")
        chosen = np.empty((n, k), np.int64)
        for place, last in enumerate(range(d - k, d)):  # Floyd's rule: every set of k has the same odds, and no draw is thrown away
            drawn = rng.integers(0, last + 1, n)
            chosen[:, place] = np.where((chosen[:, :place] == drawn[:, None]).any(axis=1), last, drawn)
        return (rng.choice([-1, 1], (n, k)) * (chosen + 1)).ravel(), k * np.arange(n + 1)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(), cls(k=5))
