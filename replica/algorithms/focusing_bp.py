"""Focusing belief propagation."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class FocusingBP(Algorithm):
    """Belief propagation coupled to its own replicas, ever more of them and ever closer.

    Source: Baldassi, Borgs, Chayes, Ingrosso, Lucibello, Saglietti & Zecchina, PNAS 113 (2016) E7655.

    Args:
        rate: growth per sweep of the overlap between replicas, from 0 to 1.
        damping: part of the old messages that stays.
        steps: most sweeps of an attempt.
        restarts: further attempts of a run that failed.
    """

    rate: Value = parameter(0.01, "(0, 1]", "growth per sweep of the overlap between replicas")
    damping: Value = parameter(0.5, "[0, 1)", "part of the old messages that stays")
    steps: Value = parameter(400, "integers [1, inf)", "most sweeps of an attempt")
    restarts: Value = parameter(2, "integers [0, inf)", "further attempts of a run that failed")
