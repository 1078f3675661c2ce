"""Simulated annealing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class Annealing(Algorithm):
    """Metropolis updates at a falling temperature.

    Args:
        sweeps: updates of every weight.
    """

    sweeps: Value = parameter(1000, "integers [1, inf)", "updates of every weight")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(sweeps=100),)
