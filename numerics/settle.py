"""From next to a solution to the solution, where coarse nodes show: nodes first, then Newton's method to rounding, and the error measured.

Windows of nested loops move with the unknowns, which the Jacobian does not see.  Where that is nearly singular, as in a flat valley,
the little that coarse nodes leave of the equations is a long step, and Newton's method does not come to rest on them.

Next to an end of a domain, as where levels are one, rounding leaves no such rest; a solution that is known there already, from simpler
equations, is compared with what these make of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from numerics.equations import Failure
from numerics.layout import WORTHLESS
from numerics.outcome import solution
from numerics.problem import March, Problem
from numerics.solution import Solution
from numerics.status import AT_END, CONVERGED, LIMITED
from numerics.system import Look, System

ROUGH = 1e-4  # nor is one that rounding moves by more: valleys may be so flat that it does by more than WORTHLESS
BLUR = 100.0  # times the rounding error of the equations, which thousands of nodes add up to: doubling cannot improve on that
STEPS = 12
PATIENCE = 2  # doublings in a row that halve no change: what is left is rounding
CLOSE = 1e-9  # as far as a solution at an end is resolved
ALL = slice(None)
NEAR = 1e-6  # in charts: steps that no longer shrink are rounding


class Leaves(ArithmeticError):
    """The map leads away from the end of a domain."""


def settle(problem: Problem, at: Mapping[str, float], y: np.ndarray, tol: float, start: str) -> Solution | None:
    """The solution next to y, with what moves it for an error: the last step, nodes doubled one loop after the other, rounding.

    None where Newton's method comes to no rest, or the error stays above WORTHLESS, that of rounding above ROUGH.
    """
    system = System(problem.module, at, {})
    try:
        system.choose(y, fresh=True)
        resolve(system, y, tol)
        y, taken = rest(system, y)
        look = system.look(y)
        step, rounding = newton(look), moved(system, y, blur(look))
        error = moved(system, y, step)
        for refinement in system.refinements:
            system.refine(y, refinement)
            error += moved(system, y, newton(system.look(y)) - step)
        system.refine(y, None)
        if not (error < WORTHLESS and rounding < ROUGH):
            return None
        code = CONVERGED if error + rounding <= tol else LIMITED
        return _recorded(problem, system, y, code, error + rounding, taken, start)
    except (Failure, np.linalg.LinAlgError):
        return None


def confirmed(
    problem: Problem, at: Mapping[str, float], y: np.ndarray, ended: Sequence[int], start: str, idle: Sequence[int] = ()
) -> Solution | None:
    """The solution y, whose unknowns numbered `ended` are next to an end of their domains, with Newton's step of the others for an error.

    None where that stays above WORTHLESS.  Unknowns numbered `idle`, which nothing depends on there, stay as they are.

    Raises:
        Leaves: the map, which is linear at these ends, enlarges what is left.
    """
    system = System(problem.module, at, {})
    free = np.setdiff1d(np.arange(len(y)), [*ended, *idle])
    try:
        system.choose(y, fresh=True)
        resolve(system, y, CLOSE, free)
        error = moved(system, y, newton(system.look(y), free))
        linear = (np.eye(len(y)) - system.sides[0].look(system.point(y)).unknowns)[ended][:, ended]
        if error < WORTHLESS and np.abs(np.linalg.eigvals(linear)).max() > 1:
            raise Leaves
        return _recorded(problem, system, y, AT_END, error, 0, start, free) if error < WORTHLESS else None
    except (Failure, np.linalg.LinAlgError):
        return None


def _recorded(
    problem: Problem, system: System, y: np.ndarray, code: int, error: float, taken: int, start: str, free: np.ndarray | slice = ALL
) -> Solution:
    """The record of a solution.

    Raises:
        Failure: there are not enough nodes for its results.
    """
    side, p = system.sides[0], system.point(y)
    found, nodes = side.look(p), side.nodes
    results, shown = system.results(y)
    residual = float(system.coordinates.relative(y, y - found.residual)[free].max())
    info = [residual, max(error, shown), taken, nodes, np.inf]
    values = [results[name] for name in problem.value_names]
    march = March(y[None], np.array([values]), np.array([info]), np.array([code]), found.unknowns[None])
    return solution(problem, dict(system.at), march, 0, start)


def newton(look: Look, free: np.ndarray | slice = ALL) -> np.ndarray:
    """Newton's step in charts, that of some unknowns while the others stay."""
    step = np.zeros(len(look.value))
    step[free] = np.linalg.solve(look.slope[free][:, free], -look.value[free])
    return step


def moved(system: System, y: np.ndarray, step: np.ndarray) -> float:
    """What a step changes most, relative to the unknown or, for an overlap, in its own units."""
    there = system.coordinates.shift(y, step)
    whole = system.problem.theory.system
    overlap = (system.problem.charts[3] == 0) & np.array([u.symbol not in whole.minimal for u in whole.unknowns])
    own = np.where(overlap, np.abs(there - y), 0.0)
    return float(np.maximum(system.coordinates.relative(y, there), own).max())


def blur(look: Look, free: np.ndarray | slice = ALL) -> np.ndarray:
    """Rounding error in charts: that of each equation, carried over by the inverse Jacobian."""
    return np.asarray(np.abs(np.linalg.inv(look.slope[free][:, free])) @ look.floor[free])


def resolve(system: System, y: np.ndarray, tol: float, free: np.ndarray | slice = ALL) -> None:
    """Double loops for good, innermost first, while that moves Newton's step by more than the solution is to be good to, or can be.

    Outer panels that were chosen for the noise of coarse nested loops are chosen anew: there are far fewer of them then.
    """
    look = system.look(y)
    enough = max(tol / max(1, len(system.refinements)), min(BLUR * float(blur(look, free).max()), 0.1 * WORTHLESS))
    step = newton(look, free)
    for refinement in reversed(system.refinements):
        change, vain, finer_inside = np.inf, 0, False
        while True:
            system.refine(y, refinement)
            finer, last = newton(system.look(y), free), change
            change = float(np.abs(finer - step).max())
            vain = vain + 1 if change > 0.5 * last else 0
            if change <= enough or vain == PATIENCE:
                break
            system.refine(y, refinement, for_good=True)
            step, finer_inside = finer, refinement != system.refinements[0]
        system.refine(y, None)
        if finer_inside:
            system.choose(y)
            step = newton(system.look(y), free)


def rest(system: System, y: np.ndarray) -> tuple[np.ndarray, int]:
    """The point where Newton's steps no longer shrink, and how many were taken.

    Raises:
        Failure: from `look`; `LinAlgError` where there is no such point.
    """
    before = np.inf
    for taken in range(STEPS):
        step = newton(system.look(y))
        length = float(np.abs(step).max())
        if length < NEAR and length >= 0.2 * before:
            return y, taken
        target = system.move(y, step)
        if target is None:
            break
        y, before = target, length
    raise np.linalg.LinAlgError("Newton's method comes to no rest")
