"""Reinforced belief propagation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class ReinforcedBP(Algorithm):
    """Belief propagation whose marginals are slowly fixed.

    Source: Braunstein & Zecchina, Phys. Rev. Lett. 96 (2006) 030201.

    Args:
        rate: growth per sweep of the reinforcement, in (0, 1].
        damping: part of the old messages that stays.
        steps: most sweeps of an attempt.
        restarts: further attempts of a run that failed.
    """

    rate: Value = parameter(0.001, "(0, 1]", "speed of the reinforcement")
    damping: Value = parameter(0.5, "[0, 1)", "part of the old messages that stays")
    steps: Value = parameter(1000, "integers [1, inf)", "most sweeps of an attempt")
    restarts: Value = parameter(1, "integers [0, inf)", "further attempts of a run that failed")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
