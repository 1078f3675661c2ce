"""Replicated simulated annealing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class ReplicatedAnnealing(Algorithm):
    """Annealing of several copies that attract each other through a common center.

    Source: Baldassi, Borgs, Chayes, Ingrosso, Lucibello, Saglietti & Zecchina, PNAS 113 (2016) E7655.

    Args:
        y: number of copies.
        sweeps: updates of every weight of every copy.
        hot, cold: first and last temperature, in units of one violated constraint.
        loose, tight: first and last coupling gamma, gamma/2 times the squared distance from the center in the log-weight.
        restarts: further attempts of a run that failed, each with twice the sweeps.
    """

    y: Value = parameter(7, "integers [1, inf)", "number of copies")
    sweeps: Value = parameter(1000, "integers [1, inf)", "updates of every weight of every copy")
    hot: Value = parameter(0.5, "(0, inf)", "first temperature, in units of one violated constraint")
    cold: Value = parameter(0.1, "[0, inf)", "last temperature")
    loose: Value = parameter(0, "[0, inf)", "first coupling to the center")
    tight: Value = parameter(2.5, "[0, inf)", "last coupling to the center")
    restarts: Value = parameter(0, "integers [0, inf)", "further attempts of a run that failed, each with twice the sweeps")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
