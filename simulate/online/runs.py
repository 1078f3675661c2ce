"""One-pass runs of a spec: sizes x seeds x times x observables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulate.online.sgd import named, run
from simulate.online.times import times_of
from simulate.runs import Failure, Row, Runs


def simulate(
    spec: Any, at: Mapping[str, float], sizes: Sequence[int], seeds: Sequence[int], progress: Callable[[int, int], None] | None = None
) -> Runs:
    """Draw and train; every observable is called NAME@TIME.

    Args:
        spec: expanded; at: value of every control.
    """
    rows: list[Row] = []
    failures: list[Failure] = []
    blocks = tuple(spec.blocks) or ("all",)
    for count, (d, seed) in enumerate((d, seed) for d in sizes for seed in seeds):
        wanted = times_of(spec, at)
        path = run(spec, at, d, seed, wanted)
        if path.failure:
            failures.append(Failure(d, seed, path.failure))
        else:
            asked = dict(zip(path.times, wanted, strict=True))  # whole steps, under the times that were asked for
            rows += [Row(d, seed, f"{name}@{asked[t]:g}", value) for (name, t), value in named(path, blocks).items()]
        if progress is not None:
            progress(count + 1, len(sizes) * len(seeds))
    return Runs(spec, dict(at), tuple(rows), tuple(failures), "online_sgd")
