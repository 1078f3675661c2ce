"""Labels asked for a few at a time: after every batch message passing learns from what is labelled, and says what to ask for next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from replica.labels import DiscreteLabels
from simulate.algorithms.gamp import GAMP
from simulate.draw import generator, number
from simulate.draw.fresh import Population
from simulate.draw.selection import selects
from simulate.instance import Unsupported
from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Estimate, Outcome
from simulate.measure import measure

ATTEMPTS = 4
"""Attempts at a fixed point after every batch, with more damping each."""


class Querying(Algorithm):
    """One learner, and a subclass for every way of asking.  The history is kept by the number of labels."""

    devices = GAMP.devices

    def share(self) -> Any:
        return self._learner(None).common

    def _learner(self, common: Any) -> GAMP:
        """Message passing on samples of the spec without its selection."""
        spec = self.instance.spec
        slices = {name: part.changed(selection=None) for name, part in spec.slices.items()}
        bare = spec.changed(ansatz=None, slices=slices, observables={})
        options = {"damping": self.options["damping"], "tolerance": self.options["tolerance"], "steps": self.options["iterations"]}
        return GAMP(replace(self.instance, spec=bare), {**options, "restarts": 0.0}, self.device, common)

    def prepare(self) -> None:
        spec, at = self.instance.spec, self.instance.at
        if not selects(spec) or len(spec.slices) != 1:
            raise Unsupported("labels are asked for from a pool, one slice of data with a selection; the spec has none")
        self.inner = self._learner(self.common)
        labels = self.inner.labels()
        if self.inner.learner.protocol.kind not in ("bayes", "gibbs") or not isinstance(labels, DiscreteLabels):
            raise Unsupported("labels are asked for by learners of protocol 'bayes' or 'gibbs', where there are a few kinds of them")
        self.rules, self.pool, self.atoms = self.inner.rules, self.inner.matrix, [float(a) for a in labels.atoms]
        self.x, self.y = self.instance.arrays["x"], self.instance.arrays["y"]
        (part,) = spec.slices.values()
        self.budget = round(number(part.selection.keep, at) * self.instance.size)
        if not 0 < self.budget < len(self.y):
            raise Unsupported(f"{self.budget} labels are to be asked for, of a pool of {len(self.y)}")

    def certainty(self, state: State, rows: np.ndarray) -> np.ndarray:
        """(k,) how little the labels of samples `rows` are worth asking for."""
        raise NotImplementedError

    def log_odds(self, state: State, rows: np.ndarray) -> np.ndarray:
        """(K, k) log-probability of every label at samples `rows`, as the learner sees it."""
        fields, V = self.pool.fields(state["mean"])[rows], self.pool.power * state["variance"]
        found = np.stack([self.rules.log_odds(np.full(len(rows), atom), fields, V) for atom in self.atoms])
        return found - np.logaddexp.reduce(found)

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        start = self.inner.init(rng, 0)
        nothing = {"asked": np.zeros(0, np.int64), "score": np.zeros(0), "sound": True, "residual": 0.0, "log_volume": 0.0}
        return {"mean": np.zeros_like(start["mean"]), "variance": float(start["variance"]), **nothing}

    def step(self, state: State, rng: np.random.Generator) -> None:
        left = rng.permutation(np.setdiff1d(np.arange(len(self.y)), state["asked"]))  # among equals, chance decides
        count = min(int(self.options["batch"]), self.budget - len(state["asked"]))
        least = np.argsort(self.certainty(state, left), kind="stable")[:count]
        state["asked"] = np.concatenate([state["asked"], left[least]])
        self.learn(state, rng)

    def learn(self, state: State, rng: np.random.Generator) -> None:
        """The messages of all labelled samples at rest, from where they were."""
        asked, known = state["asked"], len(state["score"])
        self.inner.see(self.x[asked], self.y[asked])
        for attempt in range(ATTEMPTS):
            if known and not attempt:
                messages = self.inner.begun(state["mean"], 0, variance=state["variance"])
                messages["score"][:known] = state["score"]
            else:
                messages = {**self.inner.init(rng, attempt), "damping": self.inner.damping(attempt)}
            while (ended := self.inner.stop(messages)) is None and messages["taken"] < self.options["iterations"]:
                self.inner.step(messages, rng)
            if ended is Status.CONVERGED:
                break
        state["sound"] = ended is Status.CONVERGED
        state |= {name: messages[name] for name in ("mean", "variance", "score", "residual")}
        if state["sound"]:
            state["log_volume"] = self.inner.log_partition(messages) / self.instance.size

    def stop(self, state: State) -> Status | None:
        if not state["sound"]:
            return Status.DIVERGED
        return Status.FINISHED if len(state["asked"]) >= self.budget else None

    def estimate(self, state: State) -> Estimate:
        """What is learned from the labels so far."""
        return Estimate(state["mean"], float(state["variance"]), residual=state["residual"], extras={"log_volume": state["log_volume"]})

    def observe(self, state: State) -> dict[str, float]:
        estimate, instance = self.estimate(state), self.instance
        found = {"labels": len(state["asked"]) / instance.size, "residual": state["residual"], "log_volume": state["log_volume"]}
        if not instance.truth:
            return {**found, "q": float(np.mean(estimate.mean**2))}
        test = generator(instance.spec.fingerprint, instance.at, instance.size, instance.seed, "test")
        population = Population(instance, {self.only_learner: estimate}, test)
        seen = measure(instance, self.inner.learner, estimate, test, population, self.only_learner)
        return found | {name: seen[name] for name in ("q", "m", "generalization_error") if name in seen}

    def outcome(self, state: State) -> Outcome:
        return Outcome({self.only_learner: self.estimate(state)})
