"""Routes of a paper: flows integrated once and kept, and the numbers that are read off them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from numerics.flow.compile import FlowModule
from numerics.flow.coverage import covered
from numerics.flow.landmarks import fixed_point, plateaus
from numerics.flow.record import Trajectory
from numerics.flow.trajectory import bundle, trajectory
from replica.papers.routes import Moment, Passage, Plateau, Rest, Route
from replica.spec import grid
from simulate.reproduce.theories import NotComputable, Theories

_ELEMENT = re.compile(r"(\w+)(?:@(\w+))?\[([^\]]+)\]")
CLUSTERS = {"covered": 0.5, "tickets": 0.0}
"""Counts of clusters, by the cosine of the angle within which a unit must lie."""
_FINER = 33
"""Points into which the stretch of a passage is divided, again and again."""


def travelled(theories: Theories, route: Route) -> tuple[Trajectory, ...]:
    """The route from each of its starts; integrated when it is first asked for.

    Raises:
        NotComputable: no flow, or one that breaks off; with the time it came to.
    """
    key = repr(route)
    if key not in theories.travelled:
        theories.travelled[key] = _integrated(theories, route, grid(route.times))
    return theories.travelled[key]


def number(theories: Theories, value: Moment | Passage | Plateau | Rest) -> float:
    """What a value in time stands for: the mean over the starts of its route.

    Raises:
        NotComputable: with the sentence of whatever refused or failed.
    """
    match value:
        case Moment():
            return float(np.mean([_moment(found, value) for found in travelled(theories, value.route)]))
        case Passage():
            return float(np.mean([_passage(theories, value, seed) for seed in value.route.seeds]))
        case Plateau():
            return float(np.mean([_plateau(found, value) for found in travelled(theories, value.route)]))
        case Rest():
            return _rest(theories, value)


def series(found: Trajectory, quantity: str) -> np.ndarray:
    """A quantity at every time.

    Raises:
        NotComputable: no quantity of this name.
    """
    if quantity in found.observables:
        return found.observables[quantity]
    parts = _ELEMENT.fullmatch(quantity)
    if parts is None or parts[1] not in found.arrays:
        raise NotComputable(f"refused: '{quantity}' is not a result of this flow (has: {' '.join([*found.arrays, *found.observables])})")
    name, block, inside = parts.groups()
    wanted, axes = ([block] if block else []) + [index.strip() for index in inside.split(",")], found.labels[name]
    if len(wanted) != len(axes):
        raise NotComputable(f"refused: '{quantity}': {name} has the axes {' '.join(axes)}")
    values = found.arrays[name]
    for index, axis in zip(wanted, axes, strict=True):
        known = [str(label) for label in found.coordinates[axis]]
        if index not in known and not (index.isdigit() and 1 <= int(index) <= len(known)):
            raise NotComputable(f"refused: '{quantity}': no {axis.rstrip('_')} '{index}' (has: {' '.join(known)})")
        values = values[:, known.index(index) if index in known else int(index) - 1]
    return values


def _integrated(theories: Theories, route: Route, times: Sequence[float], seeds: Sequence[int] = ()) -> tuple[Trajectory, ...]:
    module, start = theories.flow(route.spec), _arrays(route.start)
    known, chosen = _known(module, theories, route), tuple(seeds or route.seeds)
    try:
        found = bundle(module, known, times, starts=(start,), size=route.size, seeds=chosen, nodes=route.nodes).members
    except ValueError as refusal:
        raise NotComputable(f"refused: {refusal}") from None
    for one in found:
        if not one.ok:
            raise NotComputable(f"broke off at alpha = {one.time:g}: {one.status}")
    return tuple(_counted(module, one) for one in found)


def _counted(module: FlowModule, found: Trajectory) -> Trajectory:
    """With the clusters that its units stand for, where there are clusters."""
    try:
        counts = {name: covered(module, found, cosine) for name, cosine in CLUSTERS.items()}
    except ValueError:
        return found
    return replace(found, observables={**found.observables, **counts})


def _known(module: FlowModule, theories: Theories, asked: Route | Rest) -> dict[str, float]:
    """The theory's controls at the point, domains checked."""
    at = theories.spec(asked.spec).at(asked.at)
    return {control.name: at[control.name] for control in module.theory.controls}


def _arrays(start: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.array(values, float) for name, values in start.items()}


def _moment(found: Trajectory, value: Moment) -> float:
    values = series(found, value.quantity)
    if value.time is None:
        return float(values[-1])
    place = int(np.argmin(np.abs(found.times - value.time)))
    if abs(found.times[place] - value.time) > 1e-9 * (1 + abs(value.time)):
        raise NotComputable(f"alpha = {value.time:g} is not among the times of this route; the nearest is {found.times[place]:g}")
    return float(values[place])


def _passage(theories: Theories, value: Passage, seed: int) -> float:
    """The stretch between two times of output that straddle the level, divided until it is short.

    Times are only added, and those before the stretch stay: so do the steps up to it.  A solution on nodes is good to a few digits and may
    cross a little later when it is looked at more closely, hence the next time is kept as well.
    """
    found = travelled(theories, value.route)[value.route.seeds.index(seed)]
    while True:
        times, above = found.times, series(found, value.quantity) > value.level
        crossed = np.flatnonzero(above[1:] != above[:-1])
        if not len(crossed):
            raise NotComputable(f"{value.quantity} does not cross {value.level:g} between alpha = {times[0]:g} and {times[-1]:g}")
        place = int(crossed[0])
        low, high = float(times[place]), float(times[place + 1])
        if high - low <= value.resolution * high:
            return (low + high) / 2
        finer = np.union1d(times[: place + 3], np.linspace(low, high, _FINER)[1:-1])
        (found,) = _integrated(theories, value.route, finer.tolist(), (seed,))


def _plateau(found: Trajectory, value: Plateau) -> float:
    met = plateaus(found.times, series(found, value.quantity))
    if len(met) <= value.which:
        raise NotComputable(f"{value.quantity} has {len(met)} plateaus between alpha = {found.times[0]:g} and {found.times[-1]:g}")
    number = float(getattr(met[value.which], value.part))
    if not np.isfinite(number):
        raise NotComputable(f"{value.quantity} does not leave its plateau before alpha = {found.times[-1]:g}")
    return number


def _rest(theories: Theories, value: Rest) -> float:
    module = theories.flow(value.spec)
    at = _known(module, theories, value)
    found = fixed_point(module, at, _arrays(value.start))
    if not found.status.ok:
        raise NotComputable(f"no fixed point: {found.status}, residual {found.residual:.1g}")
    if value.quantity == "growth":
        return float(found.rates[0])
    here = trajectory(module, at, [0.0], start=found.arrays)  # what is measured there
    return float(series(here, value.quantity)[0])
