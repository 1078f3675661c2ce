"""Low-rank factorization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Network, Value, parameter


@dataclass(frozen=True)
class LowRankFactors(Network):
    """A matrix u v^T of given rank.

    Args:
        rank: number of factors.
    """

    rank: Value = parameter(1, "integers [1, inf)", "number of factors")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(rank=3)
