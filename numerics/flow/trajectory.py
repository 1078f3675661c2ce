"""Solutions of a flow in time: phase by phase, with restarts at switches, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import sympy as sp
import xarray as xr

from numerics.flow import march as codes
from numerics.flow.compile import FlowModule, march
from numerics.flow.march import SLOTS, STAGES
from numerics.flow.values import FlowValues
from numerics.status import Status
from replica.theory import Flow

TOLERANCE = 1e-10
SAMPLED, ROUGH = 1e-7, 1e-4  # averages on nodes give no more; a kink passes nodes one by one, and none of them is worth a step
MOST = 1_000_000
_ENDS = {
    codes.DONE: Status.CONVERGED,
    codes.DIVERGED: Status.DIVERGED,
    codes.TOO_MANY: Status.MAX_STEPS,
    codes.TOO_SMALL: Status.STALLED,
}


@dataclass(frozen=True)
class Trajectory:
    """States and observables at the times that were reached.

    Args:
        at: value of every control.
        times: (n,), arrays: name -> (n, ...), observables: name -> (n,).
        status: how it ended; time: how far it came.
        last: the last good state.
        steps, calls: of the integrator.
    """

    at: Mapping[str, float]
    times: np.ndarray
    arrays: Mapping[str, np.ndarray]
    observables: Mapping[str, np.ndarray]
    status: Status
    time: float
    last: Mapping[str, np.ndarray]
    steps: int
    calls: int
    labels: Mapping[str, tuple[str, ...]]
    coordinates: Mapping[str, Sequence[str | int]]
    origin: str = ""

    @property
    def ok(self) -> bool:
        return self.status.ok

    def to_xarray(self) -> xr.Dataset:
        """Variables over `time` and the axes of each array."""
        variables = {name: (("time", *self.labels[name]), values) for name, values in self.arrays.items()}
        variables |= {name: (("time",), values) for name, values in self.observables.items()}
        attributes = {"status": str(self.status), "time_reached": self.time, "origin": self.origin}
        attributes |= {f"at.{name}": float(value) for name, value in self.at.items()}
        return xr.Dataset(variables, {"time": self.times, **self.coordinates}, attributes)


def trajectory(
    module: FlowModule,
    at: Mapping[str, float] | None = None,
    times: Sequence[float] | np.ndarray | None = None,
    *,
    start: Mapping[str, np.ndarray] | None = None,
    size: int | None = 1000,
    seed: int = 0,
    tol: float | None = None,
    most: int = MOST,
) -> Trajectory:
    """Integrate a flow from its start.

    Args:
        at: values of controls; the theory's own where left out.
        times: of output; the ends of all phases where left out.
        start: initial values by name; those that are missing are drawn.
        size, seed: dimension in which the initial vectors are drawn (None: infinite, where symmetric saddles are never left).
        tol: relative and absolute tolerance of a step.

    Raises:
        ValueError: an unknown control, a phase of no length, times that are not increasing or lie outside the phases.
    """
    theory = module.theory
    point = {control.name: float(control.value) for control in theory.controls} | {k: float(v) for k, v in (at or {}).items()}
    unknown = set(point) - {control.name for control in theory.controls}
    if unknown:
        raise ValueError(f"'{min(unknown)}' is not a control of this theory (controls: {' '.join(c.name for c in theory.controls)})")
    values = FlowValues(theory.system, module.plan, point)
    ends = _ends(values)
    wanted = _wanted(times, ends)
    own = dict(start or {})
    initial = values.start(size, seed) | own
    run = _Run(module, values, values.pack(initial))
    tolerance = tol if tol is not None else _tolerance(theory.system)
    begin, code = 0.0, codes.DONE
    for phase, end in zip(theory.system.phases, ends, strict=True):
        last = phase is theory.system.phases[-1]
        inside = wanted[(wanted >= begin) & ((wanted < end) | (last & (wanted <= end)))] if len(wanted) else wanted
        code = run.phase(phase, begin, np.append(inside, [] if last else end), len(inside), tolerance, most)
        if code != codes.DONE or (last and not len(inside)):
            break
        begin = end
    drawn = f"start: {'given' if not set(initial) - set(own) else f'drawn in {size} dimensions, seed {seed}' if size else 'infinite size'}"
    return run.result(point, _ENDS[code], drawn)


def _tolerance(flow: Flow) -> float:
    """What is asked for where nothing is said: as much as the averages are good for."""
    if not flow.nodes:
        return TOLERANCE
    rough = any(d.value.has(sp.Max, sp.Min, sp.Abs, sp.sign, sp.Heaviside, sp.Piecewise) for d in flow.program)
    return ROUGH if rough else SAMPLED


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


class _Run:
    """Buffers of one integration."""

    def __init__(self, module: FlowModule, values: FlowValues, state: np.ndarray) -> None:
        self.module, self.values, self.state = module, values, state
        moving = {definition.target.base for definition in values.flow.equations}
        self.moving = values.length(tuple(array for array in module.plan.state if array.base in moving))
        self.integers, self.scratch = values.integers(), np.zeros(max(1, values.length(module.plan.scratch)))
        self.work, self.info = np.zeros((STAGES + 2) * len(state)), np.zeros(4)
        self.times: list[np.ndarray] = []
        self.states: list[np.ndarray] = []
        self.results: list[np.ndarray] = []

    def phase(self, phase, begin: float, times: np.ndarray, kept: int, tolerance: float, most: int) -> int:
        """One phase; the first `kept` of `times` are of output."""
        parameters, results = self.values.parameters(phase), len(self.module.plan.results)
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
            most,
        )
        code_at = (self.module.rates, self.module.results)
        table = np.array([*(a.ctypes.data for a in arrays), *lengths, *code_at], np.int64)
        assert len(table) == SLOTS
        code = march(table.ctypes.data, tolerance)
        reached = int(np.sum(~np.isnan(states[:kept, 0]))) if kept else 0
        self.times.append(times[:reached])
        self.states.append(states[:reached])
        self.results.append(read[:reached])
        return int(code)

    def result(self, point: Mapping[str, float], status: Status, origin: str) -> Trajectory:
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
            dict(point),
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
