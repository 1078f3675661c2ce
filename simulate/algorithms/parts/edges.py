"""Algorithms by belief propagation on all edges between constraints and weights of signs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from simulate.algorithms.parts.problems import problem_of
from simulate.algorithms.parts.signs import found
from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Outcome


class Edges(Algorithm):
    """Messages on edges; a subclass says which fields join those of the samples, and when the run ends well."""

    def prepare(self) -> None:
        self.constraints = problem_of(self.instance)

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        problem = self.constraints
        u = 0.1 * rng.standard_normal(problem.edges)
        u /= np.sqrt(max(u.size / problem.size, 1))  # fields of a tenth, however many constraints a weight has
        extra = np.zeros(problem.size)
        return {"u": u, "h": problem.gathered(u), "extra": extra, "residual": np.inf, "violated": problem.count, "strength": 0.0}

    def pull(self, state: State) -> np.ndarray:
        """(d,) fields that are added to those of the samples."""
        return np.zeros(len(state["h"]))

    def step(self, state: State, rng: np.random.Generator) -> None:
        state["extra"] = self.pull(state)
        state["residual"] = float(self.messages(state, rng.permutation(self.constraints.count)))
        state["violated"] = self.constraints.violated(self.weights(state))

    def messages(self, state: State, order: np.ndarray) -> float:
        """All messages once, in place; returns the largest move."""
        return self.constraints.sweep(order, state["extra"], state["h"], state["u"], self.options["damping"])

    def weights(self, state: State) -> np.ndarray:
        """The likelier sign of every weight."""
        return np.where(state["h"] + state["extra"] >= 0, 1.0, -1.0)

    def marginals(self, state: State) -> np.ndarray:
        return np.tanh(state["h"] + state["extra"])

    def stop(self, state: State) -> Status | None:
        if not np.isfinite(state["h"]).all():
            return Status.DIVERGED
        return None

    def observe(self, state: State) -> dict[str, float]:
        q = float(np.mean(self.marginals(state) ** 2))
        return {"violated": state["violated"], "q": q, "strength": state["strength"], "residual": state["residual"]}


class Growing(Edges):
    """A search: the pull grows by `rate` a sweep until the likelier signs meet every sample."""

    strongest: ClassVar[float] = 1 - 1e-6

    def step(self, state: State, rng: np.random.Generator) -> None:
        super().step(state, rng)
        state["strength"] = min(state["strength"] + self.options["rate"], self.strongest)

    def stop(self, state: State) -> Status | None:
        return super().stop(state) or (Status.SOLVED if state["violated"] == 0 else None)

    def outcome(self, state: State) -> Outcome:
        return found(self, self.constraints, self.weights(state))

