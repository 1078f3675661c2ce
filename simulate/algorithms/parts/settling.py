"""Belief propagation that is let come to rest, as searches on the local entropy ask for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.algorithms.parts.problems import Problem
from simulate.iteration import State


@dataclass(frozen=True)
class Settling:
    """See `simulate.algorithms.parts.entropic.Messages`; on any problem.

    Args:
        damping: part of the old messages that stays.
        tolerance: largest move of a message in a sweep at which they rest; sweeps: most of them.
    """

    problem: Problem
    damping: float
    tolerance: float
    sweeps: int

    @property
    def moving(self) -> tuple[str, ...]:
        return "u", "h"

    @property
    def size(self) -> int:
        return self.problem.size

    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"u": np.zeros(self.problem.edges), "h": np.zeros(self.problem.size)}

    def settle(self, state: State, extra: np.ndarray, rng: np.random.Generator) -> tuple[float, bool]:
        u, h = state["u"], state["h"]
        order = rng.permutation(self.problem.count)
        move = np.inf
        for _ in range(self.sweeps):
            move = self.problem.sweep(order, extra, h, u, self.damping)
            if not move > self.tolerance:
                break
        return self.problem.bethe(h + extra, u)[0], bool(move <= self.tolerance)

    def fields(self, state: State) -> np.ndarray:
        return state["h"]

    def violated(self, weights: np.ndarray) -> int:
        return self.problem.violated(weights)
