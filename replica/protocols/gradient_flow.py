"""Gradient flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, parameter


@dataclass(frozen=True)
class GradientFlow(Protocol):
    """Gradient descent with infinitely small steps, stopped at a time.

    Args:
        time: training time, > 0, inf allowed.
    """

    time: Value = parameter(domain="(0, inf]", meaning="training time")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(time=10),)
