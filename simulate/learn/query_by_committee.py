"""Query by committee: the label is asked for where the votes of the members are most divided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulate.instance import Instance
from simulate.learn import queries
from simulate.learn.estimate import Outcome

SELECTS = True  # it takes the whole pool


def solve(instances: Sequence[Instance], device: str = "cpu", options: Mapping[str, float] | None = None) -> list[Outcome]:
    """See `queries.solve`."""
    return queries.solve(instances, device, majority)


def majority(fields: np.ndarray) -> np.ndarray:
    """|sum of votes| over the members, per sample."""
    return np.abs(np.sign(fields).sum(axis=0))
