"""Stochastic belief-propagation-inspired learning on the perceptron with weights of few levels."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulate.algorithms.parts.signs import found, sign_constraints
from simulate.instance import Unsupported
from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Outcome


@njit(cache=True, nogil=True)
def _level(state, bound, levels):
    place = int((state + bound) / (2 * bound) * len(levels))
    return levels[min(max(place, 0), len(levels) - 1)]


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _epoch(patterns, order, luck, hidden, weights, levels, bound, margin, threshold):
    """One pass in place: a sample that is wrong moves all hidden states, one that is barely right those of weights that agree."""
    d, wrong = len(hidden), 0
    middle = 0.5 * (levels[0] + levels[-1])
    for k in range(len(order)):
        a, field = patterns[order[k]], 0.0
        for i in range(d):
            field += a[i] * weights[i]
        field -= margin
        failed = field < 0
        wrong += failed
        if not failed and not (field <= threshold and luck[k]):
            continue
        for i in range(d):
            if failed or a[i] * (weights[i] - middle) > 0:
                hidden[i] = min(max(hidden[i] + 2 * a[i], -bound), bound)
                weights[i] = _level(hidden[i], bound, levels)
    return wrong


class SBPI(Algorithm):
    """Discrete for inputs of signs; for real ones hidden states move by twice the input."""

    def prepare(self) -> None:
        self.constraints = sign_constraints(self.instance)
        asked, there = int(self.options["levels"]), len(self.constraints.levels)
        if asked not in (0, there):
            raise Unsupported(f"sbpi: levels = {asked}, and the prior has {there}")
        states = int(self.options["states"]) or round(np.sqrt(self.instance.size))
        self.bound = float(2 * states - 1)

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        d = self.instance.size
        hidden = 2.0 * rng.integers(0, 2, d) - 1.0 if len(self.constraints.levels) == 2 else rng.uniform(-self.bound, self.bound, d)
        weights = np.array([_level(state, self.bound, self.constraints.levels) for state in hidden])
        return {"hidden": hidden, "weights": weights, "violated": self.constraints.violated(weights)}

    def step(self, state: State, rng: np.random.Generator) -> None:
        problem, n = self.constraints, len(self.constraints.patterns)
        order, luck = rng.permutation(n), rng.random(n) < self.options["chance"]
        _epoch(
            problem.patterns, order, luck, state["hidden"], state["weights"], problem.levels, self.bound, problem.margin,
            self.options["threshold"],
        )
        state["violated"] = problem.violated(state["weights"])

    def stop(self, state: State) -> Status | None:
        return Status.SOLVED if state["violated"] == 0 else None

    def observe(self, state: State) -> dict[str, float]:
        return {"violated": state["violated"], "hidden_length": float(np.mean(np.abs(state["hidden"]))) / self.bound}

    def outcome(self, state: State) -> Outcome:
        return found(self, self.constraints, state["weights"])
