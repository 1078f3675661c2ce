"""Federated averaging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, Word, parameter


@dataclass(frozen=True)
class Federated(Protocol):
    """Every group trains a local copy; the copies are averaged after each round.

    Args:
        rate: step size, > 0.
        rounds: number of averages.
        local_steps: steps between averages.
        average: "all" layers, or those on the "server".
    """

    rate: Value = parameter(domain="(0, inf)", meaning="step size")
    rounds: Value = parameter(domain="integers [1, inf)", meaning="number of averages")
    local_steps: Value = parameter(1, "integers [1, inf)", "steps between averages")
    average: Word = parameter("all", meaning="what is averaged", words=("all", "server"))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(rate=0.1, rounds=100),)
