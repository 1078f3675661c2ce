"""Belief propagation on constraints over weights of signs: marginals and the Bethe entropy."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.edges import Edges
from simulate.iteration import State, Status
from simulate.learn.estimate import Estimate, Outcome


class BP(Edges):
    """The measure of a Gibbs or Bayes learner (Mezard & Montanari, Information, Physics, and Computation, 2009, chapter 14)."""

    def stop(self, state: State) -> Status | None:
        return super().stop(state) or (Status.CONVERGED if state["residual"] <= self.options["tolerance"] else None)

    def outcome(self, state: State) -> Outcome:
        problem, mean = self.constraints, self.marginals(state)
        log_sum, energy = (total / problem.size for total in problem.bethe(state["h"], state["u"]))
        found = {"entropy": log_sum - np.log(problem.leak) * energy if problem.leak > 0 else log_sum, "energy": energy}
        (learner,) = self.instance.spec.learners.values()
        if learner.protocol.kind != "gibbs":
            found = {}
        return Outcome({self.only_learner: Estimate(mean, float(np.mean(1 - mean**2)), residual=state["residual"], extras=found)})
