"""Focusing belief propagation on the perceptron with binary weights."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.edges import Edges
from simulate.iteration import State
from simulate.learn.estimate import Estimate, Outcome

CLOSEST = 1 - 1e-6
"""Overlap of the replicas beyond which it grows no more."""


class FocusingBP(Edges):
    """Every weight feels y - 1 replicas of itself through a common centre; overlap and y grow from sweep to sweep.

    The overlap rho gives the strength, tanh(gamma) = sqrt(rho), and the number of replicas, y = (2 - rho)/(1 - rho).
    """

    def step(self, state: State, rng: np.random.Generator) -> None:
        super().step(state, rng)
        state["strength"] = min(state["strength"] + self.options["rate"], CLOSEST)

    def pull(self, state: State) -> np.ndarray:
        rho = state["strength"]
        most = 1 - 1e-15
        to_center = np.arctanh(np.clip(np.sqrt(rho) * np.tanh(state["h"]), -most, most))
        return np.arctanh(np.clip(np.sqrt(rho) * np.tanh(to_center / (1 - rho)), -most, most))

    def outcome(self, state: State) -> Outcome:
        return Outcome({self.only_learner: Estimate(self.weights(state), extras={"energy": 0.0})})
