"""Gradient steps towards a minimum of the declared energy, on weights of the declared length and range."""

from __future__ import annotations

import numpy as np
import sympy as sp

from simulate.algorithms.parts.ascent import Ascent
from simulate.draw import bound, number
from simulate.instance import Unsupported
from simulate.iteration import State, Status
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.gradient_descent import with_slope


class GradientAscent(Ascent):
    """Loss and regularizer are those of the learner, and their slopes follow from them."""

    def prepare(self) -> None:
        spec, at = self.instance.spec, self.instance.at
        if len(spec.learners) != 1 or len(spec.stages) > 1:
            raise Unsupported(f"gradient_ascent knows one learner in one stage, found {len(spec.learners)} in {len(spec.stages)}")
        (learner,) = spec.learners.values()
        if learner.loss is None or learner.couple:
            raise Unsupported("gradient_ascent needs a learner with a loss and no coupling")
        if learner.network is not None and (learner.network.kind != "linear" or learner.network.bias):
            raise Unsupported("gradient_ascent takes a linear network without a bias")
        super().prepare()
        y, z = sp.symbols("y z", real=True)
        formula = sp.sympify(bound(learner.loss, at).formula(y, z))
        if sp.diff(formula, z).replace(sp.DiracDelta, lambda *_: sp.S.Zero) == 0:
            raise Unsupported(f"the loss '{learner.loss.kind}' has no slope to follow")
        penalty = bound(learner.regularizer, at).formula(z) if learner.regularizer is not None else sp.S.Zero
        self.loss, self.penalty = with_slope(formula, y, z), with_slope(penalty, z)
        self.norm = None if learner.self_overlap is None else number(learner.self_overlap, at)
        if learner.prior is not None:
            prior = bound(learner.prior, at)
            if prior.atoms():
                raise Unsupported(f"gradient steps need weights that can move; those of prior '{prior.kind}' have values of their own")
            self.low, self.high = (float(end) for end in prior.support())
            if self.norm is None and prior.pinned_norm() is not None:
                self.norm = float(prior.pinned_norm())

    def slope(self, w: np.ndarray, norm: float | None) -> tuple[float, np.ndarray]:
        losses, slopes = self.loss(self.y, self.matrix.fields(w))
        costs, pulls = self.penalty(w)
        return float(losses.sum() + costs.sum()), self.matrix.pulls(slopes) + pulls

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        return self.begun(rng, self.norm)

    def step(self, state: State, rng: np.random.Generator) -> None:
        self.move(state, self.norm, self.options["rate"])

    def stop(self, state: State) -> Status | None:
        if not np.isfinite(state["w"]).all():
            return Status.DIVERGED
        if state["residual"] <= self.options["tolerance"]:
            return Status.CONVERGED
        return Status.FINISHED if state["taken"] >= self.options["steps"] else None

    def observe(self, state: State) -> dict[str, float]:
        energy = self.slope(state["w"], self.norm)[0] / self.instance.size
        return {"energy": energy, "q": float(np.mean(state["w"] ** 2)), "residual": state["residual"]}

    def outcome(self, state: State) -> Outcome:
        energy = self.slope(state["w"], self.norm)[0] / self.instance.size
        return Outcome({self.only_learner: Estimate(state["w"], residual=state["residual"], extras={"energy": energy})})
