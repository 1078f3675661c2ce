"""Approximate message passing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, parameter


@dataclass(frozen=True)
class AMP(Protocol):
    """The state of message passing after every iteration; without a loss it is Bayes AMP.

    Args:
        steps: number of steps.
        start: overlap with the signal at the start.
    """

    steps: Value = parameter(100, domain="integers [1, inf)", meaning="number of steps")
    start: Value = parameter(0.001, "[-1, 1]", "overlap with the signal at the start")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(steps=10, start=0.1)
