"""What is known of one run besides its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulate.iteration.status import Status


@dataclass(frozen=True)
class Record:
    """One run.

    Args:
        status: how it ended.
        steps: of the last attempt; total: of all attempts; attempts: how often it was started.
        seconds: wall time of all attempts.
        history: `step` and each observable of the last attempt, arrays of one length.
    """

    status: Status
    steps: int
    attempts: int
    seconds: float
    history: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    total: int = 0

    def marks(self) -> dict[str, float]:
        """Observables on the way under the names NAME@STEP: after steps 1, 2, 3, 5, 8, ... and the last."""
        found: dict[str, float] = {}
        kept = _watched(self.steps)
        for row, step in enumerate(self.history["step"]):
            if int(step) in kept:
                found |= {f"{name}@{int(step)}": float(values[row]) for name, values in self.history.items() if name != "step"}
        return found


def _watched(steps: int) -> set[int]:
    found, a, b = {steps}, 1, 2
    while a <= steps:
        found.add(a)
        a, b = b, a + b
    return found
