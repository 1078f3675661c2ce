"""Reinforced max-sum on the perceptron with weights and inputs of signs."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulate.algorithms.parts.edges import Growing
from simulate.algorithms.parts.signs import refuse_levels, sign_constraints
from simulate.instance import Unsupported
from simulate.iteration import State


@njit(cache=True, nogil=True)
def _sweep(patterns, order, needed, extra, h, u):
    """All messages once, in place: what a sample loses by one vote less, which is the cost of the cheapest vote it could buy."""
    d = patterns.shape[1]
    largest = 0.0
    for row in order:
        a, old = patterns[row], u[row]
        gains = a * (h + extra - old)
        ranked = np.sort(gains)[::-1]
        last, spare = ranked[needed - 1], ranked[needed]
        for i in range(d):
            price = spare if gains[i] >= last else last
            move = a[i] * max(0.0, -price) - old[i]
            old[i] += move
            h[i] += move
            largest = max(largest, abs(move))
    return largest


class MaxSum(Growing):
    """A majority of the products of weights and inputs must be positive, so messages need only ranks."""

    strongest = 1.0

    def prepare(self) -> None:
        self.constraints = self.votes = sign_constraints(self.instance)
        refuse_levels(self.votes.levels, "max_sum")
        if not (np.abs(self.instance.arrays["x"]) == 1).all() or self.votes.margin != 0:
            raise Unsupported('max_sum counts votes: inputs -1 and 1 (data.law = "iid") and margin 0 are needed')

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        state = super().init(rng, attempt)
        state["ties"] = 1e-6 * rng.standard_normal(len(state["h"]))  # fields of integers tie for ever
        return state

    def messages(self, state: State, order: np.ndarray) -> float:
        return _sweep(self.votes.patterns, order, (len(state["h"]) + 1) // 2, state["extra"], state["h"], state["u"])

    def pull(self, state: State) -> np.ndarray:
        return state["ties"] + state["strength"] * (state["h"] + state["extra"])
