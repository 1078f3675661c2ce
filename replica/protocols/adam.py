"""Adam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, parameter


@dataclass(frozen=True)
class Adam(Protocol):
    """Adam on batches; simulated only.

    Args:
        rate: step size, > 0.
        steps: number of steps.
        batch: samples in a step.
    """

    simulated_only = True
    rate: Value = parameter(domain="(0, inf)", meaning="step size")
    steps: Value = parameter(domain="integers [1, inf)", meaning="number of steps")
    batch: Value = parameter(1, "integers [1, inf)", "samples in a step")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(rate=1e-3, steps=1000),)
