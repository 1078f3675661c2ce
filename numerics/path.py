"""Solutions carried from point to point in controls, in smaller steps where a branch moves fast; where one is lost, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from numerics.layout import ABOVE, BELOW, BETWEEN, JUMP_AT
from numerics.outcome import TOLERANCE, solution
from numerics.problem import Problem
from numerics.solution import Solution
from numerics.status import CONVERGED, LIMITED, Status

STEPS = 12
"""Points on a straight way between two points."""
HALVINGS = 6
"""How often a step is halved before a branch counts as lost."""
JUMP = 0.5
"""In charts; a branch that moves further from its prediction may be another one."""
AHEAD = 64.0
"""Last steps within which an unknown that runs straight on would be at its end."""


@dataclasses.dataclass(frozen=True)
class Trace:
    """How far a branch could be carried.

    Args:
        found: its solutions at the points asked for, up to where it was lost.
        last: the last two good points, steps between included.
        lost: whether it was.
    """

    found: tuple[Solution, ...]
    last: tuple[Solution, ...]
    lost: bool


def straight(begin: Mapping[str, float], target: Mapping[str, float], steps: int = STEPS) -> list[dict[str, float]]:
    """Points on the way to a point, itself the last: in equal ratios of positive controls and equal steps of others."""
    way = [{k: between(float(begin[k]), v, float(t)) for k, v in target.items()} for t in np.linspace(0, 1, steps + 1)[1:-1]]
    return [*way, dict(target)]


def between(low: float, high: float, part: float) -> float:
    """A value part of the way."""
    if low == high:
        return low
    return float(low * (high / low) ** part) if min(low, high) > 0 else low + (high - low) * part


def carry(problem: Problem, begin: Solution, path: Sequence[Mapping[str, float]], tol: float = TOLERANCE) -> Trace:
    """A solution carried along a path as far as its branch goes."""
    found: list[Solution] = []
    last: tuple[Solution, ...] = (begin,)
    while len(found) < len(path):
        good = _marched(problem, last[-1], path[len(found) :], tol)
        found += good
        last = (*last, *good)[-2:]
        if len(found) == len(path):
            break
        way = _bridged(problem, last[-1], path[len(found)], tol, HALVINGS)
        last = (*last, *way)[-2:]
        if not way or way[-1].at != path[len(found)]:
            return Trace(tuple(found), last, True)
        found.append(way[-1])
    return Trace(tuple(found), last, False)


def lost(problem: Problem, trace: Trace, begin: Solution, at: Mapping[str, float]) -> Solution:
    """The record of a branch that did not reach a point: its last good point, and what runs to an end there."""
    last = trace.last[-1]
    names = [name for name in problem.controls if begin.at[name] != at[name]]
    note = f"continued from {_named(begin.at, names)}, lost after {_named(last.at, names)}"
    ending = _ending(problem, trace.last)
    if ending:
        note += f", where {' and '.join(ending)} {'runs' if len(ending) == 1 else 'run'} to the end of the domain"
    return dataclasses.replace(last, at=dict(at), status=Status.LOST, reached=dict(last.at), note=note, stable=None)


def _named(at: Mapping[str, float], names: Sequence[str]) -> str:
    return ", ".join(f"{name} = {at[name]:.6g}" for name in names)


def _ending(problem: Problem, last: Sequence[Solution]) -> list[str]:
    """Unknowns whose last step, repeated a few times, leads to an end of their domains."""
    if len(last) < 2:
        return []
    kinds, low, high, _conjugate = problem.charts
    x, y = (np.array([float(one.unknowns[name]) for name in problem.names]) for one in last)
    down = np.isin(kinds, (ABOVE, BETWEEN)) & (y < x) & (y - low < AHEAD * (x - y))
    up = np.isin(kinds, (BELOW, BETWEEN)) & (y > x) & (high - y < AHEAD * (y - x))
    return [name for name, there in zip(problem.names, down | up, strict=True) if there]


def _bridged(problem: Problem, last: Solution, at: Mapping[str, float], tol: float, halvings: int) -> list[Solution]:
    """Good points on the way to a point; the last one is there, unless the branch is lost before."""
    found = _marched(problem, last, [at], tol)
    if found or not halvings:
        return found
    middle = {k: between(float(last.at[k]), float(v), 0.5) for k, v in at.items()}
    first = _bridged(problem, last, middle, tol, halvings - 1)
    if not first or first[-1].at != middle:
        return first
    return [*first, *_bridged(problem, first[-1], at, tol, halvings - 1)]


def _marched(problem: Problem, begin: Solution, path: Sequence[Mapping[str, float]], tol: float) -> list[Solution]:
    """Solutions along a path until one is missing, or too far from its prediction to be on the same branch for sure."""
    controls = np.array([[float(point[name]) for name in problem.controls] for point in (begin.at, *path)])
    unknowns = np.array([[float(begin.unknowns[name]) for name in problem.names]])
    march = problem.march(controls, unknowns, tol, 0, lone=True)
    found: list[Solution] = []
    for row, at in enumerate(path, 1):
        if march.status[row] not in (CONVERGED, LIMITED) or march.info[row, JUMP_AT] > JUMP:
            break
        found.append(solution(problem, at, march, row, begin.start))
    return found
