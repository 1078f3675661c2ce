"""A control that is solved for, where no start leads to it: released, moved until its condition is met, and solved for again.

With the control held the equations are those of an ordinary point.  Its solution is carried along the control until the excess
of the condition changes sign; Newton's method then has a start next to the solution.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from numerics.attempts import REGULAR, attempts
from numerics.compile import compile_theory
from numerics.limits import Limit
from numerics.outcome import solution
from numerics.path import carry
from numerics.problem import Compiled, Problem
from numerics.solution import Solution
from numerics.status import Status
from replica.symbols import Control
from replica.theory import Theory

EXCESS = "excess"
RATIO, MOST = 1.25, 24  # a positive control moves by this factor, so often
NARROW = 1e-3  # relative width at which Newton's method takes over
HALVES = 3  # a point at which a start does not lead to the end of a domain is brought nearer to one at which it does, so often
NOTHING = 1e-9  # at an end of a domain: what is less is what is left of zero


def meet(module: Compiled, point: Mapping[str, float], names: Sequence[str], tol: float, left: np.ndarray) -> list[Solution]:
    """The solution at which the last control that is solved for meets its condition, else one failure whose note says why.

    Nothing where the theory solves for no control.  Marches make no more than `left` evaluations of integrands (numerics.problem.Problem).
    """
    theory = module.theory
    if theory is None or not theory.system.solved:
        return []
    free, control = released(theory)
    problem = Problem(compile_theory(free), left)
    at = problem.point({**point, control.name: control.value})
    found, failed = attempts(problem, at, names, tol, False)
    begin = next((one for one in found if one.status in REGULAR), None)
    if begin is None and found:
        off = _off(found[0])
        if abs(off) > NOTHING and (met := _met_at_end(problem, control, found[0], at, tol)) is not None:
            return [_with_control(met, control, point)]
        missed = f"is off by {off:.2g}" if abs(off) > NOTHING else f"holds wherever {control.name} is put"
        levels = " (levels that are one)" if problem.theory.system.ladder else ""
        note = (
            f"at {control.name} = {control.value:g}, where it starts, an unknown lies at the end of its domain{levels}, and "
            f"the condition {missed}; start it elsewhere"
        )
        return [_unmet(found[0], point, note)]
    if begin is None:
        return [dataclasses.replace(one, at=dict(point)) for one in failed[:1]]
    seen: list[Solution] = [begin]
    for path in _ways(control, at):
        here = begin
        for step in path:
            trace = carry(problem, here, [step], tol)
            if trace.lost:
                break
            before, here = here, trace.found[-1]
            seen.append(here)
            if _off(before) * _off(here) <= 0:
                return [_again(Problem(module, left), _narrowed(problem, control.name, before, here, tol), control.name, point, tol)]
            if before is begin and abs(_off(here)) > abs(_off(before)):
                break
    values = sorted((one.at[control.name], _off(one)) for one in seen)
    note = f"the condition on {control.name} is off by {values[0][1]:.4g} at {values[0][0]:.4g}"
    if len(values) > 1:
        note += f" and by {values[-1][1]:.4g} at {values[-1][0]:.4g}, with one sign between"
    else:
        note += ", and the branch reaches no further"
    return [_unmet(begin, point, note)]


def _met_at_end(problem: Problem, control: Control, begin: Solution, at: Mapping[str, float], tol: float) -> Solution | None:
    """Where an unknown stays at the end of its domain, as an overlap that vanishes by symmetry: the root of the excess along the control.

    Its error is that of the results there, which the excess is one of.
    """
    limit = Limit(problem.module, begin.start, tol)
    for path in _ways(control, at):
        before = limit.at(at)
        for step in path:
            here = None if before is None else _near(limit, before, step, control.name)
            if before is None or here is None or abs(_off(here)) > abs(_off(before)) and before.at == dict(at):
                break
            if _off(before) * _off(here) <= 0:
                return _root_at_end(limit, control.name, before, here)
            before = here
    return None


def _near(limit: Limit, before: Solution, step: Mapping[str, float], name: str) -> Solution | None:
    """The solution at a step, or at the first of its halves where the start leads to the end of the domain."""
    for half in range(HALVES + 1):
        here = limit.at({**step, name: before.at[name] + (step[name] - before.at[name]) / 2**half})
        if here is not None:
            return here
    return None


def _root_at_end(limit: Limit, name: str, one: Solution, other: Solution) -> Solution | None:
    """False position, the end that stays put counted half (Illinois)."""
    (a, fa), (b, fb) = ((s.at[name], _off(s)) for s in (one, other))
    best: Solution | None = min(one, other, key=lambda s: abs(_off(s)))
    for _ in range(60):
        if fa == fb or abs(b - a) < 4e-16 * abs(a):
            break
        value = b - fb * (b - a) / (fb - fa)
        best = limit.at({**one.at, name: value})
        if best is None or abs(value - b) < 4e-16 * abs(value) or _off(best) == 0:
            break
        fa, a = (fb, b) if _off(best) * fb < 0 else (fa / 2, a)
        b, fb = value, _off(best)
    return best


def _with_control(met: Solution, control: Control, point: Mapping[str, float]) -> Solution:
    """A solution of the released theory as one of the theory that solves for the control."""
    value = {control.name: met.at[control.name]}
    return dataclasses.replace(
        met, at=dict(point), order_parameters={**met.order_parameters, **value}, unknowns={**met.unknowns, **value},
        observables={name: v for name, v in met.observables.items() if name != EXCESS},
    )


def _unmet(begin: Solution, point: Mapping[str, float], note: str) -> Solution:
    """The solution at the starting value of the control, as the last good one."""
    return dataclasses.replace(begin, at=dict(point), status=Status.UNMET, note=note, reached=dict(begin.at), stable=None)


def released(theory: Theory) -> tuple[Theory, Control]:
    """The theory with the last control that is solved for held again, and by how much its condition is missed as a result."""
    system, control = theory.system, theory.system.solved[-1]
    pairs = list(zip(system.unknowns, system.equations, strict=True))
    excess = next(e for u, e in pairs if u.symbol == control.symbol) - control.symbol
    kept = [(u, e) for u, e in pairs if u.symbol != control.symbol]
    starts = tuple(dataclasses.replace(s, values={k: v for k, v in s.values.items() if k != control.symbol}) for s in system.starts)
    free = dataclasses.replace(
        system,
        unknowns=tuple(u for u, _ in kept),
        equations=tuple(e for _, e in kept),
        starts=starts,
        solved=system.solved[:-1],
        refined=(),
        merged=None,
    )
    return dataclasses.replace(
        theory,
        fingerprint=f"{theory.fingerprint} {control.name} released",
        system=free,
        controls=(*theory.controls, control),
        order_parameters={k: v for k, v in theory.order_parameters.items() if k != control.name},
        observables={**theory.observables, EXCESS: excess},
        coarser=None,
    ), control


def _off(one: Solution) -> float:
    return float(one[EXCESS])


def _ways(control: Control, at: Mapping[str, float]) -> list[list[dict[str, float]]]:
    """Points upwards and downwards in the control, to the ends of its domain as far as they are finite."""
    begin, domain = at[control.name], control.domain

    def points(up: bool) -> list[dict[str, float]]:
        end = domain.upper if up else domain.lower
        if begin > 0 and (up or domain.lower >= 0):
            values = begin * RATIO ** np.arange(1, MOST + 1) if up else begin * RATIO ** -np.arange(1.0, MOST + 1)
        else:
            values = begin + (1 if up else -1) * max(1.0, abs(begin)) * np.arange(1, MOST + 1) / 8
        inside = [float(v) for v in values if v in domain and (v < end if up else v > end)]
        if math.isfinite(end) and end in domain and (not inside or inside[-1] != end) and len(inside) < MOST:
            inside.append(float(end))
        return [{**at, control.name: v} for v in inside]

    return [points(True), points(False)]


def _narrowed(problem: Problem, name: str, one: Solution, other: Solution, tol: float) -> Solution:
    """A solution next to the one whose excess vanishes, between two of different sign: by secants that stay inside."""
    best = min(one, other, key=lambda s: abs(_off(s)))
    for _ in range(12):
        a, b = float(one.at[name]), float(other.at[name])
        fa, fb = _off(one), _off(other)
        if abs(b - a) <= NARROW * abs(a) or fa == fb:
            break
        part = min(max(fa / (fa - fb), 0.05), 0.95)
        trace = carry(problem, one, [{**one.at, name: a + part * (b - a)}], tol)
        if trace.lost:
            break
        best = trace.found[-1]
        one, other = (best, other) if _off(best) * fb <= 0 else (one, best)
    return best


def _again(problem: Problem, near: Solution, name: str, point: Mapping[str, float], tol: float) -> Solution:
    """Solved with the control among the unknowns, from a solution that has it nearly right."""
    values = {**near.unknowns, name: near.at[name]}
    begin = np.array([[float(values[unknown]) for unknown in problem.names]])
    controls = np.array([[point[control] for control in problem.controls]])
    return solution(problem, point, problem.march(controls, begin, tol, 0), 0, near.start)
