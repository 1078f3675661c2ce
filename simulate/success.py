"""How often, and how fast, algorithms solve: success over algorithms, loads and sizes, and how the time to a solution grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from simulate.instance import Unsupported
from simulate.runs import simulate

BOOTSTRAPS = 400


@dataclass(frozen=True)
class Search:
    """An algorithm with options."""

    algorithm: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Growth:
    """How the median time to a solution grows with the number of weights N.

    Args:
        power: a of t = b N^a; rate: c of t = b exp(c N); each with the standard deviation of its estimate over instances drawn anew.
        misfit: mean square distance of log t from the power law, and from the exponential.
        sizes: those where more than half of the runs were solved, which alone have a median.
    """

    power: float
    power_error: float
    rate: float
    rate_error: float
    misfit: tuple[float, float]
    sizes: tuple[int, ...]

    def __str__(self) -> str:
        better = f"; the {'power law' if self.misfit[0] < self.misfit[1] else 'exponential'} fits better" if len(self.sizes) > 2 else ""
        return f"N^({self.power:.2f} +- {self.power_error:.2f}) or exp(({self.rate:.2g} +- {self.rate_error:.1g}) N){better}"


@dataclass(frozen=True)
class Success:
    """Runs of several algorithms.

    Args:
        runs: `solved`, `steps` of all attempts and `seconds` over (search, control, size, seed).
        along: the control.
    """

    runs: xr.Dataset = field(repr=False)
    along: str

    def to_xarray(self) -> xr.Dataset:
        """`success`, `error` of it, and medians `steps` and `seconds` to a solution, inf where less than half were solved."""
        solved = self.runs["solved"].astype(float)
        count = solved.sizes["seed"]
        found = xr.Dataset({"success": solved.mean("seed")})
        inside = (solved.sum("seed") + 1) / (count + 2)  # the rule of succession: none of a few is not certainly none
        found["error"] = np.sqrt(inside * (1 - inside) / count)
        for name in ("steps", "seconds"):
            found[name] = self.runs[name].where(self.runs["solved"], np.inf).median("seed")
        return found

    def growth(self, search: str, at: float, of: str = "steps") -> Growth:
        """Fits of the median time of one algorithm at one value of the control, in "steps" or "seconds".

        Raises:
            ValueError: fewer than two sizes have a median.
        """
        chosen = self.runs.sel({"search": search, self.along: at})
        least = 1.0 if of == "steps" else 0.0  # a start may be a solution
        times = np.where(chosen["solved"], np.maximum(chosen[of], least), np.inf)  # (size, seed)
        usable = np.isfinite(np.median(times, axis=1))
        sizes, times = chosen["size"].values[usable].astype(float), times[usable]
        if len(sizes) < 2:
            raise ValueError(f"{search}: {len(sizes)} of {len(usable)} sizes have a median {of}, two are needed")
        rng = np.random.default_rng(0)
        again = [_slopes(sizes, times[:, rng.integers(0, times.shape[1], times.shape[1])]) for _ in range(BOOTSTRAPS)]
        (power, rate), errors = _slopes(sizes, times), np.nanstd(np.array(again), axis=0)
        heights = np.log(np.median(times, axis=1))
        misfit = tuple(float(np.mean((heights - np.polyval(np.polyfit(x, heights, 1), x)) ** 2)) for x in (np.log(sizes), sizes))
        return Growth(power, float(errors[0]), rate, float(errors[1]), misfit, tuple(map(int, sizes)))  # type: ignore[arg-type]

    def __str__(self) -> str:
        table = self.to_xarray()
        rows: list[tuple[str, ...]] = [("search", self.along, "N", "solved", "steps", "seconds")]
        for search, at, size in product(table["search"].values, table[self.along].values, table["size"].values):
            one = table.sel({"search": search, self.along: at, "size": size})
            share = f"{float(one['success']):.2f} +- {float(one['error']):.2f}"
            rows.append((str(search), f"{at:g}", str(size), share, *(_short(float(one[name])) for name in ("steps", "seconds"))))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]) for first, *rest in rows]
        return "\n".join(lines) + f"\nmedian times; {self.runs.sizes['seed']} instances each, - where less than half were solved"

    def plot(self) -> Figure:
        """Success along the control, and median seconds along the control or, where it has one value, the size."""
        table = self.to_xarray()
        single = table.sizes[self.along] == 1
        figure = Figure(figsize=(9.2, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        for number, search in enumerate(table["search"].values):
            for place, size in enumerate(table["size"].values):
                one, style = table.sel(search=search, size=size), {"color": f"C{number}", "linestyle": ("-", "--", ":", "-.")[place % 4]}
                label, x = f"{search}, N = {size}", one[self.along]
                if not single:
                    left.errorbar(x, one["success"], yerr=_bars(one), marker="o", markersize=4, capsize=2, label=label, **style)
                    right.plot(x, _drawn(one["seconds"]), marker="o", markersize=4, **style)
            if single:
                one = table.sel(search=search).isel({self.along: 0})
                left.errorbar(one["size"], one["success"], yerr=_bars(one), marker="o", markersize=4, capsize=2, label=str(search))
                right.plot(one["size"], _drawn(one["seconds"]), marker="o", markersize=4)
        for panel, title in ((left, "solved"), (right, "median seconds to a solution")):
            panel.set(xlabel="N" if single else self.along, ylabel=title)
            panel.grid(alpha=0.3)
        right.set_yscale("log")
        if single:
            right.set_xscale("log")
        left.set_ylim(-0.05, 1.05)
        left.legend(fontsize="x-small")
        return figure


def success(
    spec: Any,
    searches: Mapping[str, Search] | Sequence[str],
    along: Mapping[str, Sequence[float]],
    sizes: Sequence[int],
    seeds: int = 20,
    at: Mapping[str, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Success:
    """Run every algorithm on the same instances.

    Args:
        searches: names of algorithms, or a label -> an algorithm with options.
        along: one control -> its values; at: other controls that differ from their defaults.
        seeds: instances for each point and size.
        progress: called with (points done, points in all), a point being one algorithm at one value of the control and one size.

    Raises:
        Unsupported: an algorithm that takes no steps, or cannot take the spec.
    """
    ((control, values),) = along.items()
    named = searches if isinstance(searches, Mapping) else {name: Search(name) for name in searches}
    shape = len(named), len(values), len(sizes), seeds
    solved, steps, seconds = np.zeros(shape, bool), np.zeros(shape), np.zeros(shape)
    places = list(np.ndindex(shape[:3]))
    for done, (i, j, k) in enumerate(places):
        search = list(named.values())[i]
        runs = simulate(spec, {**(at or {}), control: values[j]}, [sizes[k]], seeds, search.algorithm, options=dict(search.options))
        if not runs.records:
            raise Unsupported(f"algorithm {search.algorithm!r} takes no steps that could be counted")
        for (_, seed), record in runs.records.items():
            solved[i, j, k, seed], steps[i, j, k, seed], seconds[i, j, k, seed] = record.status.ok, record.total, record.seconds
        if progress is not None:
            progress(done + 1, len(places))
    dims = ("search", control, "size", "seed")
    found = xr.Dataset(
        {"solved": (dims, solved), "steps": (dims, steps), "seconds": (dims, seconds)},
        {"search": list(named), control: list(values), "size": list(sizes), "seed": range(seeds)},
    )
    return Success(found, control)


def _slopes(sizes: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    """Of log median times against log N and against N; NaN where fewer than two medians are finite."""
    medians = np.median(times, axis=1)
    kept = np.isfinite(medians)
    if kept.sum() < 2:
        return np.nan, np.nan
    heights = np.log(medians[kept])
    return float(np.polyfit(np.log(sizes[kept]), heights, 1)[0]), float(np.polyfit(sizes[kept], heights, 1)[0])


def _short(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "-"


def _bars(table: xr.Dataset) -> np.ndarray:
    """Lengths of error bars down and up, which end at 0 and 1."""
    share = table["success"].values
    return np.minimum(table["error"].values, np.array([share, 1 - share]))


def _drawn(values: xr.DataArray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
