"""`replica solve` and `replica simulate` for theories that are flows: trajectories in time."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from numerics.flow.compile import compile_flow
from numerics.flow.landmarks import Landmarks, landmarks
from numerics.flow.trajectory import Trajectory, trajectory
from numerics.store import save
from replica.spec import Spec
from replica.spec.conventions import conventions
from replica.theory import Theory
from simulate.cli.request import RequestError
from simulate.cli.screen import print_json
from simulate.online.times import times_of

START = 1000
"""Dimension in which initial vectors are drawn where the run plan names no size."""


def solve(options: Namespace, spec: Spec, theory: Theory, fixed: Mapping[str, float], axes: Mapping[str, np.ndarray]) -> int:
    """Integrate and print.  Exit code 1 where a trajectory breaks off."""
    if options.digits > 15:
        raise RequestError(f"--digits {options.digits}: a trajectory is integrated in double precision (at most 15)")
    module, full = compile_flow(theory), spec.expand()
    size = max(getattr(full.run, "sizes", None) or (START,)) if full.run is not None else START
    found = []
    for values in product(*axes.values()):
        at = spec.at({**fixed, **dict(zip(axes, map(float, values), strict=True))})
        known = {control.name: at[control.name] for control in theory.controls}
        found.append(trajectory(module, known, times_of(full, at), size=size))
    if options.output:
        data = _gathered(found, axes)
        save(data.assign_attrs(name=spec.name, spec=spec.to_toml(), meaning="\n".join(conventions(spec))), options.output)
    if options.json:
        points = [_json(one, landmarks(module, one)) for one in found]
        print_json({"name": spec.name, "fingerprint": spec.fingerprint, "points": points})
    else:
        print(spec.name)
        for one in found:
            _print(one, str(theory.system.time))
            _print_landmarks(landmarks(module, one), str(theory.system.time))
    return 0 if all(one.ok for one in found) else 1


def _gathered(found: Sequence[Trajectory], axes: Mapping[str, np.ndarray]) -> xr.Dataset:
    """All trajectories over the controls of the sweep."""
    if not axes:
        return found[0].to_xarray()
    datasets = [one.to_xarray() for one in found]
    points = list(product(*axes.values()))
    labelled = [
        data.expand_dims({name: [float(v)] for name, v in zip(axes, point, strict=True)})
        for data, point in zip(datasets, points, strict=True)
    ]
    return xr.combine_by_coords(labelled, data_vars="all", join="outer", combine_attrs="drop_conflicts")


def _json(one: Trajectory, marks: Landmarks) -> dict[str, Any]:
    rest = marks.rest
    return {
        "at": dict(one.at),
        "status": str(one.status),
        "time_reached": one.time,
        "start": one.origin,
        "times": one.times.tolist(),
        "order_parameters": {name: values.tolist() for name, values in one.arrays.items()},
        "observables": {name: values.tolist() for name, values in one.observables.items()},
        "plateaus": {name: [asdict(plateau) for plateau in met] for name, met in marks.plateaus.items()},
        "fixed_point": {"stable": rest.stable, "growth": float(rest.rates[0]), "distance": marks.distance} if rest is not None else None,
    }


def _print(one: Trajectory, clock: str) -> None:
    """Observables at some of the times, and the order parameters at the last one."""
    point = ", ".join(f"{name} = {value:g}" for name, value in one.at.items())
    print(f"\nat {point}: {one.status}" + ("" if one.ok else f" ({clock} = {one.time:g})"))
    print(f"  {one.origin}; {one.steps} steps")
    names = list(one.observables)
    print(f"  {clock:>12}" + "".join(f"{name:>22}" for name in names))
    for k in np.unique(np.linspace(0, len(one.times) - 1, 12).round().astype(int)) if len(one.times) else ():
        print(f"  {one.times[k]:>12.5g}" + "".join(f"{one.observables[name][k]:>22.10g}" for name in names))
    with np.printoptions(precision=8, suppress=True):
        for name, values in one.last.items():
            print(f"  {name} = {np.array2string(np.squeeze(values), prefix=' ' * (len(name) + 5))}")


def _print_landmarks(marks: Landmarks, clock: str) -> None:
    """Plateaus and the fixed point at the end, one a line."""
    for name, met in marks.plateaus.items():
        for plateau in met:
            left = f"half of it at {clock} = {plateau.escape:.5g}" if np.isfinite(plateau.escape) else "not left"
            print(f"  plateau of {name} at {plateau.value:.6g} from {clock} = {plateau.begin:.5g} to {plateau.end:.5g}, {left}")
    if marks.rest is not None:
        kind = "a stable fixed point" if marks.rest.stable else "an unstable fixed point"
        print(f"  {kind} within {marks.distance:.2g} of the end, largest rate {marks.rest.rates[0]:.4g}")
