"""Solutions at the end of a domain that leave a control which is solved for undetermined: one level has no complexity anywhere."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from numerics.outcome import same, solution
from numerics.problem import Problem
from numerics.solution import Solution
from numerics.status import Status

MOVED = 1e-3  # how far a control is moved, relative
STAYS = 1e-6  # a control that is as near to where it was put has stayed there


def determined(problem: Problem, point: Mapping[str, float], found: Sequence[Solution], tol: float) -> list[Solution]:
    """The solutions without those whose condition holds wherever the control that is solved for is put.

    One that does not change with the control either, as a Parisi parameter where there is one level, is kept, and a note says so; each
    is kept once, at its most precise.
    """
    kept: list[Solution] = []
    for one in found:
        for control in problem.theory.system.solved if one.status is Status.AT_END else ():
            other = _elsewhere(problem, point, one, control.name, tol)
            if other is None:
                continue
            if not same(_without(one, control.name), _without(other, control.name)):
                break
            one = dataclasses.replace(one, note=f"{one.note}, whatever {control.name} is" if one.note else f"whatever {control.name} is")
        else:
            names = [c.name for c in problem.theory.system.solved if f"whatever {c.name} is" in one.note]
            for number, other in enumerate(kept):
                if other.status is one.status and same(_without(one, *names), _without(other, *names)):
                    if one.stable is other.stable and one.quadrature_error < other.quadrature_error:
                        kept[number] = one
                    break
            else:
                kept.append(one)
    return kept


def _elsewhere(problem: Problem, point: Mapping[str, float], one: Solution, name: str, tol: float) -> Solution | None:
    """The solution with the control moved a little, if it stays where it is put."""
    put = float(one.unknowns[name]) * (1 - MOVED)
    begin = np.array([[put if unknown == name else float(one.unknowns[unknown]) for unknown in problem.names]])
    controls = np.array([[point[control] for control in problem.controls]])
    other = solution(problem, point, problem.march(controls, begin, tol), 0, one.start)
    stays = other.status is Status.AT_END and math.isclose(float(other.unknowns[name]), put, rel_tol=STAYS)
    return other if stays else None


def _without(one: Solution, *names: str) -> Solution:
    return dataclasses.replace(one, order_parameters={k: v for k, v in one.order_parameters.items() if k not in names})
