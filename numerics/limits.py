"""Solutions at the end of a domain: where they are, and what results tend to there."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from numerics.coordinates import END
from numerics.equations import Equations, Failure
from numerics.problem import SWEEPS, Compiled
from numerics.solution import Solution
from numerics.solve import solution
from numerics.status import Status

CLOSER = 1e-2  # an unknown goes on towards its end by this factor until results no longer change
TRIES = 12
SETTLED = 1e-15  # change of the free entropy, relative to its size or one


class Limit:
    """The solutions at the end of a domain that one start of a theory leads to."""

    def __init__(self, module: Compiled, start: str, tol: float) -> None:
        self._equations = Equations(module)
        self._problem, self._start, self._tol = self._equations.problem, start, tol
        self._index = self._problem.start_names(None).index(start)

    def at(self, point: Mapping[str, float]) -> Solution | None:
        """The solution at a point, or None where the start leads elsewhere."""
        controls = np.array([[point[name] for name in self._problem.controls]])
        march = self._problem.march(controls, self._problem.start(self._index, point)[None], self._tol, SWEEPS)
        found = solution(self._problem, point, march, 0, self._start)
        return self.improved(found) if found.status is Status.AT_END else None

    def ended(self, one: Solution) -> tuple[str, ...]:
        """Overlaps that are at an end: what tells one such solution from another."""
        x = np.array([float(one.unknowns[name]) for name in self._problem.names])
        return tuple(name for name, near in zip(self._problem.names, self._near(x), strict=True) if near)

    def _near(self, x: np.ndarray) -> np.ndarray:
        e = self._equations
        return (e.conjugate == 0) & ((x - e.low < END) | (e.high - x < END) | (np.abs(x) > 1 / END))

    def improved(self, one: Solution) -> Solution:
        """The same solution with the results of the limit itself.

        The solver stops at 1e-14 from an end, where a result may still miss its limit by the square root of that.  Here the overlaps
        that are at an end go on towards it, their conjugates are the map's images, and results are taken where they no longer change;
        `quadrature_error` is the last change.
        """
        e, problem = self._equations, self._problem
        p = np.array([*(float(one.unknowns[name]) for name in problem.names), *(one.at[name] for name in problem.controls)])
        n, near = e.n, self._near(np.array([float(one.unknowns[name]) for name in problem.names]))
        if not near.any():
            return one
        best, change = None, math.inf
        for _ in range(TRIES):
            for i in np.flatnonzero(near):
                low, high = e.low[i], e.high[i]
                if p[i] - low < END:
                    p[i] = low + CLOSER * (p[i] - low)
                elif high - p[i] < END:
                    p[i] = high - CLOSER * (high - p[i])
                else:
                    p[i] /= CLOSER
            try:
                for _ in range(2):
                    e.choose(p)
                    image = p[:n] - e.look(p).residual
                    p[:n] = np.where(e.conjugate == 1, image, p[:n])
                values, _error = e.values(p, 1)
            except Failure:
                break
            moved = math.inf if best is None else float(np.max(np.abs(values - best) / np.maximum(1.0, np.abs(values))))
            if not moved <= max(change, SETTLED):
                break
            best, change = values, moved
            if moved <= SETTLED:
                break
        if best is None or not change < math.sqrt(END):
            return one
        values = dict(zip(problem.value_names, map(float, best), strict=True))
        theory = problem.theory
        return dataclasses.replace(
            one, order_parameters={name: values[name] for name in theory.order_parameters},
            conjugates={name: values[name] for name in theory.conjugates}, free_entropy=values["free_entropy"],
            observables={name: values[name] for name in theory.observables}, quadrature_error=max(change, 1e-15), stable=True,
        )
