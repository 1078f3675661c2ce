"""Equations of one or two solutions with controls set free: as many rows as coordinates but one, so that the solutions form a curve.

One solution and one control give a branch.  Two controls and a condition (a fold, a zero, a crossing of two solutions) give a line
of a phase diagram.  Everything is in charts (numerics.coordinates), unknowns of every side first, then the free controls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from numerics.coordinates import Coordinates
from numerics.equations import Equations, Failure
from numerics.layout import BASE, REAL
from numerics.problem import Compiled
from numerics.status import Status
from replica.symbols import Domain

EPSILON = 2.220446049250313e-16
DIFFERENCE = 1e-5  # chart step of the differences of a condition
NEARBY = 1e-3  # chart distance within which they are kept


@dataclass(frozen=True)
class Look:
    """At one point: F (rows), its derivatives by the coordinates (rows, coordinates), what rounding leaves of F (rows)."""

    value: np.ndarray
    slope: np.ndarray
    floor: np.ndarray


class Condition(Protocol):
    """A function of a point that vanishes at an event."""

    def prepare(self, system: System, y: np.ndarray) -> None:
        """Fix what must not change while a root is sought."""

    def __call__(self, system: System, y: np.ndarray) -> float: ...


class System:
    """A curve of solutions.

    Args:
        at: value of every control; those of `free` are only starting values.
        free: name and unit of length of the controls set free.
        sides: how many solutions at the same controls, one or two.
        condition: closes a system with two free controls.
    """

    def __init__(
        self, module: Compiled, at: Mapping[str, float], free: Mapping[str, float], sides: int = 1, condition: Condition | None = None
    ) -> None:
        self.sides = tuple(Equations(module) for _ in range(sides))
        self.meter = Equations(module)  # named results need nodes of their own
        one = self.sides[0]
        self.problem, self.n, self.count = one.problem, one.n, sides
        self.at, self.free, self.condition = dict(at), tuple(free), condition
        theory = self.problem.theory
        self.domains: tuple[Domain, ...] = tuple(next(c.domain for c in theory.controls if c.name == name) for name in free)
        self._columns = [self.problem.controls.index(name) for name in free]
        self._fixed = np.array([at[name] for name in self.problem.controls])
        units = np.ones(self.n)
        self.unknowns = Coordinates(one.kinds, one.low, one.high, units)
        k = len(free)
        ends = np.full(k, np.inf)
        loose = Coordinates(np.full(k, REAL, np.int64), -ends, ends, np.array(list(free.values()), float))
        self.coordinates = Coordinates.joined(*[self.unknowns] * sides, loose)
        self._kept = (np.empty(0), np.empty(0))
        self.refinements = tuple((side, request) for side in range(sides) for request in one.refinements)

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.n * self.count + len(self.free)

    def control(self, y: np.ndarray, k: int = 0) -> float:
        """The k-th free control."""
        return float(y[self.n * self.count + k])

    def point(self, y: np.ndarray, side: int = 0) -> np.ndarray:
        """Unknowns of a side and all controls."""
        p = np.concatenate([y[side * self.n : (side + 1) * self.n], self._fixed])
        for k, column in enumerate(self._columns):
            p[self.n + column] = y[self.n * self.count + k]
        return p

    def controls(self, y: np.ndarray) -> dict[str, float]:
        """Value of every control."""
        return self.at | {name: self.control(y, k) for k, name in enumerate(self.free)}

    def choose(self, y: np.ndarray, fresh: bool = False) -> None:
        """Panels for this point; `fresh` where it is far from the last one, so that sizes of nested loops tell nothing.

        Raises:
            Failure: an integrand is not finite, or cannot be resolved.
        """
        for side, equations in enumerate(self.sides):
            if fresh:
                equations.reset()
            equations.choose(self.point(y, side))
        if self.condition is not None:
            self.condition.prepare(self, y)
            self._kept = (np.empty(0), np.empty(0))

    def refine(self, y: np.ndarray, refinement: tuple[int, int] | None, for_good: bool = False) -> None:
        """Nodes with one refinement, on the others as they are; None takes it back."""
        for side, equations in enumerate(self.sides):
            chosen = refinement is not None and refinement[0] == side
            request = refinement[1] if refinement is not None and chosen else BASE
            equations.refine(self.point(y, side), request, for_good and chosen)

    def look(self, y: np.ndarray) -> Look:
        """F, its derivatives and its rounding error.

        Raises:
            Failure: something is not finite.
        """
        found = self.equations(y)
        if self.condition is not None:
            here = self.condition(self, y)
            row = self._gradient(self.condition, y, here)
            found = Look(np.append(found.value, here), np.vstack([found.slope, row]), np.append(found.floor, EPSILON))
        if not (np.isfinite(found.value).all() and np.isfinite(found.slope).all()):
            raise Failure(Status.NON_FINITE)
        return found

    def equations(self, y: np.ndarray) -> Look:
        """The rows of the sides, as numerics.methods.state.evaluate has them.

        Raises:
            Failure: something is not finite.
        """
        n, size = self.n, self.size
        rows = n * self.count
        value, slope, floor = np.empty(rows), np.zeros((rows, size)), np.empty(rows)
        for side, equations in enumerate(self.sides):
            p, part = self.point(y, side), slice(side * n, (side + 1) * n)
            found, x, charts = equations.look(p), p[:n], self.unknowns
            image = x - found.residual
            here, there = charts.slope(x), np.where(charts.inside(image), image, x)
            scale = charts.slope(there)
            good = charts.inside(image)
            straight = np.where(good, found.residual, 0.0)
            value[part] = np.where(good, -charts.step(x, -straight), here * found.residual)
            inner = np.eye(n) - found.unknowns  # derivatives of the map
            slope[part, part] = np.eye(n) - scale[:, None] * inner / here[None, :]
            terms = np.abs(x) + np.abs(inner) @ np.abs(x)
            for k, column in enumerate(self._columns):
                place = n * self.count + k
                slope[part, place] = scale * found.controls[:, column] * self.coordinates.scale[place]
                terms += np.abs(found.controls[:, column] * y[place])
            floor[part] = scale * 4.0 * EPSILON * terms
        return Look(value, slope, floor)

    def _gradient(self, condition: Condition, y: np.ndarray, here: float) -> np.ndarray:
        """Derivatives of a condition by differences, kept while y moves little: Newton's method needs only its residual exactly."""
        place, row = self._kept
        if len(row) and float(np.abs(self.coordinates.step(place, y - place)).max()) < NEARBY:
            return row
        found = np.empty(self.size)
        for k in range(self.size):
            step = np.zeros(self.size)
            step[k] = DIFFERENCE
            found[k] = (condition(self, self.coordinates.shift(y, step)) - here) / DIFFERENCE
        self._kept = (y, found)
        return found

    def move(self, y: np.ndarray, step: np.ndarray) -> np.ndarray | None:
        """The point a step further; None where that is not inside every domain."""
        target = self.coordinates.shift(y, step)
        if not self.coordinates.inside(target).all():
            return None
        if any(self.control(target, k) not in domain for k, domain in enumerate(self.domains)):
            return None
        return target if all(e.allowed(self.point(target, side)) for side, e in enumerate(self.sides)) else None

    def results(self, y: np.ndarray, side: int = 0) -> tuple[dict[str, float], float]:
        """The named results of a side, and by how much they moved when nodes were doubled last; starts from the side's nodes.

        Raises:
            Failure: there are not enough nodes for them.
        """
        self.meter.take(self.sides[side])
        values, error = self.meter.values(self.point(y, side))
        return dict(zip(self.problem.value_names, map(float, values), strict=True)), error

