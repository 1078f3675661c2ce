"""Solutions at the end of a domain: which start leads there, and over which values of a control."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from numerics.coordinates import END
from numerics.outcome import solution
from numerics.problem import PANELS, Compiled, Problem
from numerics.solution import Solution
from numerics.status import Status

ROOM = 4 * PANELS[0]  # integrands near an end are steps, which need many panels
WORTHLESS = 1e-3  # results at an end that are known no better have no limit


class Limit:
    """The solutions at the end of a domain that one start of a theory leads to."""

    def __init__(self, module: Compiled, start: str, tol: float) -> None:
        self._problem, self.start, self._tol = Problem(module), start, tol
        self._index = self._problem.start_names(None).index(start)

    def at(self, point: Mapping[str, float]) -> Solution | None:
        """The solution at a point, or None where the start leads elsewhere or results have no limit there."""
        controls = np.array([[point[name] for name in self._problem.controls]])
        march = self._problem.march(controls, self._problem.start(self._index, point)[None], self._tol, panels=ROOM)
        found = solution(self._problem, point, march, 0, self.start)
        if found.status is not Status.AT_END or not found.quadrature_error < WORTHLESS:
            return None
        return found if found.stable is not None else dataclasses.replace(found, stable=True)  # the map ran there


def ended(problem: Problem, one: Solution) -> tuple[str, ...]:
    """Overlaps that are at an end: what tells one such solution from another."""
    _kinds, low, high, conjugate = problem.charts
    x = np.array([float(one.unknowns[name]) for name in problem.names])
    near = (conjugate == 0) & ((x - low < END) | (high - x < END) | (np.abs(x) > 1 / END))
    return tuple(name for name, there in zip(problem.names, near, strict=True) if there)
