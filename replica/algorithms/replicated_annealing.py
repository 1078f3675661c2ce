"""Replicated simulated annealing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class ReplicatedAnnealing(Algorithm):
    """Annealing of several copies that attract each other.

    Args:
        y: number of copies.
    """

    y: Value = parameter(3, "integers [1, inf)", "number of copies")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
