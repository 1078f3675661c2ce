"""Where a flow rests: fixed points with their stability, and plateaus of an observable with the time of escape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from numerics.flow.compile import FlowModule
from numerics.flow.trajectory import Trajectory
from numerics.flow.values import FlowValues
from numerics.native import Kernel
from numerics.status import Status

STEP = 1e-6  # of differences, relative to 1 + |x|
MOST = 60
SUDDEN = 3.0
"""In the logarithm of time every decay begins flat; a plateau at the start is one that is left faster than an exponential is."""
BESIDE = 0.05
"""How far a fixed point may be from the end of a trajectory to be told with it."""


@dataclass(frozen=True)
class Rest:
    """A fixed point of one phase.

    Args:
        arrays: values by name.
        rates: real parts of the eigenvalues of the linear flow around it, the largest first; stable where all are negative.
        residual: largest rate of an unknown that is left.
    """

    arrays: Mapping[str, np.ndarray]
    rates: np.ndarray
    residual: float
    status: Status

    @property
    def stable(self) -> bool:
        return bool(self.rates[0] < 0)


def fixed_point(module: FlowModule, at: Mapping[str, float], start: Mapping[str, np.ndarray], phase: int = -1, tol: float = 1e-11) -> Rest:
    """The fixed point that Newton's method reaches from `start`, in the variables that symmetry leaves free.

    Args:
        at: values of controls that differ from the theory's own; phase: whose parameters hold.
        tol: largest rate that is left, relative to the largest slope of the flow (a small learning rate makes every rate small).
    """
    theory = module.theory
    point = {control.name: float(control.value) for control in theory.controls} | dict(at)
    values = FlowValues(theory.system, module.plan, point)
    state, parameters = values.pack(values.start(None, 0) | dict(start)), values.parameters(theory.system.phases[phase])
    scratch, integers, spare = np.zeros(max(1, values.length(module.plan.scratch))), values.integers(), np.zeros(1)
    kernel, free = Kernel(module.rates), _free(module, values)
    rates = np.zeros(len(state))

    def flow(y: np.ndarray) -> np.ndarray:
        x = state.copy()
        for places, value in zip(free, y, strict=True):
            x[places] = value
        kernel(x, parameters, scratch, integers, spare, rates)
        return np.array([rates[places[0]] for places in free])

    y = np.array([state[places[0]] for places in free])
    status = Status.MAX_STEPS
    for _ in range(MOST):
        f = flow(y)
        if not np.all(np.isfinite(f)):
            status = Status.NON_FINITE
            break
        slopes = _jacobian(flow, y)
        if np.max(np.abs(f)) <= tol * np.max(np.abs(slopes)):
            status = Status.CONVERGED
            break
        step = np.linalg.lstsq(slopes, -f, rcond=1e-12)[0]
        y = y + step * min(1.0, 0.5 / max(1e-300, float(np.max(np.abs(step)))))
    for places, value in zip(free, y, strict=True):
        state[places] = value
    eigenvalues = np.sort(np.linalg.eigvals(_jacobian(flow, y)).real)[::-1] if np.all(np.isfinite(y)) else np.array([np.nan])
    arrays = {name: found[0] for name, found in values.unpack(state[None]).items()}
    return Rest(arrays, eigenvalues, float(np.max(np.abs(flow(y)))), status)


def _free(module: FlowModule, values: FlowValues) -> list[list[int]]:
    """Places of the state that are one variable: an overlap and its transpose, alone what has none."""
    definitions = {definition.target.base: definition for definition in values.flow.equations}
    found: list[list[int]] = []
    place = 0
    for array in module.plan.state:
        shape = values.shape(array)
        numbers = np.arange(place, place + int(np.prod(shape))).reshape(shape)
        place += numbers.size
        if array.base not in definitions:
            continue
        if not definitions[array.base].symmetric:
            found += [[int(n)] for n in numbers.ravel()]
            continue
        turned = np.swapaxes(numbers, -1, -2)
        found += [sorted({int(a), int(b)}) for a, b in zip(numbers.ravel(), turned.ravel(), strict=True) if a <= b]
    return found


def _jacobian(flow, y: np.ndarray) -> np.ndarray:
    columns = []
    for i in range(len(y)):
        h = STEP * (1 + abs(y[i]))
        ahead, behind = y.copy(), y.copy()
        ahead[i] += h
        behind[i] -= h
        columns.append((flow(ahead) - flow(behind)) / (2 * h))
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Plateau:
    """A stretch in which an observable hardly falls.  `escape`: when it has fallen to half of `value`, inf where it does not."""

    begin: float
    end: float
    value: float
    escape: float


def plateaus(times: np.ndarray, values: np.ndarray, slope: float = 0.1) -> tuple[Plateau, ...]:
    """Stretches where |d log value / d log time| < slope over at least a factor of two in time.

    Args:
        times: positive and increasing, dense enough to see the stretch.
    """
    times, values = np.asarray(times, float), np.asarray(values, float)
    seen = (times > 0) & (values > 0)
    t, e = times[seen], values[seen]
    if len(t) < 3:
        return ()
    flat = np.abs(np.gradient(np.log(e), np.log(t))) < slope
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(int)))
    found = []
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        last = after - 1
        if t[last] < 2 * t[first]:
            continue
        level = float(np.median(e[first:after]))
        escape = passage(t[first:], e[first:], level / 2)
        if first == 0 and after < len(t) and escape > SUDDEN * t[last]:
            continue
        found.append(Plateau(float(t[first]), float(t[last]), level, escape))
    return tuple(found)


def passage(times: np.ndarray, values: np.ndarray, level: float) -> float:
    """When values first fall below a level, straight between points in log time; inf where they do not."""
    below = np.flatnonzero(values < level)
    if not len(below):
        return np.inf
    k = int(below[0])
    if k == 0:
        return float(times[0])
    part = (values[k - 1] - level) / (values[k - 1] - values[k])
    return float(times[k - 1] * (times[k] / times[k - 1]) ** part)


@dataclass(frozen=True)
class Landmarks:
    """Where a trajectory rests: plateaus of its observables, and the fixed point beside its end, if there is one.

    Args:
        distance: of the fixed point from the last state, in the largest unknown.
    """

    plateaus: Mapping[str, tuple[Plateau, ...]]
    rest: Rest | None = None
    distance: float = np.inf


def landmarks(module: FlowModule, found: Trajectory) -> Landmarks:
    """Plateaus between the times of output; a fixed point is looked for where averages are in closed form (differences need that)."""
    rests = {name: plateaus(found.times, values) for name, values in found.observables.items()}
    rests = {name: met for name, met in rests.items() if met}
    if not found.ok or module.theory.system.nodes:
        return Landmarks(rests)
    rest = fixed_point(module, found.at, found.last)
    distance = max(float(np.max(np.abs(rest.arrays[name] - value), initial=0.0)) for name, value in found.last.items())
    if not rest.status.ok or not distance <= BESIDE:
        return Landmarks(rests)
    return Landmarks(rests, rest, distance)
