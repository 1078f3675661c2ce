"""Simulated annealing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class Annealing(Algorithm):
    """Metropolis updates at a falling temperature.

    Where weights of few values must meet all of their constraints, it is a search by steps that ends when they do; else it gives low
    states, or the measure at the temperature of the learner.

    Args:
        sweeps: updates of every weight.
        hot, cold: first and last temperature, in units of one violated constraint; of the spread of local fields for weights that
            couple to each other; of the mean loss of random weights for other samples.  The usual ones of the system, if left out.
        restarts: further starts; of a search, those that follow a failure and take twice the sweeps each; the usual ones, if left out.
    """

    sweeps: Value = parameter(1000, "integers [1, inf)", "updates of every weight")
    hot: Value | None = parameter(None, "(0, inf)", "first temperature, in units of what a typical move costs")
    cold: Value | None = parameter(None, "[0, inf)", "last temperature")
    restarts: Value | None = parameter(None, "integers [0, inf)", "further starts, of a search each with twice the sweeps")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(sweeps=100),)
