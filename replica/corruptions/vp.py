"""Variance-preserving corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Corruption, Value, parameter


@dataclass(frozen=True)
class VP(Corruption):
    """sqrt(abar) x + sqrt(1 - abar) noise.

    Args:
        abar: weight of the clean input, in [0, 1].
    """

    built = False
    abar: Value = parameter(domain="[0, 1]", meaning="weight of the clean input")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(abar=0.5),)
