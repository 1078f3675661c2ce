"""A row of a march as a Solution; which solutions are one, and which comes first."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from numerics.coordinates import END
from numerics.layout import WORTHLESS
from numerics.problem import March, Problem
from numerics.solution import Solution
from numerics.stability import stable
from numerics.status import CODES, Status
from replica.symbols import OrderParameter

TOLERANCE = 1e-11
SAME = 1e-7  # solutions this near in every unknown, relative, are one


def solution(problem: Problem, point: Mapping[str, float], march: March, row: int, start: str) -> Solution:
    """One row of a march as a record."""
    theory, status = problem.theory, CODES[march.status[row]]
    residual, error, steps, nodes, _jump = march.info[row]
    bare = Solution(dict(point), status, residual=float(residual), quadrature_error=float(error), start=start, steps=int(steps))
    if not status.ok:
        return bare
    values = dict(zip(problem.value_names, map(float, march.values[row]), strict=True))
    observables = {name: values[name] for name in theory.observables}
    radius = float(march.radii[row])
    coarse = status is Status.LIMITED and error > WORTHLESS * max(1.0, np.abs(march.unknowns[row]).max(initial=0.0))
    closed = one_level(problem, march.unknowns[row]) if status is Status.AT_END else ""
    return dataclasses.replace(
        bare,
        note=f"here it is results that move by {error:.1g} on doubled nodes, unknowns by far less" if coarse else closed,
        order_parameters={name: values[name] for name in theory.order_parameters},
        conjugates={name: values[name] for name in theory.conjugates},
        free_entropy=values["free_entropy"],
        observables=observables,
        unknowns=dict(zip(problem.names, map(float, march.unknowns[row]), strict=True)),
        stable=stable(radius, observables),
        spectral_radius=radius,
        nodes=int(nodes),
    )


def one_level(problem: Problem, unknowns: np.ndarray) -> str:
    """The sentence on levels that are one, where the only overlaps at an end of their domains are those that merged levels have there."""
    merged, (_kinds, low, high, conjugate) = problem.theory.system.merged, problem.charts
    end = (conjugate == 0) & ((unknowns - low < 2 * END) | (high - unknowns < 2 * END))  # the solver stops at END
    ends = [u for u, there in zip(problem.theory.system.unknowns, end, strict=True) if there]
    return "" if merged is None or not ends or any(merged.values[u.symbol] != 0 for u in ends) else levels_said(problem, ends)


def levels_said(problem: Problem, ends: Sequence[OrderParameter]) -> str:
    """The sentence on levels that are one, between which these increments vanish."""
    return f"levels of the ansatz are one: {', '.join(f'{u.meaning} = 0' for u in ends)}{any_step(problem)}"


def any_step(problem: Problem) -> str:
    """What is to be said of the innermost Parisi parameter where levels are one: nothing depends on one that is extremized."""
    system = problem.theory.system
    return f", whatever {system.ladder[-1]} is" if system.ladder and system.ladder[-1] in system.minimal else ""


def same(one: Solution, other: Solution) -> bool:
    """Whether two solutions agree in every unknown to SAME, relative; at an end of a domain, in the order parameters."""
    if one.status is Status.AT_END and other.status is Status.AT_END:
        return all(math.isclose(float(v), float(other.order_parameters[k]), abs_tol=1e-9) for k, v in one.order_parameters.items())
    return all(math.isclose(float(v), float(other.unknowns[k]), rel_tol=SAME, abs_tol=1e-9) for k, v in one.unknowns.items())


def splits(one: Solution) -> bool:
    """Whether a solution is unstable against breaking replica symmetry once more, as far as is known."""
    return float(one.observables.get("replicon", 1.0)) < 0


def thermodynamic(one: Solution) -> float:
    """Sorting key: largest free entropy first, NaN last."""
    value = float(one.free_entropy)
    return math.inf if math.isnan(value) else -value
