"""Uncertainty sampling: the label is asked for where the mean field of the weights is smallest against its spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulate.instance import Instance
from simulate.learn import queries
from simulate.learn.estimate import Outcome

SELECTS = True  # it takes the whole pool


def solve(instances: Sequence[Instance], device: str = "cpu", options: Mapping[str, float] | None = None) -> list[Outcome]:
    """See `queries.solve`."""
    return queries.solve(instances, device, certainty)


def certainty(fields: np.ndarray) -> np.ndarray:
    """|mean|/spread over the members, per sample."""
    return np.abs(fields.mean(axis=0)) / (fields.std(axis=0) + 1e-300)
