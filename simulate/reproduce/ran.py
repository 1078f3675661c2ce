"""Means over runs of algorithms that a paper asks for; systems are solved once for all that is asked of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from replica.papers.ran import Course, Ran
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Outcome
from simulate.local_entropy import local_entropy
from simulate.reproduce.measured import Band
from simulate.reproduce.theories import NotComputable, Solved, Theories
from simulate.runs import simulate


def mean(theories: Theories, value: Ran) -> float:
    """The mean over runs.

    Raises:
        NotComputable: the algorithm refuses the spec, no run succeeded, or no observable has this name.
    """
    return float(found(theories, value).mean())


def error(theories: Theories, value: Ran) -> float:
    """The standard error of that mean; NaN of a single run.

    Raises:
        NotComputable: as above.
    """
    values = found(theories, value)
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


def course(theories: Theories, what: Course) -> Band:
    """Histories of all runs, at places that all of them kept.

    Raises:
        NotComputable: as above.
    """
    value = what.of
    runs = _kept(theories, value).runs
    (steps, y), (_, x) = runs.history(value.quantity, value.size), runs.history(what.along, value.size)
    x = np.broadcast_to(steps, y.shape) if what.along == "step" else x
    if not y.size or x.shape != y.shape:
        missing = what.along if y.size else value.quantity
        raise NotComputable(f"refused: '{missing}' is not in the history of {value.algorithm}")
    common = np.flatnonzero(~np.isnan(y + x).any(axis=0))
    chosen = common[np.unique(np.linspace(0, len(common) - 1, min(what.points, len(common))).round().astype(int))]
    x, y = x[:, chosen], y[:, chosen]
    error = y.std(axis=0, ddof=1) / np.sqrt(len(y)) if len(y) > 1 else np.full(y.shape[1], np.nan)
    data = xr.Dataset({value.quantity: (("seed", "place"), y), what.along: (("seed", "place"), x)}, attrs={"size": value.size})
    return Band(x.mean(axis=0), y.mean(axis=0), error, data)


def found(theories: Theories, value: Ran) -> np.ndarray:
    """One number per run."""
    solved = _kept(theories, value)
    runs = solved.runs
    if value.around is not None:
        return _density(solved, value.around)
    ends = [record.history[value.quantity][-1] for record in runs.records.values() if value.quantity in record.history]
    values = np.array(ends) if ends else runs.values(value.quantity, value.size)
    if not len(values):
        reason = runs.failures[0].sentence if runs.failures else f"'{value.quantity}' is not measured (is: {' '.join(runs.observables)})"
        raise NotComputable(f"no run of {value.algorithm} gives a value: {reason}")
    return values


def _kept(theories: Theories, value: Ran) -> Solved:
    key = repr(replace(value, quantity="", around=None))
    if key not in theories.solved:
        theories.solved[key] = _solved(theories, value)
    return theories.solved[key]


def _solved(theories: Theories, value: Ran) -> Solved:
    kept: list[tuple[Instance, Outcome]] = []

    def keep(instance: Instance, outcome: Outcome) -> None:
        kept.append((instance, outcome))

    spec = theories.spec(value.spec)
    try:
        runs = simulate(spec, value.at, [value.size], value.seeds, value.algorithm, options=value.options, watch=keep)
    except Unsupported as refusal:
        raise NotComputable(f"refused: {refusal}") from None
    return Solved(runs, tuple(kept))


def _density(solved: Solved, distance: float) -> np.ndarray:
    """Local entropies around the solutions found."""
    found = []
    for instance, outcome in solved.kept:
        (estimate,) = outcome.estimates.values()
        try:
            found.append(float(local_entropy(instance, estimate.mean, [distance])[0]))
        except (Unsupported, ValueError) as refusal:
            raise NotComputable(f"refused: {refusal}") from None
    if not found or not np.isfinite(found).all():
        raise NotComputable(f"messages around {np.count_nonzero(~np.isfinite(found))} of {len(found)} solutions do not come to rest")
    return np.array(found)
