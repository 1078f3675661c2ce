"""Continuation: every branch of solutions over a range of one control, through folds, and what happens on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numerics.branch import Branch, Branches, Special
from numerics.equations import Failure
from numerics.events import crossings, special_points
from numerics.limits import WORTHLESS, Limit, ended
from numerics.outcome import TOLERANCE, same
from numerics.problem import Compiled, Problem
from numerics.solution import Solution
from numerics.solve import solve
from numerics.status import Status
from numerics.tracer import Tracer

POINTS = 40
SEEDS = 5  # values of the control at which solutions are sought


def follow(
    module: Compiled, along: Mapping[str, tuple[float, float]], at: Mapping[str, float] | None = None, *,
    tol: float = TOLERANCE, starts: Sequence[str] | None = None, points: int = POINTS, progress: Any = None,
) -> Branches:
    """Every branch that starts from the solutions at both ends of a range (and at points between) lead to.

    Args:
        along: one control and its range.
        at: values of the other controls.
        tol: bound on the quadrature error of the unknowns.
        starts: names of starts to try; all of the theory's where left out.
        points: how many steps of the control a branch is cut into at least, and points of `grid`.
        progress: called with (points done, points in all), an estimate while branches are followed.

    Raises:
        ValueError: for more than one control, an empty range, an unknown control or start, a value outside a domain.
    """
    problem = Problem(module)
    name, low, high = _range(problem, along, at)
    base = problem.point({**(at or {}), name: low})
    chosen = problem.start_names(starts)
    tracer = Tracer(module, base, name, (low, high), tol, points)
    told = progress or (lambda done, total: None)
    notes: list[str] = []
    seeds = [(value, solve(module, {**base, name: value}, tol=tol, starts=chosen)) for value in _seeds(low, high)]
    total = len(seeds) + 4 * points
    limits: dict[str, Limit] = {}
    branches: list[Branch] = []
    found: list[Special] = []
    for number, (value, solutions) in enumerate(seeds):
        if not solutions[0].converged:
            notes.append(f"no solution at {name} = {value:g}: {solutions[0].sentence}")
        for one in solutions:
            if one.status is Status.AT_END and not one.quadrature_error < WORTHLESS:
                notes.append(f"at {name} = {value:g} the {one.start} start runs to the end of the domain, where results have no limit")
            elif one.status is Status.AT_END:
                limits.setdefault(one.start, Limit(module, one.start, tol))
            elif one.converged and not any(tracer.holds(branch, one, value) for branch in branches):
                try:
                    branches.append(tracer.branch(one, value, f"b{len(branches) + 1}"))
                except Failure as failure:
                    notes.append(f"the solution at {name} = {value:g} with {_short(one)} cannot be continued: {failure}")
            told(min(number + 1 + sum(len(b.points) for b in branches), total - points), total)
    values = np.linspace(low, high, points + 1)
    at_end = end_branches(problem, limits, base, name, values, len(branches))
    for part, remarks in (
        special_points(tracer, branches),
        crossings(module, tracer, branches, [(branch, limits[branch.points[0].start]) for branch in at_end]),
    ):
        found += part
        notes += remarks
    everything = (*branches, *at_end)
    grid = [tracer.everywhere(everything, float(value), notes) for value in values]
    told(total, total)
    fixed = {k: v for k, v in base.items() if k != name}
    ordered = sorted(found, key=lambda s: (s.at[name], s.kind))
    return Branches(
        problem.theory, name, (low, high), fixed, tol, everything, tuple(ordered), tuple(tuple(s for s, _ in row) for row in grid),
        tuple(tuple(owner for _, owner in row) for row in grid), tuple(notes),
    )


def _range(problem: Problem, along: Mapping[str, tuple[float, float]], at: Mapping[str, float] | None) -> tuple[str, float, float]:
    if len(along) != 1:
        raise ValueError(f"follow takes one control, got {', '.join(along) or 'none'}")
    ((name, ends),) = along.items()
    low, high = min(map(float, ends)), max(map(float, ends))
    if name in (at or {}):
        raise ValueError(f"{name} is followed and cannot be fixed as well")
    if not low < high or not math.isfinite(high - low):
        raise ValueError(f"the range of {name} must have two different finite ends, got {low:g} and {high:g}")
    for value in (low, high):
        problem.point({**(at or {}), name: value})
    return name, low, high


def _seeds(low: float, high: float) -> list[float]:
    """The ends first: a branch is best started where it is furthest from trouble."""
    values = [float(v) for v in np.linspace(low, high, SEEDS)]
    return [values[0], values[-1], *values[1:-1]]


def _short(one: Solution) -> str:
    return ", ".join(f"{k} = {float(v):.6g}" for k, v in one.order_parameters.items())


def end_branches(
    problem: Problem, limits: Mapping[str, Limit], base: Mapping[str, float], name: str, values: np.ndarray, named: int
) -> list[Branch]:
    """Stretches of the range over which a start leads to the end of a domain, the same end all along; each found once."""
    runs: list[list[Solution]] = []
    for limit in limits.values():
        run: list[Solution] = []
        for value in (*map(float, values), math.nan):
            one = limit.at({**base, name: value}) if value == value else None
            if one is not None and (not run or ended(problem, run[-1]) == ended(problem, one)):
                run.append(one)
                continue
            runs += [run] if run else []
            run = [one] if one is not None else []
    kept: list[list[Solution]] = []
    for run in sorted(runs, key=len, reverse=True):
        if not any(_covers(problem, other, run, name) for other in kept):
            kept.append(run)
    step = float(values[1] - values[0])
    return [
        Branch(f"b{named + number + 1}", tuple(run), (), (
            _end_of_run(name, run[0], float(values[0]), -step), _end_of_run(name, run[-1], float(values[-1]), step)
        ))
        for number, run in enumerate(kept)
    ]


def _covers(problem: Problem, longer: Sequence[Solution], shorter: Sequence[Solution], name: str) -> bool:
    """Whether every solution of one run is in another."""
    there = {one.at[name]: one for one in longer}
    return all(one.at[name] in there and same(one, there[one.at[name]]) for one in shorter)


def _end_of_run(name: str, one: Solution, end: float, step: float) -> str:
    value = one.at[name]
    if value == end:
        return f"{name} = {value:g} is the end of the range"
    return f"the map leaves the end of the domain between {name} = {value:g} and {value + step:g}"
