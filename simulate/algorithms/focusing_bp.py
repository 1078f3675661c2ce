"""Focusing belief propagation on constraints over weights of signs."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.edges import Growing
from simulate.iteration import State

CERTAIN = 1 - 1e-15
"""Magnetization beyond which a field is no number."""


class FocusingBP(Growing):
    """Every weight feels y - 1 replicas of itself through a common centre; overlap and y grow from sweep to sweep.

    The strength is the overlap rho of the replicas: it gives the coupling, tanh(gamma) = sqrt(rho), and their number,
    y = (2 - rho)/(1 - rho).
    """

    def pull(self, state: State) -> np.ndarray:
        rho = state["strength"]
        to_center = _through(rho, state["h"])
        return _through(rho, to_center / (1 - rho))


def _through(rho: float, field: np.ndarray) -> np.ndarray:
    """What a field becomes beyond a coupling."""
    return np.arctanh(np.clip(np.sqrt(rho) * np.tanh(field), -CERTAIN, CERTAIN))
