"""Replicated stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class ReplicatedSGD(Algorithm):
    """SGD on several copies that attract each other.

    Args:
        y: number of copies.
        rate: step size, > 0.
        coupling: attraction of the copies, >= 0.
    """

    y: Value = parameter(3, "integers [1, inf)", "number of copies")
    rate: Value = parameter(0.1, "(0, inf)", "step size")
    coupling: Value = parameter(0.05, "[0, inf)", "attraction of the copies")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
