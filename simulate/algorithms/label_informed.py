"""Label-informed sampling: the label is asked for that the learner expects least, which only who has seen it can know."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.querying import Querying
from simulate.iteration import State

SELECTS = True  # it takes the whole pool


class LabelInformed(Querying):
    """By the odds of the true label."""

    def certainty(self, state: State, rows: np.ndarray) -> np.ndarray:
        logs = self.log_odds(state, rows)
        return np.choose(np.searchsorted(np.sort(self.atoms), self.y[rows]), logs[np.argsort(self.atoms)])
