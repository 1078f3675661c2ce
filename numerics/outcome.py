"""A row of a march as a Solution; which solutions are one, and which comes first."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from numerics.layout import WORTHLESS
from numerics.problem import March, Problem
from numerics.solution import Solution
from numerics.stability import stable
from numerics.status import CODES, Status

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
    return dataclasses.replace(
        bare,
        note=f"here it is results that move by {error:.1g} on doubled nodes, unknowns by far less" if coarse else "",
        order_parameters={name: values[name] for name in theory.order_parameters},
        conjugates={name: values[name] for name in theory.conjugates},
        free_entropy=values["free_entropy"],
        observables=observables,
        unknowns=dict(zip(problem.names, map(float, march.unknowns[row]), strict=True)),
        stable=stable(radius, observables),
        spectral_radius=radius,
        nodes=int(nodes),
    )


def same(one: Solution, other: Solution) -> bool:
    """Whether two solutions agree in every unknown to SAME, relative; at an end of a domain, in the order parameters."""
    if one.status is Status.AT_END and other.status is Status.AT_END:
        return all(math.isclose(float(v), float(other.order_parameters[k]), abs_tol=1e-9) for k, v in one.order_parameters.items())
    return all(math.isclose(float(v), float(other.unknowns[k]), rel_tol=SAME, abs_tol=1e-9) for k, v in one.unknowns.items())


def thermodynamic(one: Solution) -> float:
    """Sorting key: largest free entropy first, NaN last."""
    value = float(one.free_entropy)
    return math.inf if math.isnan(value) else -value
