"""Weights of signs as coins whose biases are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class StochasticWeights(Algorithm):
    """Gradient steps on the mean of every random sign, while the means are driven to certainty; the found weights are their signs.

    Source: Baldassi, Gerace, Kappen, Lucibello, Saglietti, Tartaglione & Zecchina, Phys. Rev. Lett. 120 (2018) 268103.

    Args:
        rate: step size, in units of the variance of a field.
        momentum: part of the last move that is repeated.
        start: squared mean of a weight at the start.
        end: 1 minus the squared mean at the last step; it falls by an equal factor from step to step.
        steps: most steps of an attempt.
        restarts: further attempts of a run that failed.
    """

    rate: Value = parameter(1, "(0, inf)", "step size, in units of the variance of a field")
    momentum: Value = parameter(0.9, "[0, 1)", "part of the last move that is repeated")
    start: Value = parameter(0.05, "(0, 1)", "squared mean of a weight at the start")
    end: Value = parameter(0.001, "(0, 1)", "1 minus the squared mean of a weight at the last step")
    steps: Value = parameter(2000, "integers [1, inf)", "most steps of an attempt")
    restarts: Value = parameter(0, "integers [0, inf)", "further attempts of a run that failed")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
