"""Stochastic belief-propagation-inspired learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class SBPI(Algorithm):
    """Local rule for weights of few levels.

    Args:
        levels: levels of a weight.
    """

    levels: Value = parameter(2, "integers [2, inf)", "levels of a weight")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
