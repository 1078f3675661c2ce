"""Ornstein-Uhlenbeck corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Corruption, Value, parameter


@dataclass(frozen=True)
class OU(Corruption):
    """exp(-t) x + sqrt(1 - exp(-2 t)) noise.

    Args:
        time: time of the process, >= 0.
    """

    built = False
    time: Value = parameter(domain="[0, inf)", meaning="time of the process")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(time=1),)
