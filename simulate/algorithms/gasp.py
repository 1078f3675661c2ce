"""Generalised approximate survey propagation (Saglietti, Lu, Lucibello, arXiv 1905.05313), for any learner with scalar functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from replica.ansatz import RSB
from replica.derive import derive
from replica.families.broken import broken
from replica.families.ground_state import minimizer_scores
from replica.formula import exact
from replica.symbols import Control
from replica.theory import Scores
from simulate.algorithms.parts.passing import Passing
from simulate.algorithms.parts.rules import BrokenRules, label_domain
from simulate.draw import bound, number
from simulate.instance import Unsupported
from simulate.iteration import State
from simulate.learn.estimate import Estimate, Outcome

_SPREAD = 2.0  # variance between states at a start without information, as in the authors' program


class GASP(Passing):
    """Message passing on states that are many: one step of replica symmetry breaking at a fixed Parisi parameter."""

    def share(self) -> BrokenRules:
        at, prior = self.instance.at, self.learner.prior
        if prior is not None and bound(prior, at).pinned_norm() is not None:
            raise Unsupported(f"gasp does not impose the length of weights, as prior '{prior.kind}' does")
        scores, controls = self._scores()
        values = {control.name: at[control.name] for control in controls}
        return BrokenRules(broken(scores), controls, label_domain(self.labels()), values, self._parisi())

    def prepare(self) -> None:
        super().prepare()
        self.rules: BrokenRules = self.common
        self.x = self._parisi()

    def _scores(self) -> tuple[Scores, tuple[Control, ...]]:
        """Of the learner; a Bayes-optimal one has one state, so of the least squares of its channel with a ridge."""
        spec = self.instance.spec
        if self.learner.loss is not None:
            theory = derive(spec.changed(ansatz=None))
            if theory.scores is None:
                raise Unsupported("the theory of this spec has no scalar functions for message passing")
            return theory.scores, theory.controls
        channel = self._channel()
        z, strength = sp.Dummy("z", real=True), exact(self.options["strength"])
        rule = channel.map(z, sp.S.Zero)
        if rule is None:
            raise Unsupported(f"gasp: a Bayes-optimal learner has one state, and channel '{channel.kind}' has no rule to fit instead")
        return minimizer_scores(lambda y, u: (y - rule.xreplace({z: u})) ** 2, lambda w: strength * w**2 / 2), ()

    def _channel(self) -> Any:
        parts = [group.label for part in self.instance.spec.slices.values() for group in part.groups.values()]
        if len(parts) != 1 or parts[0] is None or parts[0].channel is None:
            raise Unsupported("gasp: a Bayes-optimal learner needs one group of samples with a teacher")
        return bound(parts[0].channel, self.instance.at)

    def _parisi(self) -> float:
        ansatz = self.instance.spec.ansatz
        if isinstance(ansatz, RSB) and not ansatz.free:
            return number(ansatz.x, self.instance.at)
        return float(self.options["x"])

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        mean = self.near_signal(rng)
        if mean is not None:
            return self.begun(mean, attempt, spread=1.0, response=1.0)
        start = np.sqrt(self.length) * rng.standard_normal(self.matrix.d)
        return self.begun(start, attempt, spread=_SPREAD, response=1.0)

    def step(self, state: State, rng: np.random.Generator) -> None:
        matrix, mean, keep, x = self.matrix, state["mean"], state["damping"], self.x
        V, between = matrix.power * state["response"], matrix.power * state["spread"]
        omega = matrix.fields(mean) - (V + x * between) * state["score"]
        score, variance, slope = self.rules.output(self.y, omega, V, between)
        score = score if state["taken"] == 0 else (1 - keep) * score + keep * state["score"]
        whole = -matrix.power * float(np.sum(slope)) / matrix.d  # A - x A_states
        A_states = matrix.power * float(np.sum(variance)) / matrix.d
        A = whole + x * A_states
        image, spread, response = self.rules.weight(A, A_states, matrix.pulls(score) + whole * mean)
        inside = float(np.mean(spread))
        between = float(np.mean(response)) - x * inside
        numbers = {"spread": inside, "response": between}
        self.settle(state, image, {name: value if value > 0 else np.nan for name, value in numbers.items()})
        state["score"], state["cavity"] = score, omega

    def observe(self, state: State) -> dict[str, float]:
        found = self.overlaps(state["mean"])
        q0, spread = found.pop("q"), float(state["spread"])
        return {"q0": q0, **found, "q1": q0 + spread, "chi": float(state["response"]), "residual": float(state["residual"])}

    def outcome(self, state: State) -> Outcome:
        seen = {name: value for name, value in self.observe(state).items() if name in ("q0", "q1", "chi")}
        seen["Q"] = seen["q1"]  # of weights in one state, not of their mean over states
        estimate = Estimate(state["mean"], residual=float(state["residual"]), steps=int(state["taken"]), extras=seen)
        return Outcome({self.only_learner: estimate})
