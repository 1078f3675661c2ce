"""Langevin dynamics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Algorithm, Value, parameter


@dataclass(frozen=True)
class Langevin(Algorithm):
    """Gradient steps with thermal noise.

    Args:
        steps: number of steps.
    """

    steps: Value = parameter(10000, domain="integers [1, inf)", meaning="number of steps")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(steps=100),)
