"""Random sampling: labels asked for at random."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.querying import Querying
from simulate.iteration import State

SELECTS = True  # it takes the whole pool


class RandomSampling(Querying):
    """All samples are worth the same."""

    def certainty(self, state: State, rows: np.ndarray) -> np.ndarray:
        return np.zeros(len(rows))
