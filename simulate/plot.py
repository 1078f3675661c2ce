"""Figures in one call: theory as lines, simulation as points with error bars, labels from the controls' meanings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from simulate.finite_size import average
from simulate.plot_branches import branch_names, draw_branches, draw_diagram, is_branches
from simulate.report import Report

BOOKKEEPING = frozenset("status residual quadrature_error steps nodes stable spectral_radius start failed agreement digits".split())
PANELS, LINES = 6, 8
NAMES = {
    "generalization_error": "generalization error", "training_loss": "training loss per sample", "training_error": "training error",
    "mse": "mean squared error", "estimation_mse": "estimation error per weight", "overlap": "cosine with the teacher",
    "free_entropy": "free entropy per weight",
}


@dataclass(frozen=True)
class Points:
    """Measured means of one observable: positions, values, standard errors, and what they are called."""

    x: np.ndarray
    y: np.ndarray
    error: np.ndarray
    label: str


def plot(*results: xr.Dataset | Report, observables: Sequence[str] | None = None, along: str | None = None) -> Figure:
    """Draw theory and simulation of one system.

    Args:
        results: sweeps (datasets whose dimensions are controls), branches, runs (datasets over size and seed), and reports, in any
            number.  Stable parts of branches are solid, unstable ones dashed; lines of events get a panel of their own.
        observables: what to draw, one panel each; if absent, what theory and simulation share, or else what there is.
        along: the control of the horizontal axis; the longest dimension of the sweeps if absent.

    Returns:
        A matplotlib figure; `figure.savefig(path)` writes it.

    Raises:
        ValueError: nothing to draw, an unknown observable or control.
    """
    followed = [found for found in results if isinstance(found, xr.Dataset) and is_branches(found)]
    theories = [found for found in results if isinstance(found, xr.Dataset) and "size" not in found.dims and not is_branches(found)]
    runs = [found for found in results if isinstance(found, xr.Dataset) and "size" in found.dims]
    reports = [found for found in results if isinstance(found, Report)]
    axis = along or next((str(found.attrs["along"]) for found in followed), "") or _axis(theories, reports, runs)
    names = list(observables) if observables else _shared(theories, reports, runs, followed)
    known = {name for theory in (*theories, *followed) for name in _drawable(theory)} | {name for run in runs for name in _drawable(run)}
    known |= {name for report in reports for name in report.extrapolated}
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not in these results (there are: {' '.join(sorted(known))})")
    if not names:
        raise ValueError("these results hold no numbers to draw")
    diagrams = [found for found in followed if "line" in found.dims]
    count = len(names) + len(diagrams)
    columns = min(count, 3 if count > 2 else 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(4.6 * columns, 3.4 * rows), layout="constrained")
    for place, name in enumerate(names):
        panel = figure.add_subplot(rows, columns, place + 1)
        _lines(panel, theories, name, axis)
        for found in followed:
            draw_branches(panel, found, name)
        for points in _points(reports, runs, name, axis):
            panel.errorbar(points.x, points.y, yerr=points.error, fmt="o", markersize=4, capsize=2, label=points.label, zorder=3)
        panel.set_xlabel(_axis_label([*theories, *followed], axis))
        panel.set_ylabel(NAMES.get(name, name))
        panel.grid(alpha=0.3)
        if panel.get_legend_handles_labels()[1]:
            panel.legend(fontsize="small")
    for place, found in enumerate(diagrams):
        draw_diagram(figure.add_subplot(rows, columns, len(names) + place + 1), found)
    title = next((str(found.attrs[key]) for found in (*theories, *followed, *runs) for key in ("name", "theory") if key in found.attrs), "")
    figure.suptitle(title or (reports[0].measured.spec.name if reports else ""))
    return figure


def _drawable(data: xr.Dataset) -> list[str]:
    found = branch_names(data) if is_branches(data) else list(map(str, data.data_vars))
    return [name for name in found if name not in BOOKKEEPING and data[name].dtype.kind in "fi" and data[name].ndim]


def _axis(theories: Sequence[xr.Dataset], reports: Sequence[Report], runs: Sequence[xr.Dataset]) -> str:
    """The control of the horizontal axis, or "size" where only runs at one point are given."""
    lengths = {str(name): size for theory in theories for name, size in theory.sizes.items() if name != "solution"}
    if lengths:
        return max(lengths, key=lambda name: lengths[name])
    values: dict[str, set[float]] = {}
    for at in [dict(report.at) for report in reports] + [_at(run) for run in runs]:
        for name, value in at.items():
            values.setdefault(name, set()).add(value)
    moving = [name for name, found in values.items() if len(found) > 1]
    return moving[0] if moving else "size"


def _at(run: xr.Dataset) -> dict[str, float]:
    return {str(key)[3:]: float(value) for key, value in run.attrs.items() if str(key).startswith("at.")}


def _shared(
    theories: Sequence[xr.Dataset], reports: Sequence[Report], runs: Sequence[xr.Dataset], followed: Sequence[xr.Dataset]
) -> list[str]:
    predicted = list(dict.fromkeys(name for theory in (*theories, *followed) for name in _drawable(theory)))
    compared = [name for report in reports for name in report.extrapolated]
    measured = list(dict.fromkeys(compared + [name for run in runs for name in _drawable(run)]))
    chosen = [name for name in predicted if name in measured] if predicted and measured else predicted or measured
    everything = [(str(name), values) for theory in (*theories, *followed) for name, values in theory.data_vars.items()]
    conjugates = {name for name, values in everything if values.attrs.get("kind") == "conjugates"}
    if not measured and (moving := [name for name in chosen if any(_varies(theory, name) for theory in (*theories, *followed))]):
        chosen = moving  # a norm that is imposed, an error that is zero: nothing to see
    first = [name for name in chosen if name in NAMES]
    return (first + [name for name in chosen if name not in NAMES and name not in conjugates])[:PANELS]


def _varies(theory: xr.Dataset, name: str) -> bool:
    """Whether a result takes more than one value, to rounding."""
    values = _finite(theory[name].values) if name in theory else np.empty(0)
    return values.size > 0 and float(np.ptp(values)) > 1e-12 * float(np.abs(values).max())


def _lines(panel: Any, theories: Iterable[xr.Dataset], name: str, axis: str) -> None:
    """One line per value of the controls that are not on the axis."""
    for theory in theories:
        if name not in theory or axis not in theory[name].dims:
            continue
        values = theory[name]
        if "solution" in values.dims:
            values = values.isel(solution=0)
        others = [str(dim) for dim in values.dims if dim != axis]
        choices = list(product(*(range(values.sizes[dim]) for dim in others)))
        for choice in choices[:: -(-len(choices) // LINES)]:
            line = values.isel(dict(zip(others, choice, strict=True)))
            label = ", ".join(f"{dim} = {float(line[dim]):g}" for dim in others) or "theory"
            panel.plot(line[axis].values, line.values, label=label, zorder=2)


def _points(reports: Sequence[Report], runs: Sequence[xr.Dataset], name: str, axis: str) -> list[Points]:
    found = []
    shown = [report for report in reports if name in report.extrapolated and axis in report.at]
    if shown:
        limits = [(report.at[axis], report.extrapolated[name], report.stderr[name]) for report in shown]
        x, y, error = (np.array(column) for column in zip(*limits, strict=True))
        found.append(Points(x, y, error, "simulation"))
    for run in runs:
        if name not in run:
            continue
        means = [average(_finite(run[name].sel(size=size).values), int(size)) for size in run["size"].values]
        if axis == "size":
            sizes, values, errors = zip(*((m.size, m.value, m.stderr) for m in means), strict=True)
            found.append(Points(np.array(sizes), np.array(values), np.array(errors), "simulation"))
        elif axis in _at(run):
            last = means[-1]
            found.append(Points(np.array([_at(run)[axis]]), np.array([last.value]), np.array([last.stderr]), f"d = {last.size}"))
    return found


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _axis_label(theories: Sequence[xr.Dataset], axis: str) -> str:
    """The control's name and meaning."""
    for theory in theories:
        meaning = theory[axis].attrs.get("meaning") or theory[axis].attrs.get("long_name") if axis in theory.variables else None
        if meaning:
            return f"{axis} ({meaning})"
    return "dimension d" if axis == "size" else axis
