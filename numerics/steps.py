"""Parisi parameters where the free entropy is least: held while the overlaps answer, and moved downhill.

With the Parisi parameters held the equations of the overlaps are tame: sweeps and Newton's method find their solution from afar.  What
is left is a function of a few numbers.  Its slopes are equations of the theory, its curvature follows from the Jacobian; where that
bends the wrong way, steps go downhill all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp

from numerics.equations import Failure
from numerics.problem import Problem
from numerics.settle import resolve
from numerics.status import Status
from numerics.system import Look, System

LONGEST, LEAST = 0.7, 1e-4  # steps of the Parisi parameters in their chart: at most, and when they are done: valleys may be flat
STEPS, CUTS = 40, 6
LOOKS, SWEEPS = 400, 4  # evaluations for overlaps at held Parisi parameters; sweeps before Newton's method is tried anew, at first
DAMPING = 0.5
FAR = 0.3  # in charts: nodes are chosen anew
CLOSE = 1e-8  # Newton step of the overlaps, in charts
RESOLVED = 1e-5  # what more nodes may change of a Newton step
MERGED = 1e-8  # an increment that is smaller is none
NUDGE = 1e-5


class Merged(ArithmeticError):
    """Levels that were apart become one."""


class Held:
    """Overlaps that answer to Parisi parameters, at one point."""

    def __init__(self, problem: Problem, at: Mapping[str, float]) -> None:
        system = problem.theory.system
        self.system = System(problem.module, at, {})
        symbols = [u.symbol for u in system.unknowns]
        self.steps = np.array([symbols.index(step) for step in system.minimal])
        self.rest = np.array([k for k in range(len(symbols)) if k not in self.steps])
        moved = {u for start in system.refined for u, value in start.values.items() if value != u}
        self.increments = np.array([k for k in self.rest if symbols[k] in moved and problem.charts[3][k] == 0], np.int64)
        self.top = float(problem.charts[2][self.steps[-1]])
        self._ladder = [_reader(problem, e, at) for e in system.ladder]
        self._places = [system.ladder.index(step) for step in system.minimal]
        self._seen: np.ndarray | None = None

    def minimum(self, y: np.ndarray) -> np.ndarray | None:
        """Unknowns near where the free entropy is least, from a start; None where steps lead nowhere.

        Raises:
            Merged: two levels become one on the way.
        """
        here = self._answer(y)
        if here is None:
            return None
        resolve(self.system, here, RESOLVED)
        for _ in range(STEPS):
            if here is None:
                return None
            self._hold(here)
            z = self._open(here[self.steps])
            slope, curvature, response = self._downhill(here, z)
            values, along = np.linalg.eigh(curvature)
            step = -along @ ((along.T @ slope) / np.maximum(np.abs(values), 1e-300))
            size = float(np.abs(step).max())
            if size < LEAST and values.min() > 0:
                return here
            here = self._moved(here, z, step * min(1.0, LONGEST / size), response)
        return None

    def _moved(self, y: np.ndarray, z: np.ndarray, step: np.ndarray, response: np.ndarray) -> np.ndarray | None:
        """Unknowns at Parisi parameters a step further, or as much of it as leads to some."""
        charts = self.system.coordinates
        for cut in range(CUTS):
            x = self._closed(z + step / 3.0**cut)
            change = np.zeros(len(y))
            change[self.rest] = np.clip(charts.slope(y)[self.rest] * (response @ (x - y[self.steps])), -2 * LONGEST, 2 * LONGEST)
            begin = charts.shift(y, change)
            begin[self.steps] = x
            try:
                found = self._answer(begin)
            except Merged:
                if cut == CUTS - 1:
                    raise
                continue
            except (Failure, np.linalg.LinAlgError):
                continue
            if found is not None:
                return found
        return None

    def _downhill(self, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Slope and curvature of the free entropy in the chart of the Parisi parameters, and how overlaps respond to these."""
        found = self.system.sides[0].look(self.system.point(y))
        whole, s, r = found.unknowns, self.steps, self.rest
        response = -np.linalg.solve(whole[np.ix_(r, r)], whole[np.ix_(r, s)])
        plain, tangent = found.residual[s], self._tangent(z)
        curvature = tangent.T @ (whole[np.ix_(s, s)] + whole[np.ix_(s, r)] @ response) @ tangent
        for k, nudge in enumerate(NUDGE * np.eye(len(z))):
            curvature[:, k] += (self._tangent(z + nudge) - self._tangent(z - nudge)).T @ plain / (2 * NUDGE)
        return tangent.T @ plain, (curvature + curvature.T) / 2, response

    # overlaps at held Parisi parameters ---------------------------------------------------------------------------

    def _answer(self, y: np.ndarray) -> np.ndarray | None:
        """The solution for the overlaps: by Newton's method while its steps shrink, else by sweeps.

        Raises:
            Merged: an increment vanishes.
        """
        look, sweeps, patience = self._look(y), 0, SWEEPS
        for _ in range(LOOKS):
            if sweeps == 0:
                step = self._newton(look, look)
                length = float(np.abs(step).max())
                if length < CLOSE:
                    return y
                target = self.system.move(y, step * min(1.0, 1.0 / length))
                found = self._tried(target)
                if target is not None and found is not None and np.abs(self._newton(look, found)).max() <= length:
                    y, look = target, found
                    continue
                sweeps, patience = patience, patience + 2
            y, sweeps = self._swept(y, look), sweeps - 1
            if (y[self.increments] < MERGED).any():
                raise Merged
            look = self._look(y)
        return None

    def _newton(self, look: Look, found: Look) -> np.ndarray:
        """The step that the Jacobian of one point takes for the mismatch of another."""
        step, r = np.zeros(len(look.value)), self.rest
        step[r] = np.linalg.solve(look.slope[np.ix_(r, r)], -found.value[r])
        return step

    def _swept(self, y: np.ndarray, look: Look) -> np.ndarray:
        """Overlaps moved towards what the map makes of them."""
        step = np.zeros(len(y))
        step[self.rest] = -DAMPING * np.clip(look.value[self.rest], -1, 1)
        for cut in range(CUTS):
            target = self.system.move(y, step / 2.0**cut)
            if target is not None:
                return target
        raise Failure(Status.LEFT_DOMAIN)

    def _tried(self, y: np.ndarray | None) -> Look | None:
        try:
            return None if y is None else self._look(y)
        except Failure:
            return None

    def _look(self, y: np.ndarray) -> Look:
        if self._seen is None or np.abs(self.system.coordinates.step(self._seen, y - self._seen)).max() > FAR:
            self.system.choose(y, fresh=self._seen is None)
            self._seen = y
        return self.system.look(y)

    # the chart of Parisi parameters: each as a part of the way from the last one held below it to the next one, or to where they end ----

    def _hold(self, y: np.ndarray) -> None:
        """Ends between which Parisi parameters move, from those that are held."""
        values, held, low = [read(y) for read in self._ladder], 0.0, []
        for k, value in enumerate(values):
            if k in self._places:
                low.append(held)
            else:
                held = value
        following = [k + 1 for k in self._places]
        self._low = np.array(low)
        self._next = [self._places.index(k) if k in self._places else None for k in following]
        self._high = np.array([[*values, self.top][k] for k in following])

    def _ends(self, x: np.ndarray) -> np.ndarray:
        """How far it is from the last one held below each to the next one."""
        return np.array([end if j is None else x[j] for end, j in zip(self._high, self._next, strict=True)]) - self._low

    def _open(self, x: np.ndarray) -> np.ndarray:
        ends, part = self._ends(x), x - self._low
        return np.log(part) - np.where(np.isfinite(ends), np.log(ends - part), 0.0)

    def _closed(self, z: np.ndarray) -> np.ndarray:
        x = np.zeros(len(z))
        for k in range(len(z) - 1, -1, -1):
            end = self._ends(x)[k]
            x[k] = self._low[k] + (math.exp(z[k]) if math.isinf(end) else end / (1 + math.exp(-z[k])))
        return x

    def _tangent(self, z: np.ndarray) -> np.ndarray:
        """d x / d z."""
        x = self._closed(z)
        ends, part = self._ends(x), x - self._low
        found = np.diag(part * np.where(np.isfinite(ends), 1 - part / ends, 1.0))
        for k in range(len(z) - 1, -1, -1):
            if (j := self._next[k]) is not None:
                found[k] += found[j] * part[k] / ends[k]
        return found


def _reader(problem: Problem, e: sp.Expr, at: Mapping[str, float]) -> Callable[[np.ndarray], float]:
    """A Parisi parameter as a function of the unknowns; controls that are solved for are among these."""
    names = {u.symbol: k for k, u in enumerate(problem.theory.system.unknowns)}
    known = e.xreplace({s: sp.Float(at[s.name]) for s in e.free_symbols - names.keys()})
    read = sorted(known.free_symbols, key=str)
    return lambda y: float(known.xreplace({s: sp.Float(y[names[s]]) for s in read}))
