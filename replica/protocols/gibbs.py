"""Gibbs measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, parameter


@dataclass(frozen=True)
class Gibbs(Protocol):
    """Weights have the measure prior * exp(-beta * energy); beta = inf is uniform over the minima.

    Args:
        beta: inverse temperature, > 0, inf allowed.
    """

    beta: Value = parameter(1, "(0, inf]", "inverse temperature")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(beta=float("inf"))
