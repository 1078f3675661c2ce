"""One-pass runs beside the flow: every run is compared with the flow from the overlaps that the run itself began with.

Finite runs deviate by O(1/sqrt d), with a mean of O(1/d).  Where the flow leaves a saddle it multiplies deviations, and a comparison point
by point says nothing: times after which small differences of the start have grown too much are left out, and the times of escape are
compared instead (`simulate.escapes`).  Long after the escape averages agree again, though units may have found other places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.flow.compile import FlowModule, compile_flow
from numerics.flow.record import Trajectory
from numerics.flow.trajectory import bundle, trajectory
from numerics.solution import Solution
from numerics.status import Status
from replica.theory import Theory
from simulate import escapes
from simulate.finite_size import Comparison, compare_all
from simulate.online.runs import paths as paths_by
from simulate.online.sgd import Path, named
from simulate.online.times import times_of
from simulate.runs import Failure, Row, Runs, usual

GROWTH = 5.0
"""Times at which a small difference of the start has grown more than this are not compared point by point."""
MEASURED = ("mse", "generalization_error", "loss")
"""Averages of runs, in the order in which they are searched for a plateau."""
PREVIEW = 100
MOMENTS = 5
"""Times compared where the run plan names more."""
_NUDGE = 1e-5


@dataclass(frozen=True)
class Compared:
    """What a report needs.

    Args:
        prediction: the flow at the times compared, named NAME@TIME, from the start of one run; runs: shifted to that start.
        left_out: times at which deviations had grown too much for overlaps to be compared.
    """

    prediction: Solution
    runs: Runs
    comparisons: tuple[Comparison, ...]
    left_out: tuple[float, ...]


def compared(
    spec: Any,
    theory: Theory,
    at: Mapping[str, float],
    sizes: Sequence[int],
    seeds: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
    module: FlowModule | None = None,
    algorithm: str | None = None,
    device: str = "cpu",
) -> Compared:
    """Run, integrate from each run's start, and compare.

    Args:
        spec: expanded; at: value of every control.
    """
    algorithm = algorithm or usual(spec, at, device)
    module = module or compile_flow(theory)
    known = {control.name: at[control.name] for control in theory.controls}
    every = [t for t in times_of(spec, at) if t > 0]
    moments = every if len(every) <= MOMENTS else [every[i] for i in np.linspace(0, len(every) - 1, MOMENTS).round().astype(int)]
    blocks = tuple(spec.blocks) or ("all",)
    preview = _preview(module, known, moments[-1], max(sizes), seeds[0])
    left = escapes.departure(preview.times, preview.observables, MEASURED) if preview.ok else None
    marks = escapes.watched(moments, min(sizes)) if left is not None else moments
    paths: dict[tuple[int, int], Path] = {}
    failures: list[Failure] = []
    for d in sizes:
        for seed, path in zip(seeds, paths_by(algorithm, spec, at, d, seeds, [0.0, *marks], device), strict=True):
            if path.failure:
                failures.append(Failure(d, seed, path.failure))
            else:
                paths[d, seed] = path
        if progress is not None:
            progress(len(paths) + len(failures), len(sizes) * len(seeds))
    flows = _flows(module, known, paths)
    if not flows or not all(flow.ok for flow in flows.values()):
        bad = next((flow for flow in flows.values() if not flow.ok), None)
        status = bad.status if bad is not None else Status.DIVERGED
        return Compared(Solution(dict(at), status), Runs(spec, at, (), tuple(failures), algorithm), (), ())
    sound = _sound(module, known, paths, flows)
    reference = flows[max(paths)]
    escaped = _escaped(left, paths, flows) if left is not None else {}
    late = escapes.LATER * max((max(pair) for pair in escaped.values()), default=math.inf)
    kept = {}
    for (name, t), value in _at(_named(reference, blocks), reference.times, moments).items():
        place = _place(reference.times, t)
        if sound[""][place] or (t > late and name in sound and sound[name][place]):
            kept[name, t] = value
    rows = []
    for (d, seed), path in paths.items():
        own, measured = _at(_named(flows[d, seed], blocks), path.times, moments), _at(named(path, blocks), path.times, moments)
        rows += [
            Row(d, seed, f"{name}@{t:g}", value + measured[name, t] - own[name, t])
            for (name, t), value in kept.items()
            if (name, t) in measured
        ]
    prediction = {f"{name}@{t:g}": value for (name, t), value in kept.items()}
    pointwise = compare_all(Runs(spec, dict(at), tuple(rows), tuple(failures), algorithm), prediction)
    if left is not None and escaped:
        met = escapes.compared(left, escaped, moments[-1])
        pointwise += (met,) if met is not None else ()
        rows += [Row(d, seed, left.name, pair[0]) for (d, seed), pair in escaped.items()]
    runs = Runs(spec, dict(at), tuple(rows), tuple(failures), algorithm)
    out = tuple(t for t in moments if not sound[""][_place(reference.times, t)])
    solution = Solution(dict(at), Status.CONVERGED, observables=prediction, residual=0.0, quadrature_error=0.0, start=reference.origin)
    return Compared(solution, runs, pointwise, out)


def _preview(module: FlowModule, at: Mapping[str, float], end: float, size: int, seed: int) -> Trajectory:
    """What a run of this size will look like."""
    return trajectory(module, at, np.geomspace(end / 1000, end, PREVIEW), size=size, seed=seed)


def _escaped(
    left: escapes.Departure, paths: Mapping[tuple[int, int], Path], flows: Mapping[tuple[int, int], Trajectory]
) -> dict[tuple[int, int], tuple[float, float]]:
    """Times of escape of each run and of its flow; nothing where runs do not measure what escapes."""
    name = left.observable
    if not all(name in path.averages for path in paths.values()):
        return {}
    return {
        key: (left.time(path.times, path.averages[name]), left.time(path.times, flows[key].observables[name]))
        for key, path in paths.items()
    }


def _start(path: Path) -> dict[str, np.ndarray]:
    return {name: values[0] for name, values in path.arrays.items()} | dict(path.fixed)


def _flows(module: FlowModule, at: Mapping[str, float], paths: Mapping[tuple[int, int], Path]) -> dict[tuple[int, int], Trajectory]:
    """The flow from the start of every run; runs of one size share their times and are integrated at once."""
    found: dict[tuple[int, int], Trajectory] = {}
    for d in dict.fromkeys(size for size, _ in paths):
        keys = [key for key in paths if key[0] == d]
        starts = [_start(paths[key]) for key in keys]
        members = bundle(module, at, paths[keys[0]].times, starts=starts, seeds=range(len(keys))).members
        found |= dict(zip(keys, members, strict=True))
    return found


def _flow(module: FlowModule, at: Mapping[str, float], path: Path, start: Mapping[str, np.ndarray]) -> Trajectory:
    return trajectory(module, at, path.times, start=start)


def _sound(
    module: FlowModule, at: Mapping[str, float], paths: Mapping[tuple[int, int], Path], flows: Mapping[tuple[int, int], Trajectory]
) -> dict[str, np.ndarray]:
    """Whether a small difference of the start stays small, at each time: of the overlaps (""), and of each observable.

    The difference is a step from one run's start towards another's; where averages are taken on nodes, which are too coarse for small
    differences, it is the other run's start itself.
    """
    keys = [key for key in paths if key[0] == max(d for d, _ in paths)]
    first, other = keys[0], keys[-1]
    start = _start(paths[first])
    if module.theory.system.nodes:
        if other == first:
            return {name: np.ones(len(paths[first].times), bool) for name in ("", *flows[first].observables)}
        return _still(flows[first], flows[other])
    rng = np.random.default_rng(0)
    towards = _start(paths[other]) if other != first else {name: value + rng.standard_normal(value.shape) for name, value in start.items()}
    moved = {name: value + _NUDGE * (towards[name] - value) for name, value in start.items()}
    return _still(flows[first], _flow(module, at, paths[first], moved))


def _still(one: Trajectory, other: Trajectory) -> dict[str, np.ndarray]:
    parts = [np.abs(one.arrays[name] - other.arrays[name]).reshape(len(one.times), -1).max(axis=1) for name in one.arrays]
    distance = np.max(parts, axis=0)
    found = {name: np.abs(values - other.observables[name]) for name, values in one.observables.items()} | {"": distance}
    return {name: value <= GROWTH * distance[0] for name, value in found.items()}


def _named(flow: Trajectory, blocks: Sequence[str]) -> dict[tuple[str, float], float]:
    """The flow in the names of runs."""
    arrays = {}
    for name, values in flow.arrays.items():
        arrays[name] = values[:, None] if name in ("Q", "R") and len(blocks) == 1 else values
    return named(Path(flow.times, arrays, {}, flow.observables), blocks)


def _at(found: Mapping[tuple[str, float], float], times: np.ndarray, moments: Sequence[float]) -> dict[tuple[str, float], float]:
    """What was found at the whole steps nearest to some moments, under these moments."""
    step = {t: float(times[_place(times, t)]) for t in moments}
    return {(name, t): found[name, step[t]] for name in dict.fromkeys(name for name, _ in found) for t in moments}


def _place(times: np.ndarray, t: float) -> int:
    return int(np.argmin(np.abs(times - t)))
