"""Copies of a system whose weights are moved one by one: which kinds there are, and annealing on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from simulate.algorithms.parts import flips
from simulate.algorithms.parts.clauses import clause_constraints
from simulate.algorithms.parts.problems import Problem
from simulate.algorithms.parts.signs import found, sign_constraints
from simulate.instance import Instance, Unsupported
from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Outcome

ZERO = 1e-12  # temperature from which on no loss is taken
USUAL = {"hot": 1.0, "cold": 0.1, "restarts": 0}


class Copies(Protocol):
    """Constraints on weights of few values, and Metropolis moves; all that moves is in arrays of the run's state."""

    levels: np.ndarray

    @property
    def problem(self) -> Problem:
        """The constraints."""

    def start(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """The arrays that go with weights (y, d)."""

    def visit(self, state: State, order: np.ndarray, beta: float, gamma: float, rng: np.random.Generator) -> None:
        """A proposal for every weight of every copy, in this order (see `flips`), in place."""


class _Samples:
    def __init__(self, instance: Instance) -> None:
        self.problem = sign_constraints(instance)
        self.levels = self.problem.levels
        self.columns = np.ascontiguousarray(self.problem.patterns.T)

    def start(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"fields": weights @ self.columns}

    def visit(self, state: State, order: np.ndarray, beta: float, gamma: float, rng: np.random.Generator) -> None:
        luck, choice = rng.random(len(order)), rng.random(len(order))
        moving = state["weights"], state["fields"], state["violated"]
        flips.samples(self.columns, self.problem.margin, self.levels, order, luck, choice, beta, gamma, *moving)


class _Clauses:
    def __init__(self, instance: Instance) -> None:
        self.problem = clause_constraints(instance)
        self.levels = np.array([-1.0, 1.0])
        ends = self.problem.clause
        sorting = np.argsort(self.problem.variable, kind="stable")
        self.which = np.repeat(np.arange(self.problem.count), np.diff(ends))
        self.places = self.which[sorting], self.problem.sign[sorting]
        self.first = np.searchsorted(self.problem.variable[sorting], np.arange(self.problem.size + 1))

    def start(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        right = weights[:, self.problem.variable] == self.problem.sign
        return {"met": np.array([np.bincount(self.which, row, self.problem.count) for row in right]).astype(np.int64)}

    def visit(self, state: State, order: np.ndarray, beta: float, gamma: float, rng: np.random.Generator) -> None:
        moving = state["weights"], state["met"], state["violated"]
        flips.clauses(*self.places, self.first, self.levels, order, rng.random(len(order)), beta, gamma, *moving)


COPIES: Mapping[str, Callable[[Instance], Copies]] = {"x": _Samples, "literal": _Clauses}
"""An array that instances of a data law hold -> copies of them."""


class Cooled(Algorithm):
    """Metropolis moves while the temperature falls and the coupling to a common center rises, both in a straight line, until a copy or the
    center meets all constraints.  Each restart takes twice the sweeps.

    Options used: `sweeps`, `hot`, `cold`; `y`, `loose`, `tight` of a subclass that has more than one copy.
    """

    def prepare(self) -> None:
        arrays = self.instance.arrays
        made = next((make for name, make in COPIES.items() if name in arrays), None)
        if made is None:
            raise Unsupported(f"weights are moved one by one against samples or clauses; the data have {' '.join(arrays)}")
        self.copies = made(self.instance)
        self.options = {key: USUAL.get(key) if value is None else value for key, value in self.options.items()}

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        shape = int(self.options.get("y", 1)), self.instance.size
        weights = rng.choice(self.copies.levels, shape)
        violated = np.array([self.copies.problem.violated(w) for w in weights])
        state: State = {"weights": weights, "violated": violated, **self.copies.start(weights)}
        return self._look(state | {"taken": 0, "sweeps": int(self.options["sweeps"]) * 2**attempt})

    def step(self, state: State, rng: np.random.Generator) -> None:
        temperature, gamma = self.schedule(state)
        order = rng.permutation(state["weights"].size)
        self.copies.visit(state, order, 1 / max(temperature, ZERO), gamma, rng)
        state["taken"] += 1
        if state["violated"].min() == 0:  # sums that moved step by step are taken anew
            state |= self.copies.start(state["weights"])
            state["violated"][:] = [self.copies.problem.violated(w) for w in state["weights"]]
        self._look(state)

    def schedule(self, state: State) -> tuple[float, float]:
        """Temperature, in units of one violated constraint, and coupling of the next sweep."""
        part = state["taken"] / max(1, state["sweeps"] - 1)
        hot, cold, loose, tight = (self.options.get(key, 0.0) for key in ("hot", "cold", "loose", "tight"))
        return hot + (cold - hot) * part, loose + (tight - loose) * part

    def _look(self, state: State) -> State:
        state["violated_by_center"] = self.copies.problem.violated(self.center(state))
        return state

    def center(self, state: State) -> np.ndarray:
        """(d,) the values nearest to all copies."""
        levels, copies = self.copies.levels, len(state["weights"])
        return levels[np.argmax(levels[:, None] * state["weights"].sum(axis=0) - copies / 2 * levels[:, None] ** 2, axis=0)]

    def stop(self, state: State) -> Status | None:
        if 0 in (state["violated"].min(), state["violated_by_center"]):
            return Status.SOLVED
        return Status.LIMIT if state["taken"] >= state["sweeps"] else None

    def observe(self, state: State) -> dict[str, float]:
        temperature, gamma = self.schedule(state)
        seen = {"violated": float(state["violated"].min()), "temperature": temperature}
        if len(state["weights"]) == 1:
            return seen
        products = state["weights"] @ state["weights"].T / state["weights"].shape[1]
        overlap = float(products[np.triu_indices(len(products), 1)].mean())
        return {**seen, "violated_by_center": float(state["violated_by_center"]), "coupling": gamma, "overlap": overlap}

    def outcome(self, state: State) -> Outcome:
        best = state["weights"][int(np.argmin(state["violated"]))] if state["violated"].min() == 0 else self.center(state)
        return found(self, self.copies.problem, best)
