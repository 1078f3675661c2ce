"""One-pass stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Protocol, Value, parameter


@dataclass(frozen=True)
class OnlineSGD(Protocol):
    """Each sample is seen once; time is alpha = steps/d and the step is rate/sqrt(d).

    Args:
        rate: step size, > 0.
        batch: samples in a step.
        decay: weight decay, >= 0.
        readout_rate: step size of a trained second layer; absent, `rate`; zero, it stays where it starts.
    """

    rate: Value = parameter(domain="(0, inf)", meaning="step size")
    batch: Value = parameter(1, "integers [1, inf)", "samples in a step")
    decay: Value = parameter(0, "[0, inf)", "weight decay")
    readout_rate: Value | None = parameter(None, "[0, inf)", "step size of the second layer")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(rate=0.2),)
