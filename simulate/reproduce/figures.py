"""Figures of a paper: curves swept, dots computed, drawn in one frame and kept as result files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas

from numerics.outcome import TOLERANCE
from numerics.problem import Problem
from numerics.solution import Solution
from numerics.store import save
from numerics.sweep import dataset
from replica.papers.ran import Course
from replica.papers.record import Curve, Dots, Drawable, Figure
from replica.papers.routes import Measured, Track
from replica.spec import grid
from simulate.cli.grid import described
from simulate.reproduce import ran
from simulate.reproduce.measured import Band, measured
from simulate.reproduce.routes import series, travelled
from simulate.reproduce.theories import NotComputable, Theories, carried
from simulate.reproduce.values import error, number

T = TypeVar("T")
FAST = 9
"""Points of a curve in a quick look."""


@dataclass(frozen=True)
class Drawn:
    """One curve or row of dots with its numbers.

    Args:
        x, y: finite numbers only, x in ascending order; error: standard errors of what was measured.
        data: the whole sweep or trajectory; None for dots and where nothing was computed.
        reason: why points are missing, empty where none is.
    """

    what: Drawable
    x: np.ndarray
    y: np.ndarray
    data: xr.Dataset | None = field(default=None, repr=False)
    reason: str = ""
    error: np.ndarray | None = None


@dataclass(frozen=True)
class Shown:
    """A figure with its numbers."""

    name: str
    figure: Figure
    drawn: tuple[Drawn, ...]

    @property
    def complete(self) -> bool:
        return not any(one.reason for one in self.drawn)

    def canvas(self) -> Canvas:
        """The figure; curves in order, dots as markers."""
        canvas = Canvas(figsize=(5.6, 4.0), layout="constrained")
        panel = canvas.add_subplot()
        for one in self.drawn:
            if one.error is not None:
                style = "o-" if isinstance(one.what, Dots) and one.what.joined else "o"
                panel.errorbar(one.x, one.y, one.error, fmt=style, markersize=3, capsize=2, label=one.what.label, zorder=3)
            elif len(one.x):
                style = "o-" if isinstance(one.what, Dots) and one.what.joined else "o" if isinstance(one.what, Dots) else "-"
                panel.plot(one.x, one.y, style, markersize=4, label=one.what.label)
        if "x" in self.figure.log:
            panel.set_xscale("log")
        if "y" in self.figure.log:
            panel.set_yscale("log")
        panel.set_xlabel(self.figure.x)
        panel.set_ylabel(self.figure.y)
        panel.set_title(self.figure.title, fontsize="medium")
        panel.grid(alpha=0.3)
        if panel.get_legend_handles_labels()[1]:
            panel.legend(fontsize="small")
        return canvas


def show(theories: Theories, name: str, fast: bool, folder: Path | None, done: Callable[[], None]) -> Shown:
    """Compute everything that a figure draws; every curve is written to `folder` when it is done,"""
    figure = theories.paper.figures[name]
    drawn: list[Drawn] = []
    for place, what in enumerate(figure.drawn):
        output = folder / f"{name}-{place + 1}.nc" if folder is not None else None
        drawn.append(_drawn(theories, what, fast, output))
        done()
    return Shown(name, figure, tuple(drawn))


def _drawn(theories: Theories, what: Drawable, fast: bool, output: Path | None) -> Drawn:
    match what:
        case Curve():
            return _curve(theories, what, fast, output)
        case Track():
            return _track(theories, what, output)
        case Measured() | Course():
            return _measured(theories, what, fast, output)
        case Dots():
            return _dots(theories, what, fast)


def thinned(points: Sequence[T], fast: bool) -> list[T]:
    """At most FAST of the points, both ends kept, for a quick look."""
    if not fast or len(points) <= FAST:
        return list(points)
    return [points[i] for i in np.linspace(0, len(points) - 1, FAST).round().astype(int)]


def _curve(theories: Theories, curve: Curve, fast: bool, output: Path | None) -> Drawn:
    nothing = np.array([])
    try:
        data = _swept(theories, curve, thinned(grid(curve.points), fast))
    except NotComputable as stopped:
        return Drawn(curve, nothing, nothing, reason=str(stopped))
    if output is not None:
        save(data, output)
    if curve.quantity not in data:
        return Drawn(curve, nothing, nothing, data, f"refused: '{curve.quantity}' is not a result of this theory")
    best = data.isel(solution=0)
    x, y = best[curve.along].values, best[curve.quantity].values
    good = np.isfinite(y)
    order = np.argsort(x[good])
    return Drawn(curve, x[good][order], y[good][order], data, _missing(best, curve, good))


def _swept(theories: Theories, curve: Curve, points: list[float]) -> xr.Dataset:
    """Solved at the first point and carried along; curves of one sweep share it.

    Raises:
        NotComputable: no theory, or no solution at the first point.
    """
    key = (curve.spec, curve.along, *points, *sorted(curve.at.items()))
    if key not in theories.swept:
        module = theories.module(curve.spec)
        problem = Problem(module)
        first = theories.solve(curve.spec, {**curve.at, curve.along: points[0]}, {})
        path = [theories.complete(curve.spec, {**curve.at, curve.along: point}) for point in points[1:]]
        rest = carried(module, first, [problem.point(at) for at in path])
        table: dict[tuple[float, ...], tuple[Solution, ...]] = {(point,): (one,) for point, one in zip(points, (first, *rest), strict=True)}
        data = dataset(problem, {curve.along: np.array(points)}, curve.at, table, TOLERANCE)
        theories.swept[key] = described(theories.spec(curve.spec), data)
    return theories.swept[key]


def _missing(best: xr.Dataset, curve: Curve, good: np.ndarray) -> str:
    if good.all():
        return ""
    first = int(np.flatnonzero(~good)[0])
    status = str(best["status"].values[first])
    where = f"{curve.along} = {float(best[curve.along].values[first]):g}"
    return f"{int((~good).sum())} of {len(good)} points have no solution, the first at {where}: {status or 'no start converged'}"


def _track(theories: Theories, track: Track, output: Path | None) -> Drawn:
    """The mean over the starts of a route."""
    nothing = np.array([])
    try:
        found = travelled(theories, track.route)
        y = np.mean([series(one, track.quantity) for one in found], axis=0)
    except NotComputable as stopped:
        return Drawn(track, nothing, nothing, reason=str(stopped))
    joined = xr.concat([one.to_xarray() for one in found], "start", combine_attrs="drop_conflicts")
    data = described(theories.spec(track.route.spec), joined)
    if output is not None:
        save(data, output)
    return Drawn(track, found[0].times, y, data)


def _measured(theories: Theories, what: Measured | Course, fast: bool, output: Path | None) -> Drawn:
    nothing = np.array([])
    try:
        found: Band = ran.course(theories, what) if isinstance(what, Course) else measured(theories, what, fast)
    except NotComputable as stopped:
        return Drawn(what, nothing, nothing, reason=str(stopped))
    if output is not None:
        save(found.data, output)
    return Drawn(what, found.times, found.mean, found.data, error=found.error)


def _dots(theories: Theories, dots: Dots, fast: bool) -> Drawn:
    x, y, errors, reason = [], [], [], ""
    for place, value in sorted(thinned(dots.values, fast), key=lambda pair: pair[0]):
        try:
            found = number(theories, value)
        except NotComputable as stopped:
            reason = reason or f"at {place:g}: {stopped}"
            continue
        if math.isfinite(found):
            x.append(place)
            y.append(found)
            errors.append(error(theories, value))
    return Drawn(dots, np.array(x), np.array(y), reason=reason, error=np.array(errors) if any(errors) else None)
