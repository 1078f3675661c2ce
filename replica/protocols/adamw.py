"""Adam with decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, parameter


@dataclass(frozen=True)
class AdamW(Protocol):
    """Adam with a weight decay that is not a penalty; simulated only.

    Args:
        rate: step size, > 0.
        steps: number of steps.
        batch: samples in a step.
        decay: decoupled weight decay, >= 0.
    """

    kind = "adamw"
    simulated_only = True
    rate: Value = parameter(domain="(0, inf)", meaning="step size")
    steps: Value = parameter(domain="integers [1, inf)", meaning="number of steps")
    batch: Value = parameter(1, "integers [1, inf)", "samples in a step")
    decay: Value = parameter(0, "[0, inf)", "decoupled weight decay")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(rate=1e-3, steps=1000),)
