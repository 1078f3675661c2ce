"""Generalised approximate message passing, with the scalar functions of the derived theory (`Theory.scores`)."""

from __future__ import annotations

import numpy as np

from replica.derive import derive
from simulate.algorithms.parts.passing import Passing
from simulate.algorithms.parts.rules import Rules, jumps, label_domain
from simulate.algorithms.parts.training import training
from simulate.draw import bound
from simulate.instance import Unsupported
from simulate.iteration import State
from simulate.learn.estimate import Estimate, Outcome

CERTAIN = 1e-13
"""Variance of a weight over the signal's at which nothing is left to know: below, fields have no digits that could be used."""


class GAMP(Passing):
    """Message passing on symmetric replicas: posterior means of Bayes and Gibbs learners, minimisers of an energy (Rangan 2011)."""

    def share(self) -> Rules:
        spec, at = self.instance.spec, self.instance.at
        theory = derive(spec.changed(ansatz=None))
        if theory.scores is None:
            raise Unsupported("the theory of this spec has no scalar functions for message passing")
        values = {control.name: at[control.name] for control in theory.controls}
        priors = [p for p in (self.learner.prior, *(latent.prior for latent in spec.latents.values())) if p is not None]
        norm = bound(priors[0], at).pinned_norm() if priors else None
        jumping = self.learner.loss is not None and jumps(theory.scores, self.convex())
        return Rules(theory.scores, theory.controls, label_domain(self.labels()), values, None if norm is None else float(norm), jumping)

    def prepare(self) -> None:
        super().prepare()
        self.rules: Rules = self.common
        self.weighs = self.learner.prior is not None or self.learner.loss is None  # a law of weights says how large they start

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        mean = self.near_signal(rng)
        if mean is not None:
            return self.begun(mean, attempt, variance=self.length * (1 - self.start) if self.learner.loss is None else 1.0)
        d = self.matrix.d
        if not self.weighs:
            return self.begun(np.sqrt(self.length) * rng.standard_normal(d), attempt, variance=1.0)
        center, spread = self.rules.weight(1e-12, np.zeros(d))
        mean = center + 0.3 * np.sqrt(np.mean(spread)) * rng.standard_normal(d)  # off the point that a symmetry would hold
        return self.begun(mean, attempt, variance=float(np.mean(spread)))

    def step(self, state: State, rng: np.random.Generator) -> None:
        matrix, mean, keep = self.matrix, state["mean"], state["damping"]
        V = matrix.power * state["variance"]
        omega = matrix.fields(mean) - V * state["score"]
        score, slope = self.rules.output(self.y, omega, V)
        score = score if state["taken"] == 0 else (1 - keep) * score + keep * state["score"]
        A = -matrix.power * float(np.sum(slope)) / matrix.d
        image, spread = self.rules.weight(A, matrix.pulls(score) + A * mean)
        variance = float(np.mean(spread))
        self.settle(state, image, {"variance": variance if variance >= 0 else np.nan})
        state["certain"] = variance <= CERTAIN * self.length
        state["score"], state["cavity"] = score, omega

    def log_partition(self, state: State) -> float:
        """Of all weights, by the messages at rest (Bethe): log of the mean over the prior of what the learner makes of the labels.

        Source: Krzakala, Manoel, Tramel & Zdeborova, Proc. IEEE ISIT (2014) 1499.
        """
        matrix, mean, score = self.matrix, state["mean"], state["score"]
        V = matrix.power * state["variance"]
        omega = matrix.fields(mean) - V * score
        A = -matrix.power * float(np.sum(self.rules.output(self.y, omega, V)[1])) / matrix.d
        B = matrix.pulls(score) + A * mean
        fields = float(np.sum(self.rules.log_odds(self.y, omega, V)) + V * score @ score / 2)
        return fields + self.rules.log_weight(A, B) - float(B @ mean) + A * float(mean @ mean + matrix.d * state["variance"]) / 2

    def observe(self, state: State) -> dict[str, float]:
        return {**self.overlaps(state["mean"]), "variance": float(state["variance"]), "residual": float(state["residual"])}

    def outcome(self, state: State) -> Outcome:
        estimate = Estimate(
            state["mean"], float(state["variance"]), cavity=state["cavity"], residual=float(state["residual"]), steps=int(state["taken"])
        )
        return Outcome({self.only_learner: training(self.instance, self.learner, estimate)})
