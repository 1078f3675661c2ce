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
        start: overlap with the signal at the start, in units of the signal's length.
        damping: part of its old value that a state keeps in every step.
    """

    steps: Value = parameter(100, domain="integers [1, inf)", meaning="number of steps")
    start: Value = parameter(0.001, "[-1, 1]", "overlap with the signal at the start, in units of its length")
    damping: Value = parameter(0, "[0, 1)", "part of its old value that a state keeps in every step")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(steps=10, start=0.1)
