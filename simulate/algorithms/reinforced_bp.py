"""Reinforced belief propagation on constraints over weights of signs."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.edges import Growing
from simulate.iteration import State

LARGEST = 1e3
"""Field of a pull, beyond which a weight is as certain as it can be."""


class ReinforcedBP(Growing):
    """Every weight feels y - 1 replicas of itself, y = 1/(1 - strength), and the strength grows from sweep to sweep."""

    def pull(self, state: State) -> np.ndarray:
        return np.clip(state["strength"] / (1 - state["strength"]) * state["h"], -LARGEST, LARGEST)
