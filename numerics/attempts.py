"""Attempts at one point: from each start as it is, then from where it is easy or the theory's own, along the way to the point."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import sympy as sp

from numerics.blocks import blocks, part
from numerics.coarser import closed, refined
from numerics.compile import compile_theory
from numerics.equations import Failure
from numerics.joined import joined
from numerics.outcome import levels_said, same, solution, splits
from numerics.path import carry, lost, straight
from numerics.problem import PANELS, SWEEPS, Problem
from numerics.program import Rule
from numerics.settle import Leaves, confirmed, settle
from numerics.solution import Solution
from numerics.status import Status
from numerics.steps import Held, Merged
from numerics.trust import approach
from replica.theory import Start

REGULAR = (Status.CONVERGED, Status.LIMITED)
SHARE = 0.2  # of the evaluations that are left, for one march from a start: others are to have their turn
UNSTABLE = "levels become one on the way from every start, though the solution with one step less is unstable against breaking once more"
HELD = 1e-11  # from the end of a domain: what is left out is of this size, and rounding of that of the last digit over its square root


def attempts(
    problem: Problem, point: Mapping[str, float], names: Sequence[str], tol: float, many: bool
) -> tuple[list[Solution], list[Solution]]:
    """Solutions found and failures, in the order of the starts; the first solution alone unless `many`.

    Each start is tried twice: by sweeps of the plain map that end in Newton's method, and by Newton's method alone.  Where none leads
    to a solution inside the domain, one is continued from an easy point, then from the theory's own values of its controls; last come
    bounded steps.  They come first, and suffice, where integrals are three deep: sweeps are dear there, and solutions lie in flat
    valleys; where they are four deep, so many steps are dear too, and Newton's method alone comes before.  A start with easy points is
    not given more than the first size of the buffers: where it needs more, it is far from any solution.  Parisi parameters that no
    start leads to are moved downhill, at once where there are several.  Blocks of unknowns are solved in turn, at first where integrals
    are deep.  Once `problem.left` evaluations are made no more is tried, and a failure says so.
    """
    found, failed = _tried(problem, point, names, tol, many)
    if not found and problem.exhausted:
        kept = [one for one in failed if one.status is Status.LOST]
        said = [dataclasses.replace(one, note=f"{one.note}; evaluations of integrands that a point is given are used up") for one in kept]
        failed = said or [dataclasses.replace(one, status=Status.EXHAUSTED) for one in failed]
    return found, failed


def _tried(
    problem: Problem, point: Mapping[str, float], names: Sequence[str], tol: float, many: bool
) -> tuple[list[Solution], list[Solution]]:
    loops = problem.module.loops
    deep = any(len(loop.inside) > 1 for loop in loops)
    deepest = any(len([k for k in loop.inside if loops[k].rule is not Rule.FIELD]) > 2 for loop in loops)
    steps = problem.theory.system.minimal
    found, failed = in_turn(problem, point, names, tol, many) if deep else ([], [])
    if not found and not failed and deepest:
        found = _straight(problem, point, names, tol, many)
    if not found and not failed and deep:
        found = _from_valleys(problem, point, names, tol, many)
    if not found and not failed and deep:
        found = _merged(problem, point, tol, many)
    if found or failed:
        return found, failed
    if len(steps) > 1:
        found, failed = downhill(problem, point, names, tol)
        if found:
            return found, failed
    for name in names:
        for number, one in enumerate(_from_start(problem, point, name, tol)):
            if not one.converged:
                failed += [one] if number == 0 else []
            elif not any(same(one, other) for other in found):
                found.append(one)
                if not many and one.status in REGULAR:
                    return [one], failed
    if any(one.status in REGULAR for one in found):
        return found, failed
    if len(steps) == 1:
        lower, _ = downhill(problem, point, names, tol)
        if any(one.status in REGULAR for one in lower):
            return [*lower, *found], failed
    if not deep and not problem.exhausted:
        more, hopeless = in_turn(problem, point, names, tol, many=False)
        found += more
        if hopeless or any(one.status in REGULAR for one in found):
            return found, [*hopeless, *failed]
    merged = _merged(problem, point, tol, many=False)
    if merged:
        return [*merged, *found], failed
    for name in names:
        reached = _continued(problem, point, name, tol)
        if reached is not None and reached.converged:
            return [*found, reached], failed
        failed = [reached, *failed] if reached is not None else failed
    last = _from_own_values(problem, point, names, tol)
    if last is not None:
        return [*found, last], failed
    return [*found, *([] if deep or problem.exhausted else _from_valleys(problem, point, names, tol, many=False))], failed


def _straight(problem: Problem, point: Mapping[str, float], names: Sequence[str], tol: float, many: bool) -> list[Solution]:
    """The solutions that Newton's method leads to from the starts; the first alone unless `many`."""
    found: list[Solution] = []
    for name in names:
        found += [
            one for one in _from_start(problem, point, name, tol, (0,)) if one.status in REGULAR and not any(same(one, f) for f in found)
        ]
        if found and not many:
            break
    return found


def _from_start(
    problem: Problem, point: Mapping[str, float], name: str, tol: float, ways: tuple[int, ...] = (SWEEPS, 0)
) -> Iterator[Solution]:
    """By so many sweeps of the plain map first."""
    index = problem.start_names(None).index(name)
    controls = np.array([[point[control] for control in problem.controls]])
    start = problem.start(index, point)[None]
    most = PANELS[0] if problem.theory.system.starts[index].easy else PANELS[1]
    for sweeps in ways:
        given = SHARE * problem.left[0]
        alone = dataclasses.replace(problem, left=np.full(1, given))
        yield solution(problem, point, alone.march(controls, start, tol, sweeps, most=most), 0, name)
        if given < np.inf:
            problem.left[0] -= given - alone.left[0]


def in_turn(
    problem: Problem, point: Mapping[str, float], names: Sequence[str], tol: float, many: bool
) -> tuple[list[Solution], list[Solution]]:
    """Solutions found block by block (numerics.blocks), each block by attempts of its own; the first alone unless `many`.

    Where a block ends at an end of its domain, or the first one has no solution, those of the theory with a level less.  Failures where
    that has none either, as there is then none of the whole.
    """
    order = blocks(problem.theory.system)
    if len(order) == 1:
        return [], []
    reached: list[tuple[dict[str, float], str]] = [({}, "")]
    ended = False
    for number, block in enumerate(order):
        before = frozenset(symbol for other in order[:number] for symbol in other)
        alone, ahead = Problem(compile_theory(part(problem.theory, block, before)), problem.left), []
        for values, _ in reached:
            good, bad = attempts(alone, {**point, **values}, alone.start_names(names), tol, many)
            if not good and number == 0:
                if merged := _merged(problem, point, tol, many):
                    return merged, []
                said = f"of {', '.join(symbol.name for symbol in block)}, which read nothing else"
                return [], [dataclasses.replace(one, note=f"{one.note}; {said}" if one.note else said) for one in bad]
            for one in good:
                ended |= one.status is Status.AT_END
                if one.status in REGULAR:
                    ahead.append(({**values, **{k: float(v) for k, v in one.unknowns.items()}}, one.start))
        reached = ahead
        if not reached:
            break
    found: list[Solution] = []
    for values, name in reached:
        whole = _finished(problem, point, np.array([values[unknown] for unknown in problem.names]), tol, name)
        if whole is not None and not any(same(whole, other) for other in found):
            found.append(whole)
    if ended and (many or not found):
        found += _merged(problem, point, tol, many)
    return found if many else found[:1], []


def _merged(problem: Problem, point: Mapping[str, float], tol: float, many: bool) -> list[Solution]:
    """Solutions of the theory with a level less as those of this one: levels that are one are held at the end of the domain."""
    theory, start = problem.theory, problem.theory.system.merged
    if theory.coarser is None or start is None or len(theory.system.minimal) > 1:
        return []
    coarser = Problem(compile_theory(theory.coarser()), problem.left)
    coarse, _ = attempts(coarser, {c: point[c] for c in coarser.controls}, coarser.start_names(None), tol, many)
    found: list[Solution] = []
    for one in coarse:
        if splits(one):
            continue
        whole = closed(problem, point, one) if one.status is Status.AT_END else None
        try:
            whole = whole or joined(problem, point, one) or _at_end(problem, point, one, start)
        except Leaves:
            continue
        found += [whole] if whole is not None else []
    return found


def _at_end(problem: Problem, point: Mapping[str, float], coarse: Solution, start: Start) -> Solution | None:
    """The coarser theory's solution in these unknowns, those of levels that are one next to the end of their domain."""
    system, (_kinds, low, high, conjugate) = problem.theory.system, problem.charts
    y = np.clip(refined(problem, start, point, coarse), low + HELD, high - HELD)
    held = np.flatnonzero(y == low + HELD)
    idle = [k for k, u in enumerate(system.unknowns) if u.symbol in system.minimal]
    whole = confirmed(problem, point, y, held.tolist(), start.name, idle)
    if whole is None:
        return None
    ends = [system.unknowns[k] for k in held if conjugate[k] != 1]
    zero = {unknown.name: 0.0 for unknown in ends}
    return dataclasses.replace(whole, note=levels_said(problem, ends), unknowns={**whole.unknowns, **zero})


def downhill(problem: Problem, point: Mapping[str, float], names: Sequence[str], tol: float) -> tuple[list[Solution], list[Solution]]:
    """The solution that Parisi parameters lead to downhill, from a solution with one step less or from a start.

    Where two levels become one instead, the solution with one step less, with a note that says so; a failure where that is unstable.
    """
    theory, merged = problem.theory, False
    begins: list[tuple[str, np.ndarray]] = []
    coarse: list[Solution] = []
    if theory.system.refined:  # of one step, the theory with none is where it ends, not where it begins
        assert theory.coarser is not None
        coarser = Problem(compile_theory(theory.coarser()), problem.left)
        coarse, failed = attempts(coarser, {c: point[c] for c in coarser.controls}, coarser.start_names(None), tol, False)
        if not coarse:
            return [], failed
        begins = [(start.name, refined(problem, start, point, coarse[0])) for start in theory.system.refined]
    begins += [(name, problem.start(problem.start_names(None).index(name), point)) for name in names]
    for name, first in begins:
        try:
            near = Held(problem, point).minimum(first)
        except Merged:
            merged = True
            continue
        except (Failure, np.linalg.LinAlgError):
            continue
        one = _finished(problem, point, near, tol, name) if near is not None else None
        if one is not None:
            return [one], []
    if not merged or not coarse:
        return [], []
    whole = closed(problem, point, coarse[0])
    if whole is not None and splits(whole):  # levels merge from starts that are bad
        return [], [dataclasses.replace(whole, status=Status.LOST, note=UNSTABLE)]
    return [whole] if whole is not None else [], []


def _finished(problem: Problem, point: Mapping[str, float], near: np.ndarray, tol: float, name: str) -> Solution | None:
    """The solution next to some unknowns, None where neither way of ending leads to one."""
    one = settle(problem, point, near, tol, name)
    if one is None:
        controls = np.array([[point[control] for control in problem.controls]])
        one = solution(problem, point, problem.march(controls, near[None], tol, 0), 0, name)
    return one if one.status in REGULAR else None


def _continued(problem: Problem, point: Mapping[str, float], name: str, tol: float) -> Solution | None:
    """The solution continued from the first easy point that leads here, else the record of the branch that came nearest."""
    nearest: tuple[float, Solution] | None = None
    for at in _easy(problem, point, name):
        first = next((one for one in _from_start(problem, at, name, tol) if one.status in REGULAR), None)
        if first is None:
            continue
        way = straight(first.at, point)
        trace = carry(problem, first, way, tol)
        if not trace.lost:
            return trace.found[-1]
        left = 1 - len(trace.found) / len(way)
        if nearest is None or left < nearest[0]:
            nearest = left, lost(problem, trace, first, point)
    return nearest[1] if nearest is not None else None


def _from_own_values(problem: Problem, point: Mapping[str, float], names: Sequence[str], tol: float) -> Solution | None:
    """The solution continued from where the theory's controls have their own values; None where a branch does not lead here."""
    own = problem.point()
    if problem.theory.missing or own == dict(point):
        return None
    for name in names:
        first = next((one for one in _from_start(problem, own, name, tol) if one.status in REGULAR), None)
        if first is not None:
            trace = carry(problem, first, straight(first.at, point), tol)
            return None if trace.lost else trace.found[-1]
    return None


def _from_valleys(problem: Problem, point: Mapping[str, float], names: Sequence[str], tol: float, many: bool) -> list[Solution]:
    """The solutions that bounded steps lead to; the first alone unless `many`."""
    found: list[Solution] = []
    for name in names:
        near = approach(problem, point, problem.start(problem.start_names(None).index(name), point))
        one = settle(problem, point, near, tol, name) if near is not None else None
        if one is not None and not any(same(one, other) for other in found):
            found.append(one)
            if not many:
                break
    return found


def _easy(problem: Problem, point: Mapping[str, float], name: str) -> Iterator[dict[str, float]]:
    """Points at which a start is easy, those inside the domains of the controls."""
    theory = problem.theory
    known = {c.name: c for c in theory.controls}
    tried = [dict(point)]
    numbers = {c.symbol: sp.Float(point[c.name]) for c in theory.controls} | {c.symbol: sp.Float(c.value) for c in theory.system.solved}
    for way in theory.system.starts[problem.start_names(None).index(name)].easy:
        values = {s.name: float(sp.N(v.xreplace(numbers))) for s, v in way.items() if s.name in known}
        place = {**point, **values}
        if place not in tried and all(v in known[k].domain for k, v in values.items()):
            tried.append(place)
            yield place
