"""Solutions of a flow in time: phase by phase, with restarts at switches, and how it ended."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from numerics.flow import march as codes
from numerics.flow.compile import FlowModule, march
from numerics.flow.march import SLOTS, STAGES
from numerics.flow.record import Bundle, Trajectory
from numerics.flow.values import FlowValues
from numerics.status import Status
from replica.theory import Flow

TOLERANCE = 1e-10
SAMPLED, ROUGH, ROUGHEST = 1e-7, 0.04, 1e-4  # averages on nodes give no more: a kink passes nodes one by one (rough: over their number)
MOST = 1_000_000
_ENDS = {
    codes.DONE: Status.CONVERGED,
    codes.DIVERGED: Status.DIVERGED,
    codes.TOO_MANY: Status.MAX_STEPS,
    codes.TOO_SMALL: Status.STALLED,
}


def trajectory(
    module: FlowModule,
    at: Mapping[str, float] | None = None,
    times: Sequence[float] | np.ndarray | None = None,
    *,
    start: Mapping[str, np.ndarray] | None = None,
    size: int | None = 1000,
    seed: int = 0,
    **options: Any,
) -> Trajectory:
    """Integrate a flow from its start.

    Args:
        at: values of controls; the theory's own where left out.
        times: of output; the ends of all phases where left out.
        start: initial values by name; those that are missing are drawn.
        size, seed: dimension in which the initial vectors are drawn (None: infinite, where symmetric saddles are never left); the
            spec's own goes first.
        options: tol, most, nodes as in `bundle`.

    Raises:
        ValueError: an unknown control, a phase of no length, times that are not increasing or lie outside the phases.
    """
    return bundle(module, at, times, starts=(start or {},), size=size, seeds=(seed,), **options).members[0]


def bundle(
    module: FlowModule,
    at: Mapping[str, float] | None = None,
    times: Sequence[float] | np.ndarray | None = None,
    *,
    starts: Sequence[Mapping[str, np.ndarray]] | None = None,
    size: int | None = 1000,
    seeds: Sequence[int] = (0,),
    tol: float | None = None,
    most: int = MOST,
    nodes: int | None = None,
    threads: int | None = None,
) -> Bundle:
    """Integrate a flow from several starts at once, in the order of `starts` and `seeds`.

    Args:
        starts: initial values by name for each seed, or one for all seeds; those that are missing are drawn.
        tol: relative and absolute tolerance of a step.
        nodes: how many nodes averages in more than three dimensions take, a power of two.
        threads: how many starts are integrated at the same time; as many as there are processors where left out.

    Raises:
        ValueError: as in `trajectory`.
    """
    given = [dict(start) for start in starts or ({},)]
    given = given * len(seeds) if len(given) == 1 else given
    if len(given) != len(seeds):
        raise ValueError(f"{len(given)} starts for {len(seeds)} seeds: there must be one for each seed, or one for all")
    course = _Course(module, at or {}, times, tol, most, nodes)
    values = course.values
    drawn = [values.start(size, seed) for seed in seeds]
    runs = [_Run(course, values.pack(initial | own)) for initial, own in zip(drawn, given, strict=True)]
    workers = min(len(runs), threads or os.cpu_count() or 1)
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:  # compiled code holds no lock
            ends = list(pool.map(_Run.whole, runs))
    else:
        ends = [run.whole() for run in runs]
    found = []
    for seed, run, status, initial, own in zip(seeds, runs, ends, drawn, given, strict=True):
        where = f"drawn in {values.size(size)} dimensions, seed {seed}" if values.size(size) else "infinite size"
        found.append(run.result(status, f"start: {'given' if not set(initial) - set(own) else where}"))
    return Bundle(tuple(found))


def _tolerance(flow: Flow, values: FlowValues) -> float:
    """What is asked for where nothing is said: as much as the averages are good for."""
    if not flow.nodes:
        return TOLERANCE
    rough = any(d.value.has(sp.Max, sp.Min, sp.Abs, sp.sign, sp.Heaviside, sp.Piecewise) for d in flow.program)
    return min(ROUGHEST, ROUGH / min(len(weights) for _, weights in values.rules)) if rough else SAMPLED


def _ends(values: FlowValues) -> list[float]:
    ends, total = [], 0.0
    for phase in values.flow.phases:
        length = values.number(phase.duration)
        if not length > 0:
            raise ValueError(f"stage '{phase.name}': must last for some time, found {length:g}")
        total += length
        ends.append(total)
    return ends


def _wanted(times: Sequence[float] | np.ndarray | None, ends: list[float]) -> np.ndarray:
    found = np.array(ends if times is None else times, float)
    if len(found) and (np.any(np.diff(found) <= 0) or found[0] < 0 or found[-1] > ends[-1] * (1 + 1e-12) or not np.isfinite(found[-1])):
        raise ValueError(f"times must increase between 0 and {ends[-1]:g}, found {found[0]:g} to {found[-1]:g}")
    return np.minimum(found, ends[-1])


class _Course:
    """What all starts share: numbers at the point, phases with their parameters, times of output."""

    def __init__(
        self,
        module: FlowModule,
        at: Mapping[str, float],
        times: Sequence[float] | np.ndarray | None,
        tol: float | None,
        most: int,
        nodes: int | None,
    ) -> None:
        theory = module.theory
        self.module, self.most = module, most
        self.point = {control.name: float(control.value) for control in theory.controls} | {k: float(v) for k, v in at.items()}
        unknown = set(self.point) - {control.name for control in theory.controls}
        if unknown:
            raise ValueError(f"'{min(unknown)}' is not a control of this theory (controls: {' '.join(c.name for c in theory.controls)})")
        self.values = FlowValues(theory.system, module.plan, self.point, nodes)
        ends = _ends(self.values)
        wanted = _wanted(times, ends)
        self.tolerance = tol if tol is not None else _tolerance(theory.system, self.values)
        self.phases: list[tuple[np.ndarray, float, np.ndarray, int]] = []  # parameters, begin, times, how many of these are of output
        begin = 0.0
        for phase, end in zip(theory.system.phases, ends, strict=True):
            last = phase is theory.system.phases[-1]
            inside = wanted[(wanted >= begin) & ((wanted < end) | (last & (wanted <= end)))] if len(wanted) else wanted
            self.phases.append((self.values.parameters(phase), begin, np.append(inside, [] if last else end), len(inside)))
            begin = end


class _Run:
    """Buffers of one integration."""

    def __init__(self, course: _Course, state: np.ndarray) -> None:
        self.course, self.module, self.values, self.state = course, course.module, course.values, state
        moving = {definition.target.base for definition in self.values.flow.equations}
        self.moving = self.values.length(tuple(array for array in self.module.plan.state if array.base in moving))
        self.integers, self.scratch = self.values.integers(), np.zeros(max(1, self.values.length(self.module.plan.scratch)))
        self.work, self.info = np.zeros((STAGES + 2) * len(state)), np.zeros(4)
        self.times: list[np.ndarray] = []
        self.states: list[np.ndarray] = []
        self.results: list[np.ndarray] = []

    def whole(self) -> Status:
        """All phases, up to the last time of output."""
        code = codes.DONE
        for parameters, begin, times, kept in self.course.phases:
            code = self.phase(parameters, begin, times, kept) if len(times) else codes.DONE
            if code != codes.DONE:
                break
        return _ENDS[code]

    def phase(self, parameters: np.ndarray, begin: float, times: np.ndarray, kept: int) -> int:
        """One phase; the first `kept` of `times` are of output."""
        results = len(self.module.plan.results)
        states, read = np.full((len(times), len(self.state)), np.nan), np.full((len(times), max(1, results)), np.nan)
        tableau = tableau_of()
        self.info[0], self.info[1] = begin, 0.0
        arrays = (self.state, parameters, self.scratch, self.integers, times, states, read, tableau, self.info, self.work)
        lengths = (
            len(self.state),
            self.moving,
            len(parameters),
            len(self.scratch),
            len(self.integers),
            len(times),
            results,
            len(tableau),
            self.course.most,
        )
        code_at = (self.module.rates, self.module.results)
        table = np.array([*(a.ctypes.data for a in arrays), *lengths, *code_at], np.int64)
        assert len(table) == SLOTS
        code = march(table.ctypes.data, self.course.tolerance)
        reached = int(np.sum(~np.isnan(states[:kept, 0]))) if kept else 0
        self.times.append(times[:reached])
        self.states.append(states[:reached])
        self.results.append(read[:reached])
        return int(code)

    def result(self, status: Status, origin: str) -> Trajectory:
        """What was found."""
        times, states, read = np.concatenate(self.times), np.concatenate(self.states), np.concatenate(self.results)
        moving = {definition.target.base for definition in self.values.flow.equations}
        arrays, labels = {}, {}
        whole, last = self.values.unpack(states), self.values.unpack(self.state[None])
        for array in self.module.plan.state:
            names = _axes(array)
            if array.base in moving:
                found = whole[array.name]
                if names and array.axes[0].name == "block" and self.values.sizes[array.axes[0].symbol] == 1:
                    found, names = found[:, 0], names[1:]
                arrays[array.name], labels[array.name] = found, names
        coordinates: dict[str, list[str | int]] = {
            axis.name: list(axis.labels) or list(range(1, self.values.sizes[axis.symbol] + 1)) for axis in self.values.flow.axes
        }
        used = {name for names in labels.values() for name in names}
        coordinates |= {f"{name}_": labels_ for name, labels_ in coordinates.items()}
        return Trajectory(
            dict(self.course.point),
            times,
            arrays,
            {name: read[:, i] for i, name in enumerate(self.module.plan.results)},
            status,
            float(self.info[0]),
            {name: value[0] for name, value in last.items()},
            int(self.info[2]),
            int(self.info[3]),
            labels,
            {name: found for name, found in coordinates.items() if name in used},
            origin,
        )


def _axes(array) -> tuple[str, ...]:
    """Names of dimensions; a second axis of a kind carries an underscore."""
    found: list[str] = []
    for axis in array.axes:
        found.append(axis.name + "_" * found.count(axis.name))
    return tuple(found)


@cache
def tableau_of() -> np.ndarray:
    """Stages, weights, and the two error estimates, in one piece."""
    from scipy.integrate import DOP853

    parts = (DOP853.A[:STAGES, :STAGES], DOP853.B, DOP853.E3, DOP853.E5)
    return np.concatenate([np.asarray(part, float).ravel() for part in parts])
