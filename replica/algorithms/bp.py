"""Belief propagation."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class BP(Algorithm):
    """Belief propagation with a message for every weight and sample: marginals of binary weights, and the Bethe entropy.

    Args:
        damping: part of the old messages that stays.
        tolerance: largest move of a message in a sweep at which it stops.
        steps: most sweeps.
    """

    damping: Value = parameter(0, "[0, 1)", "part of the old messages that stays")
    tolerance: Value = parameter(1e-7, "(0, 1)", "largest move of a message at which it stops")
    steps: Value = parameter(1000, "integers [1, inf)", "most sweeps")
