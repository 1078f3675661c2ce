"""Nearest neighbors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, Word, parameter


@dataclass(frozen=True)
class Neighbours(Protocol):
    """Averages over the k most similar; simulated only.

    Args:
        k: number of neighbors.
        similarity: "pearson" or "cosine".
    """

    simulated_only = True
    energy = False
    k: Value = parameter(1, "integers [1, inf)", "number of neighbors")
    similarity: Word = parameter("pearson", meaning="measure of similarity", words=("pearson", "cosine"))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(k=60)
