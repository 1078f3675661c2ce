"""Reinforced belief propagation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class ReinforcedBP(Algorithm):
    """Belief propagation whose messages are slowly fixed.

    Args:
        rate: speed of the reinforcement, in (0, 1].
    """

    rate: Value = parameter(0.001, "(0, 1]", "speed of the reinforcement")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
