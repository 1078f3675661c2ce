"""Replicated stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, Word, parameter


@dataclass(frozen=True)
class ReplicatedSGD(Algorithm):
    """SGD on several copies that attract each other, of a perceptron or a committee of units with weights of signs.

    Source: Baldassi, Borgs, Chayes, Ingrosso, Lucibello, Saglietti & Zecchina, PNAS 113 (2016) E7655.

    Args:
        y: number of copies; 1 for plain descent.
        rule: which units a wrong sample teaches: "least_action", the fewest that turn its vote, those nearest to it; "gradient", all that
            vote wrong.
        rate: step size of the hidden states, > 0.
        coupling: attraction of the copies after each batch, in the same units.
        gamma: how sharp their center is at first; growth: what gamma grows by after each pass over the samples.
        batch: samples between two moves of the weights.
        steps: most passes over the samples in an attempt.
        restarts: further attempts of a run that failed.
    """

    y: Value = parameter(7, "integers [1, inf)", "number of copies")
    rule: Word = parameter("least_action", meaning="which units a wrong sample teaches", words=("least_action", "gradient"))
    rate: Value = parameter(1, "(0, inf)", "step size of the hidden states")
    coupling: Value = parameter(0.4, "[0, inf)", "attraction of the copies after each batch, in the same units")
    gamma: Value = parameter(0.05, "[0, inf)", "how sharp the center is at first")
    growth: Value = parameter(0.003, "[0, inf)", "what gamma grows by after each pass")
    batch: Value = parameter(20, "integers [1, inf)", "samples between two moves of the weights")
    steps: Value = parameter(2000, "integers [1, inf)", "most passes over the samples in an attempt")
    restarts: Value = parameter(0, "integers [0, inf)", "further attempts of a run that failed")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
