"""The run plan of a spec, which is never part of the model's identity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from replica.spec.entries import Name, Named, Several
from replica.spec.errors import SpecError, shown
from replica.spec.ingredient_entries import Slot
from replica.spec.records import Entry, Mention, Record, key
from replica.spec.sweeps import Series, grid


class Count(Entry):
    """A positive integer."""

    def read(self, raw: Any) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= 10**9:
            raise SpecError(f"must be a positive integer, found {shown(raw)}")
        return raw


class Sizes(Entry):
    """A list of dimensions; empty: theory only."""

    def read(self, raw: Any) -> tuple[int, ...]:
        if not isinstance(raw, list | tuple):
            raise SpecError(f"must be a list of dimensions such as [250, 500, 1000], found {shown(raw)}")
        return tuple(Count().read(item) for item in raw)


class Sweep(Entry):
    """Control -> series."""

    def read(self, raw: Any) -> Any:
        return Named(Series()).read(raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        for name in value:
            yield Mention((name,), name, "control")


@dataclass(frozen=True)
class Run(Record):
    """Sweeps, sizes, seeds, times and algorithms.

    Args:
        sweep: control -> "start:stop:count", "log:start:stop:count" or a list; several controls make a grid.
        follow: one control, by continuation.
        sizes: dimensions d of the finite systems; empty: theory only.
        seeds: number of independent draws of each.
        times: of flows, as a series.
        algorithms: how finite systems are solved.
    """

    title = "run"
    sweep: Any = key(Sweep())
    follow: str | None = key(Name("control"))
    sizes: Any = key(Sizes())
    seeds: int | None = key(Count())
    times: Any = key(Series())
    algorithms: Any = key(Several(Slot("algorithm")))

    def points(self) -> tuple[dict[str, float], ...]:
        """The grid of the sweep, the last control moving fastest; one empty point where there is none."""
        sweep = self.sweep or {}
        axes = [grid(series) for series in sweep.values()]
        return tuple(dict(zip(sweep, values, strict=True)) for values in product(*axes))
