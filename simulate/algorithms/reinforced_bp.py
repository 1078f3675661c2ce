"""Reinforced belief propagation on the perceptron with binary weights."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.edges import Edges
from simulate.iteration import State
from simulate.learn.estimate import Estimate, Outcome

STRONGEST = 1 - 1e-6
"""Reinforcement beyond which it grows no more."""


class ReinforcedBP(Edges):
    """Every weight feels y - 1 replicas of itself, y = 1/(1 - strength), and the strength grows from sweep to sweep."""

    def step(self, state: State, rng: np.random.Generator) -> None:
        super().step(state, rng)
        state["strength"] = min(state["strength"] + self.options["rate"], STRONGEST)

    def pull(self, state: State) -> np.ndarray:
        return np.clip(state["strength"] / (1 - state["strength"]) * state["h"], -1e3, 1e3)

    def outcome(self, state: State) -> Outcome:
        return Outcome({self.only_learner: Estimate(self.weights(state), extras={"energy": 0.0})})
