"""Replicated stochastic gradient descent on perceptrons and committees with weights of signs."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.units import attract, learn, units_of
from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.features import Layers, activation_of

SPREAD = 0.1
"""Standard deviation of the hidden states at the start, in units of the rate."""


class ReplicatedSGD(Algorithm):
    """Each copy has real hidden states whose signs are its weights.  Wrong samples of a batch move hidden states along their inputs, and
    between batches all copies are drawn to tanh(gamma y W), W their mean weight.  A step is a pass over the samples.
    """

    def prepare(self) -> None:
        self.problem = units_of(self.instance)

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        shape = int(self.options["y"]), self.problem.units, self.instance.size
        hidden = SPREAD * self.options["rate"] * rng.standard_normal(shape)
        return self._look({"hidden": hidden, "weights": np.where(hidden >= 0, 1.0, -1.0), "gamma": self.options["gamma"]})

    def step(self, state: State, rng: np.random.Generator) -> None:
        hidden, weights, problem = state["hidden"], state["weights"], self.problem
        copies, mean, rate = len(hidden), weights.mean(axis=0).ravel(), self.options["rate"]
        flat = hidden.reshape(copies, -1), weights.reshape(copies, -1)
        every = self.options["rule"] == "gradient"
        n, size = len(problem.patterns), int(self.options["batch"])
        order = [rng.permutation(n) for _ in range(copies)]
        pull = self.options["coupling"] if copies > 1 else 0.0
        for first in range(0, n, size):
            for r in range(copies):
                learn(problem.patterns, order[r][first : first + size], problem.edge, problem.needed, every, rate, weights[r], hidden[r])
            attract(pull, state["gamma"] * copies, mean, flat[1], flat[0])
        state["gamma"] += self.options["growth"]
        self._look(state)

    def _look(self, state: State) -> State:
        weights = state["weights"]
        state["violated"] = np.array([self.problem.violated(one) for one in weights])
        state["violated_by_center"] = self.problem.violated(self._center(state))
        return state

    def _center(self, state: State) -> np.ndarray:
        return np.where(state["weights"].sum(axis=0) >= 0, 1.0, -1.0)

    def stop(self, state: State) -> Status | None:
        return Status.SOLVED if 0 in (state["violated"].min(), state["violated_by_center"]) else None

    def observe(self, state: State) -> dict[str, float]:
        weights = state["weights"].reshape(len(state["weights"]), -1)
        seen = {"violated": float(state["violated"].min()), "violated_by_center": float(state["violated_by_center"])}
        if len(weights) == 1:
            return seen
        products = weights @ weights.T / weights.shape[1]
        return {**seen, "gamma": state["gamma"], "overlap": float(products[np.triu_indices(len(products), 1)].mean())}

    def outcome(self, state: State) -> Outcome:
        best = int(np.argmin(state["violated"]))
        weights = state["weights"][best] if state["violated"][best] == 0 else self._center(state)
        energy = self.problem.violated(weights) / self.instance.size
        (learner,) = self.instance.spec.learners.values()
        if learner.network is None or learner.network.kind == "linear":
            return Outcome({self.only_learner: Estimate(weights[0], extras={"energy": energy})})
        votes = np.full(len(weights), np.sqrt(len(weights)))  # z is the sum over units
        layers = Layers((weights,), activation_of(learner.network, self.instance))
        return Outcome({self.only_learner: Estimate(votes, extras={"energy": energy}, layers=layers)})
