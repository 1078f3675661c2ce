"""Theory given the features of each run: what varies from network to network drops out of the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from numerics.compile import Module
from numerics.solution import Solution
from numerics.solve import solve
from simulate.finite_size import Comparison, compare_all
from simulate.instance import Instance
from simulate.learn.estimate import Outcome
from simulate.measured import Modes, controls, modes_of
from simulate.naming import with_vector
from simulate.runs import Failure, Runs


@dataclass
class Watch:
    """Collects the features of every run."""

    spec: Any
    found: dict[tuple[int, int], dict[str, Modes]] = field(default_factory=dict)

    def __call__(self, instance: Instance, outcome: Outcome) -> None:
        self.found[instance.size, instance.seed] = modes_of(instance, outcome, self.spec)


def compared(
    module: Module, point: Mapping[str, float], runs: Runs, watch: Watch
) -> tuple[Solution, tuple[Comparison, ...], tuple[Failure, ...]]:
    """The solution for the mean features of the largest systems, and every observable of the runs less its prediction for each run.

    The value compared is what a run differs by from its prediction, plus the mean prediction of the largest systems.
    """
    solved: dict[tuple[int, int], dict[str, float]] = {}
    failures = []
    for (size, seed), one in watch.found.items():
        best = solve(module, {**point, **controls({name: [modes] for name, modes in one.items()})})[0]
        if best.converged:
            numbers = {name: float(v) for name, v in {**best.order_parameters, **best.observables}.items()}
            solved[size, seed] = with_vector(watch.spec, numbers)
        else:
            failures.append(Failure(size, seed, f"theory for its features: {best.sentence}"))
    large = [key for key in watch.found if key[0] == max(size for size, _ in watch.found)]
    pooled = {name: [watch.found[key][name] for key in large] for name in watch.found[large[0]]}
    whole = solve(module, {**point, **controls(pooled)})[0]
    names = [name for name in runs.observables if all(name in one for one in solved.values())]
    means = {name: float(np.mean([solved[key][name] for key in large if key in solved])) for name in names}
    rows = tuple(
        replace(row, value=row.value - solved[row.size, row.seed][row.observable] + means[row.observable])
        for row in runs.rows
        if row.observable in means and (row.size, row.seed) in solved
    )
    paired = replace(runs, rows=rows, failures=(*runs.failures, *failures))
    return whole, compare_all(paired, means) if whole.converged and rows else (), tuple(failures)
