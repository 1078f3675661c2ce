"""One-pass runs beside the flow: every run is compared with the flow from the overlaps that the run itself began with.

Finite runs deviate by O(1/sqrt d), with a mean of O(1/d).  Where the flow leaves a saddle it multiplies deviations, and a comparison point
by point says nothing: times after which small differences of the start have grown too much are left out, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.flow.compile import FlowModule, compile_flow
from numerics.flow.trajectory import Trajectory, trajectory
from numerics.solution import Solution
from numerics.status import Status
from replica.theory import Theory
from simulate.finite_size import Comparison, compare_all
from simulate.online.sgd import Path, named, run
from simulate.online.times import times_of
from simulate.runs import Failure, Row, Runs

GROWTH = 5.0
"""Times at which a small difference of the start has grown more than this are not compared point by point."""
MOMENTS = 5
"""Times compared where the run plan names more."""
_NUDGE = 1e-5


@dataclass(frozen=True)
class Compared:
    """What a report needs.

    Args:
        prediction: the flow at the times compared, named NAME@TIME, from the start of one run; runs: shifted to that start.
        left_out: times at which deviations had grown too much.
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
) -> Compared:
    """Run, integrate from each run's start, and compare.

    Args:
        spec: expanded; at: value of every control.
    """
    module = module or compile_flow(theory)
    known = {control.name: at[control.name] for control in theory.controls}
    every = [t for t in times_of(spec, at) if t > 0]
    moments = every if len(every) <= MOMENTS else [every[i] for i in np.linspace(0, len(every) - 1, MOMENTS).round().astype(int)]
    blocks = tuple(spec.blocks) or ("all",)
    paths: dict[tuple[int, int], Path] = {}
    failures: list[Failure] = []
    for d in sizes:
        for seed in seeds:
            path = run(spec, at, d, seed, [0.0, *moments])
            if path.failure:
                failures.append(Failure(d, seed, path.failure))
            else:
                paths[d, seed] = path
            if progress is not None:
                progress(len(paths) + len(failures), len(sizes) * len(seeds))
    flows = {key: _flow(module, known, path, _start(path)) for key, path in paths.items()}
    if not flows or not all(flow.ok for flow in flows.values()):
        bad = next((flow for flow in flows.values() if not flow.ok), None)
        status = bad.status if bad is not None else Status.DIVERGED
        return Compared(Solution(dict(at), status), Runs(spec, at, (), tuple(failures), "online_sgd"), (), ())
    sound = _sound(module, known, paths, flows)
    reference = flows[max(paths)]
    values = {key: value for key, value in _named(reference, blocks).items() if key[1] > 0}
    kept = {key: value for key, value in values.items() if sound[_place(reference.times, key[1])]}
    rows = []
    for (d, seed), path in paths.items():
        own, measured = _rounded(_named(flows[d, seed], blocks), moments), _rounded(named(path, blocks), moments)
        for (name, t), value in _rounded(kept, moments).items():
            if (name, t) in measured:
                rows.append(Row(d, seed, f"{name}@{t:g}", value + measured[name, t] - own[name, t]))
    prediction = {f"{name}@{t:g}": value for (name, t), value in _rounded(kept, moments).items()}
    runs = Runs(spec, dict(at), tuple(rows), tuple(failures), "online_sgd")
    left = tuple(float(t) for t, good in zip(reference.times, sound, strict=True) if not good)
    solution = Solution(dict(at), Status.CONVERGED, observables=prediction, residual=0.0, quadrature_error=0.0, start=reference.origin)
    return Compared(solution, runs, compare_all(runs, prediction), left)


def _start(path: Path) -> dict[str, np.ndarray]:
    return {name: values[0] for name, values in path.arrays.items()} | dict(path.fixed)


def _flow(module: FlowModule, at: Mapping[str, float], path: Path, start: Mapping[str, np.ndarray]) -> Trajectory:
    return trajectory(module, at, path.times, start=start)


def _sound(
    module: FlowModule, at: Mapping[str, float], paths: Mapping[tuple[int, int], Path], flows: Mapping[tuple[int, int], Trajectory]
) -> np.ndarray:
    """Whether a small difference of the start stays small, at each time: a step from one run's start towards another's."""
    keys = [key for key in paths if key[0] == max(d for d, _ in paths)]
    first, other = keys[0], keys[-1]
    start = _start(paths[first])
    rng = np.random.default_rng(0)
    towards = _start(paths[other]) if other != first else {name: value + rng.standard_normal(value.shape) for name, value in start.items()}
    if module.theory.system.nodes:
        return np.ones(len(paths[first].times), bool) if other == first else _apart(flows[first], flows[other])
    moved = {name: value + _NUDGE * (towards[name] - value) for name, value in start.items()}
    nudged = _flow(module, at, paths[first], moved)
    distance = _distance(flows[first], nudged)
    return distance <= GROWTH * distance[0]


def _apart(one: Trajectory, other: Trajectory) -> np.ndarray:
    distance = _distance(one, other)  # nodes are too coarse for small differences
    return distance <= GROWTH * distance[0]


def _distance(one: Trajectory, other: Trajectory) -> np.ndarray:
    parts = [np.abs(one.arrays[name] - other.arrays[name]).reshape(len(one.times), -1).max(axis=1) for name in one.arrays]
    return np.max(parts, axis=0)


def _named(flow: Trajectory, blocks: Sequence[str]) -> dict[tuple[str, float], float]:
    """The flow in the names of runs."""
    arrays = {}
    for name, values in flow.arrays.items():
        arrays[name] = values[:, None] if name in ("Q", "R") and len(blocks) == 1 else values
    return named(Path(flow.times, arrays, {}, flow.observables), blocks)


def _rounded(found: Mapping[tuple[str, float], float], moments: Sequence[float]) -> dict[tuple[str, float], float]:
    """Times of whole steps as the times that were asked for."""
    nearest = np.array([0.0, *moments])
    return {(name, float(nearest[np.argmin(np.abs(nearest - t))])): value for (name, t), value in found.items()}


def _place(times: np.ndarray, t: float) -> int:
    return int(np.argmin(np.abs(times - t)))
