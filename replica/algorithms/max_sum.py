"""Reinforced max-sum."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class MaxSum(Algorithm):
    """Belief propagation at zero temperature for weights and inputs of signs, with reinforcement.

    Source: Baldassi & Braunstein, J. Stat. Mech. (2015) P08008.

    Args:
        rate: growth per sweep of the reinforcement.
        steps: most sweeps of an attempt.
        restarts: further attempts of a run that failed.
    """

    rate: Value = parameter(0.01, "(0, 1]", "speed of the reinforcement")
    steps: Value = parameter(1000, "integers [1, inf)", "most sweeps of an attempt")
    restarts: Value = parameter(1, "integers [0, inf)", "further attempts of a run that failed")
