"""Levels that are one, where their own equations say nothing next to there: nodes of fields do not tell apart what is much nearer.

The theory with a level less has the solution.  What is left to know is whether the levels stay one: the map, linear around there, must
not enlarge what they differ by.  It is looked at a little way off, at two distances, and taken to none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import sympy as sp

from numerics.coarser import closed, refined
from numerics.equations import Derivatives, Failure
from numerics.outcome import levels_said
from numerics.problem import Problem
from numerics.settle import Leaves
from numerics.solution import Solution
from numerics.system import System
from replica.theory import Start

APART = 2e-3  # what levels differ by, relative to the largest overlap
RESOLVED = 1e-3  # of a growth: more nodes are taken while they change it by more
DOUBLINGS = 5  # of the nodes of one loop


def joined(problem: Problem, point: Mapping[str, float], coarse: Solution) -> Solution | None:
    """The coarser theory's solution as one of this theory; None where nodes do not tell, or it has not all that is measured.

    Raises:
        Leaves: levels do not stay one.
    """
    theory, start = problem.theory, problem.theory.system.merged
    one = closed(problem, point, coarse)
    if start is None or one is None:
        return None
    try:
        growth = grows(problem, start, point, coarse)
    except (Failure, np.linalg.LinAlgError):
        return None
    if growth > 1:
        raise Leaves("levels do not stay one")
    at_end = _ends(problem, start) & (problem.charts[3] == 0)
    ends = [u for u, there in zip(theory.system.unknowns, at_end, strict=True) if there]
    return dataclasses.replace(one, note=levels_said(problem, ends))


def grows(problem: Problem, start: Start, point: Mapping[str, float], coarse: Solution) -> float:
    """By what the map multiplies differences between levels that are one; what levels have in common is followed by the coarser theory.

    Raises:
        Failure: nodes are not enough.
    """
    begin = refined(problem, start, point, coarse)
    normal = _differences(problem, start, point, coarse)
    near, far = (_growth(problem, start, point, begin, part, normal) for part in (APART, 2 * APART))
    return 2 * near - far


def _ends(problem: Problem, start: Start) -> np.ndarray:
    """Which unknowns vanish."""
    return np.array([start.values[u.symbol] == 0 for u in problem.theory.system.unknowns])


def _differences(problem: Problem, start: Start, point: Mapping[str, float], coarse: Solution) -> np.ndarray:
    """Directions in which levels come apart, as orthonormal columns: those that no unknown of the coarser theory moves along."""
    theory = problem.theory
    common = [sp.Symbol(name, real=True) for name in coarse.unknowns]
    numbers = {sp.Symbol(k, real=True): sp.Float(float(v)) for k, v in {**point, **coarse.unknowns}.items()}
    idle = [u.symbol in theory.system.minimal for u in theory.system.unknowns]
    rows = [[sp.sympify(start.values[u.symbol]).diff(c).xreplace(numbers) for c in common] for u in theory.system.unknowns]
    along = np.hstack([np.array(rows, float), np.eye(len(idle))[:, idle]])
    left, sizes, _ = np.linalg.svd(along)
    return left[:, int((sizes > 1e-9 * sizes.max()).sum()) :]


def _growth(
    problem: Problem, start: Start, point: Mapping[str, float], begin: np.ndarray, part: float, normal: np.ndarray
) -> float:
    """The largest real number by which the map multiplies differences, levels a little apart."""
    system, ends, conjugate = System(problem.module, point, {}), _ends(problem, start), problem.charts[3] == 1
    y = begin.copy()
    y[ends & ~conjugate] = part * np.abs(begin[~conjugate]).max()
    y[ends & conjugate] = part * np.abs(begin[conjugate]).max()
    system.choose(y, fresh=True)
    found = _look(system, y)
    y[ends & conjugate] = (y - found.residual)[ends & conjugate]
    growth = _largest(system, y, normal)
    for refinement in reversed(system.refinements):
        for _ in range(DOUBLINGS):
            system.refine(y, refinement, for_good=True)
            finer, growth = growth, _largest(system, y, normal)
            if abs(growth - finer) < RESOLVED:
                break
    return growth


def _look(system: System, y: np.ndarray) -> Derivatives:
    return system.sides[0].look(system.point(y))


def _largest(system: System, y: np.ndarray, normal: np.ndarray) -> float:
    slope = np.eye(len(y)) - _look(system, y).unknowns
    values = np.linalg.eigvals(normal.T @ slope @ normal)
    return float(values.real.max())
