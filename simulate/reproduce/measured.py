"""Finite one-pass systems of a paper's figures: means and standard errors against time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from replica.papers.routes import Measured, Reading
from replica.spec import grid
from simulate.finite_size import average
from simulate.instance import Unsupported
from simulate.online.runs import paths
from simulate.online.sgd import Path, named
from simulate.reproduce.theories import NotComputable, Theories
from simulate.runs import usual


@dataclass(frozen=True)
class Band:
    """Mean and standard error at each time; `data`: every run."""

    times: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    data: xr.Dataset = field(repr=False)


def measured(theories: Theories, what: Measured, fast: bool) -> Band:
    """Draw and train.

    Raises:
        NotComputable: a spec without a finite system, a run that diverges, or no quantity of this name.
    """
    spec = theories.spec(what.spec)
    blocks, count, times = tuple(spec.expand().blocks) or ("all",), what.fast_seeds if fast else what.seeds, grid(what.times)
    rows = []
    for path in _ran(theories, what, count):
        if path.failure:
            raise NotComputable(f"a run of size {what.size} failed: {path.failure}")
        found = named(path, blocks)
        known = {name for name, _ in found}
        if what.quantity not in known:
            raise NotComputable(f"refused: '{what.quantity}' is not measured (is: {' '.join(sorted(known))})")
        rows.append([found[what.quantity, t] for t in path.times])
    means = [average(column, what.size) for column in np.array(rows).T]
    runs = {what.quantity: (("seed", "time"), rows)}
    data = xr.Dataset(runs, {"seed": range(count), "time": list(times)}, {"size": what.size, "name": spec.name})
    return Band(np.array(times), np.array([m.value for m in means]), np.array([m.stderr for m in means]), data)


def reading(theories: Theories, value: Reading) -> float:
    """The mean at a time, over as many runs as a full look takes.

    Raises:
        NotComputable: as above, or a time that is not measured.
    """
    found = measured(theories, value.of, False)
    places = np.flatnonzero(found.times == value.time)
    if not len(places):
        raise NotComputable(f"refused: {value.time:g} is none of the times of this measurement")
    return float(found.mean[places[0]])


def _ran(theories: Theories, what: Measured, count: int) -> tuple[Path, ...]:
    """Runs, made when they are first asked for."""
    full = theories.spec(what.spec).expand()
    key = repr((what.spec, what.times, sorted(what.at.items()), what.size, count))
    if key not in theories.ran:
        at = theories.spec(what.spec).at(what.at)
        try:
            theories.ran[key] = tuple(paths(usual(full, at), full, at, what.size, range(count), grid(what.times)))
        except Unsupported as refusal:
            raise NotComputable(f"refused: {refusal}") from None
    return theories.ran[key]
