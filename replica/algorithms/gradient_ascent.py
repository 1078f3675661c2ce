"""Gradient ascent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class GradientAscent(Algorithm):
    """Gradient steps towards a minimum of the energy, on weights of the declared length and range.

    What it finds is the measure at beta = inf, where it finds the lowest minimum.

    Args:
        rate: step size, > 0.
        momentum: part of the last move that is repeated.
        tolerance: move over step size, per weight, at which it stops.
        steps: most steps.
    """

    rate: Value = parameter(0.01, "(0, inf)", "step size")
    momentum: Value = parameter(0, "[0, 1)", "part of the last move that is repeated")
    tolerance: Value = parameter(1e-4, "(0, inf)", "move over step size, per weight, at which it stops")
    steps: Value = parameter(1000, "integers [1, inf)", "most steps")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
