"""Trained means of random signs: gradient steps on the odds of right answers, while the means are driven to certainty.

The field of random signs of means m is Gaussian with variance V = E[x^2] (1 - |m|^2/d) around m.x/sqrt(d), so that minus the log of the
odds is the theory's own function of a field's mean and variance, and its slope the score of message passing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from replica.derive import derive
from replica.labels import SIGNS
from replica.symbols import POSITIVE, REAL, Control
from simulate.algorithms.parts.ascent import Ascent
from simulate.algorithms.parts.functions import Functions
from simulate.algorithms.parts.rules import label_domain
from simulate.algorithms.parts.signs import found, refuse_levels, sign_constraints
from simulate.instance import Unsupported
from simulate.iteration import State, Status
from simulate.learn.estimate import Outcome


class StochasticWeights(Ascent):
    """For learners whose weights are signs; the log-odds are derived from their loss, or from the channel that they know."""

    low, high = -1.0, 1.0

    def share(self) -> Any:
        spec, at = self.instance.spec, self.instance.at
        theory = derive(spec.changed(ansatz=None))
        if theory.scores is None:
            raise Unsupported("the theory of this spec has no scalar functions for the odds of right answers")
        s = theory.scores
        fields = (Control(s.y, 1.0, label_domain(SIGNS)), Control(s.omega, 0.3, REAL), Control(s.V, 1.0, POSITIVE))
        values = {c.name: at[c.name] for c in theory.controls}
        return Functions({"log": s.output_log, "slope": s.output}, (*theory.controls, *fields)), values

    def prepare(self) -> None:
        self.constraints = sign_constraints(self.instance)
        refuse_levels(self.constraints.levels, "stochastic_weights")
        super().prepare()
        self.functions, self.values = self.common

    def slope(self, w: np.ndarray, norm: float | None) -> tuple[float, np.ndarray]:
        """At the length `norm` the variance of fields does not move, so that the gradient is that of their means."""
        assert norm is not None
        fields = self.matrix.fields(w)
        odds = self.functions({**self.values, "y": self.y, "omega": fields, "V": self.matrix.power * (1 - norm)})
        return -float(odds["log"].sum()), -self.matrix.pulls(odds["slope"])

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        return {**self.begun(rng, self.options["start"]), "q_star": self.options["start"], "violated": len(self.y)}

    def step(self, state: State, rng: np.random.Generator) -> None:
        left = 1 - self.options["start"]
        certainty = 1 - left * (self.options["end"] / left) ** ((state["taken"] + 1) / self.options["steps"])
        self.move(state, certainty, self.options["rate"] * self.matrix.power * (1 - certainty))
        state["q_star"], state["violated"] = certainty, self.constraints.violated(self.weights(state))

    @staticmethod
    def weights(state: State) -> np.ndarray:
        """The likelier signs."""
        return np.where(state["w"] >= 0, 1.0, -1.0)

    def stop(self, state: State) -> Status | None:
        if not np.isfinite(state["w"]).all():
            return Status.DIVERGED
        return Status.SOLVED if state["violated"] == 0 else None

    def observe(self, state: State) -> dict[str, float]:
        energy = self.slope(state["w"], state["q_star"])[0] / self.instance.size
        return {"violated": state["violated"], "q_star": state["q_star"], "energy_of_means": energy}

    def outcome(self, state: State) -> Outcome:
        return found(self, self.constraints, self.weights(state))
