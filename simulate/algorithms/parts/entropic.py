"""Monte Carlo on the local entropy: a reference moves to where most solutions are near, as message passing around it counts them.

For a reference s and a strength gamma, F = log sum_w [w meets all] exp(gamma w.s).  Flipping s_i changes F by
log cosh(h_i - gamma s_i) - log cosh(h_i + gamma s_i), with h_i the field of the constraints on weight i: it rises where h_i opposes s_i.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Estimate, Outcome


class Messages(Protocol):
    """Belief propagation on constraints over weights of signs; all that moves is in arrays of the run's state."""

    @property
    def size(self) -> int:
        """d, the number of weights."""

    @property
    def moving(self) -> tuple[str, ...]:
        """Names of the arrays in the state that `settle` changes, in place."""

    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The arrays before the first sweep, by the names in `moving`."""

    def settle(self, state: State, extra: np.ndarray, rng: np.random.Generator) -> tuple[float, bool]:
        """Sweeps from the messages as they are until they rest under the fields `extra` (d,).

        Returns:
            log of the sum over weights that meet all of exp(extra.w), the sum and not per weight, and whether the messages rest.
        """

    def fields(self, state: State) -> np.ndarray:
        """(d,) field of all constraints on each weight, without `extra`: the marginal is tanh(fields + extra)."""

    def violated(self, weights: np.ndarray) -> int:
        """How many constraints weights (d,) of signs do not meet."""


class Entropic(Algorithm):
    """Zero-temperature moves of the reference, many weights at once and fewer after each refusal; where none helps, gamma grows (scoping).

    Options used: `gamma`, its first value; `growth`, what is added to it; `last`, where a run gives up; `share` of the weights that
    oppose their fields which moves at once, 0 for one by one; `refusals` of moves of one weight, after which gamma grows.

    Source: Baldassi, Ingrosso, Lucibello, Saglietti & Zecchina, J. Stat. Mech. (2016) P023301.
    """

    messages: Messages
    """Set by `prepare` of a subclass."""

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        reference = np.where(rng.random(self.messages.size) < 0.5, 1.0, -1.0)
        state: State = {**self.messages.start(rng), "reference": reference, "gamma": self.options["gamma"]}
        state |= {"flips": len(reference), "place": 0, "sweeps_failed": 0}
        self._settle(state, rng)
        return state

    def step(self, state: State, rng: np.random.Generator) -> None:
        """One move of the reference that is taken or refused, or one of gamma."""
        if not state["rests"]:  # what messages under way counted may be too much, and nothing would ever be taken in its place
            self._settle(state, rng)
            if self.solved(state):
                return
        gains = -self.messages.fields(state) * state["reference"]
        opposed = np.argsort(-gains, kind="stable")[: np.count_nonzero(gains > 0)]
        if state["place"] >= min(len(opposed), self.options["refusals"]):
            state["gamma"] += self.options["growth"]
            state |= {"flips": len(gains), "place": 0}
            self._settle(state, rng)
            return
        flips = max(1, min(int(state["flips"]), round(self.options["share"] * len(opposed))))
        chosen = opposed[state["place"] :][:flips]
        before = {name: state[name].copy() for name in self.messages.moving}
        kept = {name: state[name] for name in ("free", "rests", "violated", "violated_by_reference")}
        state["reference"][chosen] *= -1
        self._settle(state, rng)
        if state["free"] >= kept["free"] or self.solved(state):
            state |= {"flips": 2 * flips, "place": 0}
        else:
            state["reference"][chosen] *= -1
            state |= {**before, **kept}
            state |= {"flips": flips // 2} if flips > 1 else {"place": state["place"] + 1}

    def _settle(self, state: State, rng: np.random.Generator) -> None:
        free, rests = self.messages.settle(state, state["gamma"] * state["reference"], rng)
        state["free"], state["rests"] = float(free), rests
        state["sweeps_failed"] += not rests
        state["violated"] = self.messages.violated(self.likely(state))
        state["violated_by_reference"] = self.messages.violated(state["reference"])

    def marginals(self, state: State) -> np.ndarray:
        return np.tanh(self.messages.fields(state) + state["gamma"] * state["reference"])

    def likely(self, state: State) -> np.ndarray:
        """(d,) the likelier sign of every weight."""
        return np.where(self.marginals(state) >= 0, 1.0, -1.0)

    def solved(self, state: State) -> bool:
        return 0 in (state["violated"], state["violated_by_reference"])

    def stop(self, state: State) -> Status | None:
        if not np.isfinite(state["free"]):
            return Status.DIVERGED
        if self.solved(state):
            return Status.SOLVED
        return Status.STUCK if state["gamma"] > self.options["last"] else None

    def observe(self, state: State) -> dict[str, float]:
        d, near = len(state["reference"]), float(state["reference"] @ self.marginals(state))
        seen = {key: float(state[key]) for key in ("gamma", "violated", "violated_by_reference", "sweeps_failed")}
        return {**seen, "overlap_with_reference": near / d, "local_entropy": (state["free"] - state["gamma"] * near) / d}

    def outcome(self, state: State) -> Outcome:
        weights: Any = self.likely(state) if state["violated"] == 0 else state["reference"].copy()
        energy = self.messages.violated(weights) / len(weights)
        return Outcome({self.only_learner: Estimate(weights, extras={"energy": energy})})
