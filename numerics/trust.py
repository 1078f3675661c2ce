"""Newton's method with bounded steps, for solutions in a flat valley: directions that the equations hardly tell apart wait for the others.

Near several steps of replica symmetry breaking the free energy is nearly flat in the Parisi parameters.  A Newton step is exact to
second order in the overlaps only, and what is left of them, over a slope that is nearly zero, throws it out of the valley.  Levenberg's
step within a length moves the overlaps to where they belong first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from numerics.equations import Failure
from numerics.problem import Problem
from numerics.settle import newton, resolve
from numerics.system import Look, System

FIRST, LEAST = 0.5, 1e-3  # length of a step in charts: at first, and when to give up
LOOKS = 40  # evaluations
SHORTENED = 8  # times that half of a sweep is halved
FAR = 0.3  # in charts: nodes are chosen anew
NEAR = 1e-3  # the solver's own Newton steps take over from there
WORSE = 2.0  # a mismatch so many times the one before is not built on


def approach(problem: Problem, at: Mapping[str, float], start: np.ndarray) -> np.ndarray | None:
    """Unknowns next to a solution at a point, from a start; None where steps lead to none.

    Where a step leads to overlaps that no vectors have, a sweep of the map is made instead: its images are overlaps that vectors have.
    """
    system = System(problem.module, at, {})
    conjugate = problem.charts[3] == 1
    y, length, seen = start, FIRST, start
    try:
        system.choose(y, fresh=True)
        look = system.look(y)
        for _ in range(LOOKS):
            step = bounded(look, length)
            moved = _moved(system, y, step, seen)
            if moved is not None and np.abs(moved[1].value).max() <= WORSE * np.abs(look.value).max():
                y, look, seen = moved
                length = min(FIRST, 2 * length)
                if np.abs(newton(look)).max() < NEAR:
                    resolve(system, y, NEAR)
                    look = system.look(y)
                    if np.abs(newton(look)).max() < NEAR:
                        return y
                continue
            if moved is None:
                system.choose(y)  # nodes may be none where fields are none
                swept = _swept(system, y, look, conjugate)
                if swept is not None:
                    y, look = swept
                    seen = y
                    continue
                system.choose(y)
                seen = y
            length = 0.25 * min(length, float(np.abs(step).max()))
            if length < LEAST:
                return None
    except (Failure, np.linalg.LinAlgError):
        pass
    return None


def _moved(system: System, y: np.ndarray, step: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, Look, np.ndarray] | None:
    """The point a step further, how it looks, and where its nodes were chosen; None where it is outside every domain."""
    target = system.move(y, step)
    if target is None:
        return None
    try:
        seen = _resolved(system, target, seen)
        return target, system.look(target), seen
    except Failure:
        return None


def _swept(system: System, y: np.ndarray, look: Look, conjugate: np.ndarray) -> tuple[np.ndarray, Look] | None:
    """A sweep of the map, conjugates first and then overlaps, each shortened until there are such fields; None where there are none."""
    for half in (conjugate, ~conjugate):
        for power in range(SHORTENED):
            moved = _moved(system, y, np.where(half, -look.value, 0.0) * 0.5**power, y)
            if moved is not None:
                y, look, _ = moved
                system.choose(y)
                break
            system.choose(y)
        else:
            return None
    return y, look


def _resolved(system: System, y: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Nodes for a point, those that are there if it is near to where they were chosen; returns where that is."""
    if np.abs(system.coordinates.step(seen, y - seen)).max() <= FAR:
        return seen
    system.choose(y)
    return y


def bounded(look: Look, length: float) -> np.ndarray:
    """The step that lowers the mismatch most for its length; Newton's own where that is no longer than `length` in any component."""
    step = np.linalg.solve(look.slope, -look.value)
    if np.abs(step).max() <= length:
        return np.asarray(step)
    left, values, right = np.linalg.svd(look.slope)
    along = -(left.T @ look.value) * values
    low, high = -32 * math.log(10), 2 * math.log(10) + 2 * math.log(values[0])
    for _ in range(40):
        middle = 0.5 * (low + high)
        step = right.T @ (along / (values**2 + math.exp(middle)))
        low, high = (middle, high) if np.abs(step).max() > length else (low, middle)
    return np.asarray(right.T @ (along / (values**2 + math.exp(high))))
