"""Every solution of a theory at one point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from numerics.attempts import attempts
from numerics.meet import meet
from numerics.outcome import TOLERANCE, thermodynamic
from numerics.problem import Compiled, Problem
from numerics.recursion import is_recursion, run
from numerics.solution import Solution
from numerics.undetermined import determined

WORK = 7e9
"""Evaluations of integrands (one to three minutes) that marches may make at one point, and once more where a control is solved for."""


def solve(
    module: Compiled,
    at: Mapping[str, float] | None = None,
    *,
    tol: float = TOLERANCE,
    starts: Sequence[str] | None = None,
    all_solutions: bool = True,
) -> tuple[Solution, ...]:
    """All solutions found at a point, the largest free entropy (the thermodynamic one) first.

    Each start is tried twice: by sweeps of the plain map that end in Newton's method, and by Newton's method alone,
    which also finds fixed points that repel the map.  Where none leads to a solution inside the domain, one is continued from a point
    that is easy for a start, and a control that is solved for is moved until its condition is met.

    Args:
        at: values of controls; the theory's own where left out.
        tol: bound on the quadrature error of the unknowns.
        starts: names of starts to try; all of the theory's where left out.
        all_solutions: False stops at the first start that converges.

    Returns:
        Of a recursion the state that it reaches, with its trajectory.
        Converged solutions; where there is none, failed ones whose status says why, with the last good point of a lost branch first.
        No more is tried once WORK evaluations are made.

    Raises:
        ValueError: for a control outside its domain, an unknown control or start.
    """
    problem = Problem(module, np.full(1, WORK))
    point = problem.point(at)
    for control in problem.theory.missing:
        if math.isnan(point[control.name]):
            raise ValueError(f"control {control.name} has no value of its own and must be given ({control.meaning})")
    names = problem.start_names(starts)
    if is_recursion(module):
        return (run(module, point, trajectory=True),)
    found, failed = attempts(problem, point, names, tol, all_solutions)
    found = determined(problem, point, found, tol)
    if not found:
        met = meet(module, point, names, tol, np.full(1, WORK))
        found, failed = [one for one in met if one.converged], [*(one for one in met if not one.converged), *failed]
        failed.sort(key=lambda one: not one.reached)
    return tuple(sorted(found, key=thermodynamic)) or tuple(failed)
