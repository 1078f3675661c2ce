"""Multi-pass stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Flag, Protocol, Value, parameter


@dataclass(frozen=True)
class SGD(Protocol):
    """Steps on batches of a fixed set of samples.

    Args:
        rate: step size, > 0.
        steps: number of steps.
        batch: samples in a step.
        replace: whether batches are drawn with replacement; without, every pass has an order of its own.
        clip: largest norm of the gradient of a step, a longer one is shortened to it; absent, none is.
    """

    rate: Value = parameter(domain="(0, inf)", meaning="step size")
    steps: Value = parameter(domain="integers [1, inf)", meaning="number of steps")
    batch: Value = parameter(1, "integers [1, inf)", "samples in a step")
    replace: Flag = parameter(True, meaning="whether batches are drawn with replacement")
    clip: Value | None = parameter(None, "(0, inf)", "largest norm of a step's gradient")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(rate=0.01, steps=1000),)
