"""Generalised approximate message passing."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class GAMP(Algorithm):
    """Message passing on symmetric replicas, with the scalar functions of the theory.

    Args:
        damping: part of the old messages that stays; more with every restart.
        tolerance: relative change of the undamped estimate at which it stops.
        steps: most steps of an attempt.
        restarts: further attempts of a run that failed.
    """

    damping: Value = parameter(0, "[0, 1)", "part of the old messages that stays")
    tolerance: Value = parameter(1e-6, "(0, 1)", "relative change at which it stops")
    steps: Value = parameter(400, "integers [1, inf)", "most steps of an attempt")
    restarts: Value = parameter(4, "integers [0, inf)", "further attempts of a run that failed, with more damping")
