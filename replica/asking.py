"""What all ways of asking for labels have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class Asking(Algorithm):
    """Labels are asked for in batches; message passing learns from those that are known.

    Args:
        batch: labels asked for at once.
        damping: part of the old messages that stays.
        tolerance: relative change at which messages rest.
        iterations: most iterations of messages after a batch, in each of a few attempts.
    """

    batch: Value = parameter(10, "integers [1, inf)", "labels asked for at once")
    damping: Value = parameter(0, "[0, 1)", "part of the old messages that stays")
    tolerance: Value = parameter(1e-5, "(0, 1)", "relative change at which messages rest")
    iterations: Value = parameter(400, "integers [1, inf)", "most iterations of messages after a batch, in each of a few attempts")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
