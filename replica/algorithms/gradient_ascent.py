"""Gradient ascent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class GradientAscent(Algorithm):
    """Plain gradient steps.

    Args:
        rate: step size, > 0.
        steps: number of steps.
    """

    rate: Value = parameter(0.01, "(0, inf)", "step size")
    steps: Value = parameter(1000, domain="integers [1, inf)", meaning="number of steps")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
