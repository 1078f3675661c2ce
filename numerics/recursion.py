"""Recursions: the map of a theory from its start, as many steps as asked for, and the results on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp

from numerics.equations import Equations, Failure
from numerics.layout import ERROR_AT, INFO, JUMP_AT, RESIDUAL_AT, STEPS_AT, local_size
from numerics.problem import Compiled, Problem
from numerics.solution import Solution
from numerics.solver import recur
from numerics.status import CAPACITY, CODES, Status
from replica.nodes import LogAverage, Tilted
from replica.symbols import control_symbol
from replica.theory import Recursion, Theory

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Path:
    """States of a recursion.

    Args:
        at: value of every control.
        states: (steps taken + 1, unknowns), the start first.
        status: how it ended.
        residual: largest relative move in the last step; error: of the images, from doubled nodes, when they were last looked at.
    """

    at: Mapping[str, float]
    states: np.ndarray
    status: Status
    residual: float
    error: float


def is_recursion(module: Compiled) -> bool:
    """Whether the theory of a module is iterated and not solved."""
    return module.theory is not None and isinstance(module.theory.system, Recursion)


def iterate(module: Compiled, at: Mapping[str, float] | None = None) -> tuple[Path, Equations]:
    """The states from the start on, and the equations with the nodes of the last one."""
    problem, equations = Problem(module), Equations(module)
    system, point = problem.theory.system, problem.point(at)
    n, c = len(problem.names), len(problem.controls)
    kinds, low, high, _ = problem.charts
    first = {s.name for s in system.conjugates}
    images = zip(problem.names, system.equations, strict=True)
    conjugate = np.array([1 if name in first else 0 if image.has(LogAverage, Tilted) else 2 for name, image in images], np.int64)
    steps, damping = _plan(system, point)
    states, info = np.zeros((steps + 1, n)), np.zeros(INFO)
    states[0] = problem.start(0, point)
    controls, local = np.array([point[name] for name in problem.controls]), np.zeros(local_size(n, c))
    arrays = {
        "kinds": kinds,
        "low": low,
        "high": high,
        "conjugate": conjugate,
        "points": controls,
        "found": states,
        "info": info,
        "local": local,
        "empty": np.zeros(len(module.loops) + 1, np.int64),
    }
    while True:
        code = recur(equations.table(**arrays, steps=steps, first=int(info[STEPS_AT])), damping)
        if code != CAPACITY:
            status = CODES[code]
            break
        try:
            equations.enlarge()
        except Failure as failure:
            status = failure.status
            break
        info[JUMP_AT] = 0.0  # panels are chosen anew: look at doubled nodes at once
    taken = int(info[STEPS_AT])
    return Path(point, states[: taken + 1], status, float(info[RESIDUAL_AT]), float(info[ERROR_AT])), equations


def _plan(system: Recursion, at: Mapping[str, float]) -> tuple[int, float]:
    """(steps, damping) at a point.

    Raises:
        ValueError: one line naming what is out of its range.
    """
    known = {control_symbol(name): sp.Float(value) for name, value in at.items()}
    steps, damping = (float(sp.sympify(value).xreplace(known)) for value in (system.steps, system.damping))
    if not (steps >= 1 and steps == round(steps)):
        raise ValueError(f"{system.steps} steps of the recursion come out as {steps:g}: a whole number from 1 on is needed")
    if not 0 <= damping < 1:
        raise ValueError(f"damping {system.damping} of the recursion comes out as {damping:g}: it must lie in [0, 1)")
    return round(steps), damping


def run(module: Compiled, at: Mapping[str, float] | None = None, *, trajectory: bool = False) -> Solution:
    """The last state as a solution, with all results without averages after every step where `trajectory` is asked for."""
    path, equations = iterate(module, at)
    theory = Problem(module).theory
    bare = Solution(path.at, path.status, residual=path.residual, quadrature_error=path.error, start="start", steps=len(path.states) - 1)
    if not path.status.ok:
        return bare
    controls = [path.at[name] for name in equations.problem.controls]
    last = np.array([*path.states[-1], *controls])
    names = equations.problem.value_names
    try:
        values = dict(zip(names, map(float, equations.values(last)[0]), strict=True))
    except Failure:  # at an end of the domain averages may have no value
        values = dict.fromkeys(names, math.nan) | dict(_plain(theory, equations, last))
    return replace(
        bare,
        order_parameters={name: values[name] for name in theory.order_parameters},
        conjugates={name: values[name] for name in theory.conjugates},
        observables={name: values[name] for name in theory.observables},
        free_entropy=values["free_entropy"],
        unknowns=dict(zip(equations.problem.names, map(float, path.states[-1]), strict=True)),
        nodes=equations.nodes,
        trajectory=_trajectory(theory, equations, path, controls) if trajectory else {},
    )


def trajectory(module: Compiled, at: Mapping[str, float] | None = None) -> xr.Dataset:
    """Results without averages over `step`, the start being step 0; how it ended is among the attributes."""
    import xarray as xr  # takes longer to load than a point to solve

    path, equations = iterate(module, at)
    theory = Problem(module).theory
    found = _trajectory(theory, equations, path, [path.at[name] for name in equations.problem.controls])
    steps = found.pop("time")
    attributes = {"theory": theory.name, "fingerprint": theory.fingerprint, "status": str(path.status), "residual": path.residual}
    attributes |= {f"at_{name}": value for name, value in path.at.items()}
    return xr.Dataset({name: (("step",), values) for name, values in found.items()}, {"step": np.array(steps, np.int64)}, attributes)


def _trajectory(theory: Theory, equations: Equations, path: Path, controls: list[float]) -> dict[str, list[float]]:
    rows = [_plain(theory, equations, np.array([*state, *controls])) for state in path.states]
    return {"time": [*map(float, range(len(rows)))]} | {name: [row[name] for row in rows] for name in rows[0]}


def _plain(theory: Theory, equations: Equations, p: np.ndarray) -> dict[str, float]:
    """Results that need no averages."""
    named = {**theory.order_parameters, **theory.conjugates, **theory.observables}
    values = dict(zip(equations.problem.value_names, map(float, equations.plain(p)), strict=True))
    return {name: values[name] for name, e in named.items() if not e.has(LogAverage, Tilted)}
