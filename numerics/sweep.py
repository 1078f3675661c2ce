"""Solutions over a grid of controls, every branch that the starts lead to, journalled so that a kill loses nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from numerics.attempts import REGULAR
from numerics.layout import JUMP_AT
from numerics.outcome import TOLERANCE, same, solution, thermodynamic
from numerics.path import JUMP, carry
from numerics.problem import PANELS, Compiled, March, Problem
from numerics.recursion import is_recursion, run
from numerics.solution import Solution
from numerics.solve import solve
from numerics.status import Status
from numerics.store import Journal, point_key
from numerics.undetermined import determined

BATCH = 64  # points between two commits of the journal


def sweep(
    module: Compiled,
    over: Mapping[str, Iterable[float]],
    at: Mapping[str, float] | None = None,
    *,
    tol: float = TOLERANCE,
    starts: Sequence[str] | None = None,
    journal: str | Path | None = None,
    progress: Any = None,
) -> xr.Dataset:
    """Follow every branch over a grid of controls.

    Each start is followed forwards along the grid, and backwards too where a branch was lost on the way or the start leads
    to another solution at the last point, so that coexisting branches (hysteresis) are all kept.

    Args:
        over: values of each swept control, in the order of the grid's dimensions.
        at: values of the other controls.
        tol: bound on the quadrature error of the unknowns.
        journal: file that keeps finished points; a rerun with the same theory and tolerance goes on where it stopped.
        progress: called with (points done, points in all) after each batch.

    Returns:
        Dataset with dimensions (controls..., solution), solutions ordered by free entropy; see `dataset`.

    Raises:
        ValueError: for an empty or non-finite grid, an unknown control or start, a value outside its domain.
        StoreError: where the journal is damaged or belongs to something else.
    """
    problem = Problem(module)
    axes = {name: np.array(list(values), dtype=np.float64) for name, values in over.items()}
    for name, values in axes.items():
        if not len(values):
            raise ValueError(f"sweep over {name}: no values given")
        for value in values:
            problem.point({**(at or {}), name: float(value)})
    path = [problem.point({**(at or {}), **dict(zip(axes, values, strict=True))}) for values in serpentine(list(axes.values()))]
    names = problem.start_names(starts)
    with Journal.open(journal, problem.theory.fingerprint) as book:
        keys = [point_key(point, tol, names) for point in path]
        rows = {key: kept for key in keys if (kept := book.find(key)) is not None}
        missing = [i for i, key in enumerate(keys) if key not in rows]
        for part in runs(missing, BATCH if journal else len(path)):
            found = follow(problem, [path[i] for i in part], names, tol)
            rows |= {keys[i]: solutions for i, solutions in zip(part, found, strict=True)}
            book.save({keys[i]: rows[keys[i]] for i in part})
            if progress is not None:
                progress(len(rows), len(path))
    table = {tuple(point[name] for name in axes): rows[key] for point, key in zip(path, keys, strict=True)}
    return dataset(problem, axes, at, table, tol)


def follow(problem: Problem, path: Sequence[Mapping[str, float]], starts: Sequence[str], tol: float) -> list[tuple[Solution, ...]]:
    """Solutions at each point of a path, ordered by free entropy; one failed Solution where no start converged."""
    if is_recursion(problem.module):
        return [(run(problem.module, point),) for point in path]
    points = np.array([[point[name] for name in problem.controls] for point in path])
    branches: list[tuple[March, str, bool]] = []
    for name in starts:
        index = problem.start_names(None).index(name)
        most = PANELS[0] if problem.theory.system.starts[index].easy else PANELS[1]  # where it needs more, it is far from any solution
        ahead = problem.march(points, problem.starts(index, path), tol, most=most)
        branches.append((ahead, name, False))
        last = problem.march(points[-1:], problem.starts(index, path[-1:]), tol, most=most)
        one, other = solution(problem, path[-1], ahead, -1, name), solution(problem, path[-1], last, 0, name)
        jumped = bool((ahead.info[1:, JUMP_AT] > JUMP).any())
        if len(path) > 1 and other.converged and (jumped or not (one.converged and same(one, other))):
            back = problem.march(points[::-1], problem.starts(index, path[::-1]), tol, most=most)
            branches.append((back, name, True))
    result = [_found(problem, branches, path, i, tol) for i in range(len(path))]
    return _reached(problem, path, starts, tol, result)


def _found(
    problem: Problem, branches: Sequence[tuple[March, str, bool]], path: Sequence[Mapping[str, float]], i: int, tol: float
) -> tuple[Solution, ...]:
    found: list[Solution] = []
    for march, name, reverse in branches:
        one = solution(problem, path[i], march, len(path) - 1 - i if reverse else i, name)
        if not any(same(one, other) for other in found if one.converged == other.converged):
            found.append(one)
    good = determined(problem, path[i], [s for s in found if s.converged], tol)
    bad = [s for s in found if not s.converged] or [replace(s, status=Status.UNMET) for s in found]
    return tuple(sorted(good, key=thermodynamic)) or tuple(bad[:1])


def _reached(
    problem: Problem, path: Sequence[Mapping[str, float]], starts: Sequence[str], tol: float, found: list[tuple[Solution, ...]]
) -> list[tuple[Solution, ...]]:
    """Points without a solution, from their neighbours' solutions and, where there are none, as `solve` finds one; where starts have
    easy points, an end of the domain that they ran to counts as none."""
    plain = not any(s.easy for s in problem.theory.system.starts) and not problem.theory.system.solved
    if plain and all(one[0].converged for one in found):
        return found
    for order in (range(len(path)), range(len(path) - 1, -1, -1)):
        before: Solution | None = None
        for i in order:
            if found[i][0].status in REGULAR:
                before = found[i][0]
            elif before is not None and not (plain and found[i][0].converged):
                trace = carry(problem, before, [path[i]], tol)
                before = trace.found[-1] if trace.found else None
                found[i] = (before,) if before is not None else found[i]
    for i in range(len(path)):
        if found[i][0].converged:
            continue
        anew = solve(problem.module, path[i], tol=tol, starts=starts, all_solutions=False)
        found[i] = anew[:1]
        if not anew[0].converged:
            break  # so it is for those beyond: one sentence is enough
        rest = next((j for j in range(i + 1, len(path)) if found[j][0].converged), len(path))
        for j, one in enumerate(carry(problem, anew[0], path[i + 1 : rest], tol).found, i + 1):
            found[j] = (one,)
    return found


def serpentine(axes: Sequence[np.ndarray]) -> list[tuple[float, ...]]:
    """All points of a grid in an order in which neighbours differ in one control only."""
    if not axes:
        return [()]
    inner = serpentine(axes[1:])
    return list(itertools.chain.from_iterable([(float(v), *rest) for rest in inner[:: -1 if i % 2 else 1]] for i, v in enumerate(axes[0])))


def runs(indices: Sequence[int], longest: int) -> list[list[int]]:
    """Cut indices into stretches of neighbours, none longer than `longest`."""
    result: list[list[int]] = []
    for i in indices:
        if result and result[-1][-1] == i - 1 and len(result[-1]) < longest:
            result[-1].append(i)
        else:
            result.append([i])
    return result


def dataset(
    problem: Problem,
    axes: Mapping[str, np.ndarray],
    at: Mapping[str, float] | None,
    table: Mapping[tuple[float, ...], Sequence[Solution]],
    tol: float,
) -> xr.Dataset:
    """Solutions over a grid as a Dataset with dimensions (controls..., solution).

    Variables: every order parameter, conjugate and observable, `free_entropy`, `residual`, `quadrature_error`,
    `spectral_radius`, `stable` (1, 0, or -1 for unknown) and `status` (names of numerics.status, "" where there is no
    such solution).  Attributes: theory, fingerprint, values of the fixed controls, tolerance.
    """
    theory = problem.theory
    groups = {"order_parameters": theory.order_parameters, "conjugates": theory.conjugates, "observables": theory.observables}
    names = [name for group in groups.values() for name in group]
    extra = ["free_entropy", "residual", "quadrature_error", "spectral_radius"]
    depth = max(map(len, table.values()))
    shape = (*(len(v) for v in axes.values()), depth)
    data = {name: np.full(shape, math.nan) for name in names + extra}
    stable, status = np.full(shape, -1, np.int8), np.full(shape, "", dtype="<U16")
    for index in np.ndindex(*shape[:-1]):
        for k, one in enumerate(table[tuple(float(v[i]) for v, i in zip(axes.values(), index, strict=True))]):
            place = (*index, k)
            status[place] = one.status.name.lower()
            for name in extra:
                data[name][place] = float(getattr(one, name))
            if one.converged:
                stable[place] = -1 if one.stable is None else int(one.stable)
                for name in names:
                    data[name][place] = float(one[name])
    dims = (*axes, "solution")
    variables = {name: (dims, values) for name, values in data.items()} | {"stable": (dims, stable), "status": (dims, status)}
    result = xr.Dataset(variables, coords={**axes, "solution": np.arange(depth)})
    for group, members in groups.items():
        for name in members:
            result[name].attrs["kind"] = group
    fixed = problem.point({**(at or {}), **{name: float(values[0]) for name, values in axes.items()}})
    result.attrs = {
        "theory": theory.name, "fingerprint": theory.fingerprint, "tolerance": tol,
        "statuses": "; ".join(f"{s.name.lower()}: {s}" for s in Status),
        **{f"at_{name}": value for name, value in fixed.items() if name not in axes},
    }
    return result
