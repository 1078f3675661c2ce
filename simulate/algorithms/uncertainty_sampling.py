"""Uncertainty sampling: the label is asked for whose odds are most even."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.querying import Querying
from simulate.iteration import State

SELECTS = True  # it takes the whole pool


class UncertaintySampling(Querying):
    """By the entropy of a label as message passing sees it; of two labels without noise, by the mean field over its spread."""

    def certainty(self, state: State, rows: np.ndarray) -> np.ndarray:
        logs = self.log_odds(state, rows)
        return np.sum(np.exp(logs) * np.where(np.isfinite(logs), logs, 0.0), axis=0)
