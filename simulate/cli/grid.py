"""A sweep as solutions and as a result file, journaled so that an interruption loses nothing finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr

from numerics.certify import certify
from numerics.compile import Module
from numerics.outcome import TOLERANCE
from numerics.problem import Problem
from numerics.solution import Solution
from numerics.store import Journal, point_key, save
from numerics.sweep import sweep
from replica.spec import Spec
from replica.spec.conventions import conventions
from simulate.cli.screen import progress

DOUBLE = 15


def solve_grid(
    spec: Spec, module: Module, fixed: Mapping[str, float], axes: Mapping[str, np.ndarray], digits: int, output: str | None
) -> list[tuple[Solution, ...]]:
    """Solutions at every point of a grid, the last control moving fastest; written to `output` where one is given.

    Raises:
        KeyboardInterrupt: with a sentence that says where the finished points are.
        StoreError: the result or its journal cannot be written or read.
    """
    problem = Problem(module)
    points = [{**fixed, **dict(zip(axes, map(float, values), strict=True))} for values in product(*axes.values())]
    path = [problem.point(point) for point in points]
    with _journal(output) as journal:
        with progress(f"solving {spec.name}") as told:
            data = sweep(module, axes, fixed, journal=journal, progress=told)
        assert module.theory is not None
        with Journal.open(journal, module.theory.fingerprint) as book:
            keys = [point_key(point, TOLERANCE, problem.start_names(None)) for point in path]
            found = [book.find(key) or () for key in keys]
            if digits > DOUBLE:
                with progress(f"certifying {digits} digits") as told:
                    for number, key in enumerate(keys):
                        found[number] = _certified(module, book, f"{key} {digits}", found[number], digits)
                        told(number + 1, len(keys))
        if output:
            save(described(spec, _with_digits(data, axes, found) if digits > DOUBLE else data), output)
    return found


@contextmanager
def _journal(output: str | None) -> Any:
    """The file of finished points: beside the result, kept where the work is broken off, and removed at the end."""
    if not output:
        with TemporaryDirectory() as folder:
            yield Path(folder) / "journal"
        return
    path = Path(f"{output}.journal")
    try:
        yield path
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; finished points are kept in {path}, the same command goes on from there") from None
    for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        part.unlink(missing_ok=True)


def _certified(module: Module, book: Journal, key: str, found: Sequence[Solution], digits: int) -> tuple[Solution, ...]:
    done = book.find(key)
    if done is None:
        done = tuple(certify(module, one, digits) if one.converged else one for one in found)
        book.save({key: done})
    return done


def _with_digits(data: xr.Dataset, axes: Mapping[str, np.ndarray], found: Sequence[Sequence[Solution]]) -> xr.Dataset:
    """The dataset with one text variable `NAME_digits` beside every certified number."""
    names = [name for name in data.data_vars if data[name].attrs.get("kind") or name == "free_entropy"]
    dims = data["free_entropy"].dims
    shape = tuple(data.sizes[dim] for dim in dims)
    extra = {}
    for name in names:
        table = np.full(shape, "", dtype=object)
        for place, solutions in zip(np.ndindex(*(len(values) for values in axes.values())), found, strict=True):
            for rank, one in enumerate(solutions):
                table[(*place, rank)] = str(one[str(name)]) if one.converged else ""
        extra[f"{name}_digits"] = (dims, table.astype(str))
    return data.assign(extra)


def described(spec: Spec, data: xr.Dataset) -> xr.Dataset:
    """The dataset with the spec, its conventions and the meanings of its controls."""
    data = data.assign_attrs(name=spec.name, spec=spec.to_toml(), meaning="\n".join(conventions(spec)))
    for name in data.variables:
        table = (spec.controls or {}).get(str(name))
        if table is not None and table.meaning:
            data[name].attrs["meaning"] = table.meaning
    return data
