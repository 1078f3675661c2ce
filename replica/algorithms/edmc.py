"""Entropy-driven Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class EDMC(Algorithm):
    """Monte Carlo at zero temperature on the local entropy around a reference, as belief propagation counts it.

    Source: Baldassi, Ingrosso, Lucibello, Saglietti & Zecchina, J. Stat. Mech. (2016) P023301.

    Args:
        gamma: first strength of the field along the reference.
        growth: what it grows by where no move helps.
        last: strength beyond which an attempt is given up.
        share: of the weights that their constraints oppose, how many are flipped at once; 0 for one by one.
        refusals: of moves of a single weight, in a row, after which gamma grows.
        damping: part of the old messages that stays.
        tolerance: largest move of a message at which messages rest.
        sweeps: most of them, for messages to rest.
        steps: most moves of an attempt.
        restarts: further attempts of a run that failed.
    """

    gamma: Value = parameter(0.5, "[0, inf)", "first strength of the field along the reference")
    growth: Value = parameter(0.1, "(0, inf)", "what it grows by where no move helps")
    last: Value = parameter(2.5, "(0, inf)", "strength beyond which an attempt is given up")
    share: Value = parameter(0.5, "[0, 1]", "of the weights that their constraints oppose, how many are flipped at once; 0 for one by one")
    refusals: Value = parameter(5, "integers [1, inf)", "refused moves of a single weight after which gamma grows")
    damping: Value = parameter(0, "[0, 1)", "part of the old messages that stays")
    tolerance: Value = parameter(1e-3, "(0, 1)", "largest move of a message at which messages rest")
    sweeps: Value = parameter(50, "integers [1, inf)", "most sweeps for messages to rest")
    steps: Value = parameter(2000, "integers [1, inf)", "most moves of an attempt")
    restarts: Value = parameter(0, "integers [0, inf)", "further attempts of a run that failed")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
