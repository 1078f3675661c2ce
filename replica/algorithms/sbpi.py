"""Stochastic belief-propagation-inspired learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class SBPI(Algorithm):
    """Local rule for weights of few levels, each behind a hidden state that remembers how sure it is.

    Source: Baldassi, Braunstein, Brunel & Zecchina, PNAS 104 (2007) 11079.

    Args:
        levels: levels of a weight; 0 for as many as the learner's prior has, and any other number must be that.
        states: hidden states on either side of zero; 0 for the square root of d.
        threshold: a sample that is right by less than this, in units of the sum w.x, still teaches those who are right.
        chance: the odds of that.
        steps: most passes over the samples in an attempt.
        restarts: further attempts of a run that failed.
    """

    levels: Value = parameter(0, "integers [0, inf)", "levels of a weight; 0 for as many as the prior has")
    states: Value = parameter(0, "integers [0, inf)", "hidden states on either side of zero; 0 for the square root of d")
    threshold: Value = parameter(2, "[0, inf)", "margin of the sum w.x below which a right answer still teaches")
    chance: Value = parameter(0.35, "[0, 1]", "odds of learning from a right answer")
    steps: Value = parameter(2000, "integers [1, inf)", "most passes over the samples in an attempt")
    restarts: Value = parameter(0, "integers [0, inf)", "further attempts of a run that failed")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
