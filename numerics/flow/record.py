"""What a flow leaves: a trajectory, and several of them from different starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from numerics.status import Status


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


@dataclass(frozen=True)
class Bundle:
    """Trajectories of one flow at one point and the same times, from several starts."""

    members: tuple[Trajectory, ...]

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.members)

    def to_xarray(self) -> xr.Dataset:
        """As of one trajectory, over `start` too; NaN at times that one of them did not reach."""
        parts = [one.to_xarray() for one in self.members]
        found = xr.concat(parts, "start", data_vars="all", join="outer", combine_attrs="drop_conflicts")
        each = {"status": [str(one.status) for one in self.members], "time_reached": [one.time for one in self.members]}
        each["origin"] = [one.origin for one in self.members]
        found.attrs = {name: value for name, value in found.attrs.items() if name not in each}
        return found.assign({name: (("start",), values) for name, values in each.items()})
