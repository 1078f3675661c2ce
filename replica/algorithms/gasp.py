"""Generalised approximate survey propagation."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class GASP(Algorithm):
    """Message passing on one step of RSB at a fixed Parisi parameter; of a Bayes-optimal spec, on the least squares of its channel.

    Args:
        x: Parisi parameter where the ansatz of the spec has none; at zero temperature in units of the temperature.
        strength: of the ridge on weights, for a spec whose learner has no loss.
        damping: part of the old messages that stays; more with every restart.
        tolerance: relative change of the undamped estimate at which it stops.
        steps: most steps of an attempt.
        restarts: further attempts of a run that failed.
    """

    x: Value = parameter(5, "(0, inf)", "Parisi parameter where the spec's ansatz has none")
    strength: Value = parameter(0.1, "(0, inf)", "ridge on weights where the spec's learner has no loss")
    damping: Value = parameter(0.5, "[0, 1)", "part of the old messages that stays")
    tolerance: Value = parameter(1e-6, "(0, 1)", "relative change at which it stops")
    steps: Value = parameter(1000, "integers [1, inf)", "most steps of an attempt")
    restarts: Value = parameter(4, "integers [0, inf)", "further attempts of a run that failed, with more damping")
