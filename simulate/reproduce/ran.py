"""Means over runs of algorithms that a paper asks for; systems are solved once for all that is asked of them."""

from __future__ import annotations

import numpy as np

from replica.papers.ran import Ran
from simulate.instance import Unsupported
from simulate.reproduce.theories import NotComputable, Theories
from simulate.runs import simulate


def mean(theories: Theories, value: Ran) -> float:
    """The mean over runs.

    Raises:
        NotComputable: the algorithm refuses the spec, no run succeeded, or no observable has this name.
    """
    key = repr((value.spec, value.algorithm, value.size, value.seeds, sorted(value.at.items()), sorted(value.options.items())))
    if key not in theories.solved:
        spec = theories.spec(value.spec)
        try:
            theories.solved[key] = simulate(spec, value.at, [value.size], value.seeds, value.algorithm, options=value.options)
        except Unsupported as refusal:
            raise NotComputable(f"refused: {refusal}") from None
    runs = theories.solved[key]
    ends = [record.history[value.quantity][-1] for record in runs.records.values() if value.quantity in record.history]
    found = np.array(ends) if ends else runs.values(value.quantity, value.size)
    if not len(found):
        reason = runs.failures[0].sentence if runs.failures else f"'{value.quantity}' is not measured (is: {' '.join(runs.observables)})"
        raise NotComputable(f"no run of {value.algorithm} gives a value: {reason}")
    return float(found.mean())
