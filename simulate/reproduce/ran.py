"""Means over runs of algorithms that a paper asks for; systems are solved once for all that is asked of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replica.papers.ran import Ran
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Outcome
from simulate.local_entropy import local_entropy
from simulate.reproduce.theories import NotComputable, Solved, Theories
from simulate.runs import simulate


def mean(theories: Theories, value: Ran) -> float:
    """The mean over runs.

    Raises:
        NotComputable: the algorithm refuses the spec, no run succeeded, or no observable has this name.
    """
    key = repr(replace(value, quantity="", around=None))
    if key not in theories.solved:
        theories.solved[key] = _solved(theories, value)
    solved = theories.solved[key]
    runs = solved.runs
    if value.around is not None:
        return _density(solved, value.around)
    ends = [record.history[value.quantity][-1] for record in runs.records.values() if value.quantity in record.history]
    found = np.array(ends) if ends else runs.values(value.quantity, value.size)
    if not len(found):
        reason = runs.failures[0].sentence if runs.failures else f"'{value.quantity}' is not measured (is: {' '.join(runs.observables)})"
        raise NotComputable(f"no run of {value.algorithm} gives a value: {reason}")
    return float(found.mean())


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


def _density(solved: Solved, distance: float) -> float:
    """Mean local entropy around the solutions found."""
    found = []
    for instance, outcome in solved.kept:
        (estimate,) = outcome.estimates.values()
        try:
            found.append(float(local_entropy(instance, estimate.mean, [distance])[0]))
        except (Unsupported, ValueError) as refusal:
            raise NotComputable(f"refused: {refusal}") from None
    if not found or not np.isfinite(found).all():
        raise NotComputable(f"messages around {np.count_nonzero(~np.isfinite(found))} of {len(found)} solutions do not come to rest")
    return float(np.mean(found))
