"""Runs in time of a spec: sizes x seeds x times x observables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from simulate.algorithms import ALGORITHMS
from simulate.online.sgd import Path, named
from simulate.online.times import times_of
from simulate.runs import Failure, Row, Runs


def paths(
    name: str, spec: Any, at: Mapping[str, float], d: int, seeds: Sequence[int], times: Sequence[float], device: str = "cpu"
) -> list[Path]:
    """One run per seed by the algorithm of this name.

    Args:
        spec: expanded; times: increasing, within the stages.

    Raises:
        Unsupported: a part of the spec without a finite system.
    """
    return list(import_module(ALGORITHMS[name]).paths(spec, at, d, seeds, times, device))


def simulate(
    spec: Any,
    at: Mapping[str, float],
    sizes: Sequence[int],
    seeds: Sequence[int],
    name: str,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Runs:
    """Draw and train; every observable is called NAME@TIME.

    Args:
        spec: expanded; at: value of every control; name: of the algorithm.
    """
    rows: list[Row] = []
    failures: list[Failure] = []
    blocks = tuple(spec.blocks) or ("all",)
    wanted = times_of(spec, at)
    for count, d in enumerate(sizes):
        for seed, path in zip(seeds, paths(name, spec, at, d, seeds, wanted, device), strict=True):
            if path.failure:
                failures.append(Failure(d, seed, path.failure))
            else:
                asked = dict(zip(path.times, wanted, strict=True))  # whole steps, under the times that were asked for
                rows += [Row(d, seed, f"{key}@{asked[t]:g}", value) for (key, t), value in named(path, blocks).items()]
        if progress is not None:
            progress((count + 1) * len(seeds), len(sizes) * len(seeds))
    return Runs(spec, dict(at), tuple(rows), tuple(failures), name)
