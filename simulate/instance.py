"""A finite system drawn from a spec: inputs, labels, and the vectors they were made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Unsupported(ValueError):
    """A part of a spec that cannot be simulated yet; the sentence names it."""


@dataclass(frozen=True)
class Instance:
    """Arrays of one finite system.

    Args:
        spec: the expanded spec it was drawn from.
        at: value of every control.
        size: d, the number of input coordinates.
        seed: its number; the same (spec fingerprint, at, size, seed) gives the same arrays.
        arrays: "x" (n, d) inputs, not divided by sqrt(d); "y" (n,) labels; "cell" (n,) index into `cells`; or "J" (d, ..., d) couplings;
            or "literal" (E,) of all clauses in a row, the number of a weight, from 1, with the sign asked for, and "clause" (n + 1,), where
            each clause begins and the last ends.
        truth: latent name -> (d,) vector, (k,) where it acts on a hidden manifold of k dimensions, (k, d) map of one.
        cells: (slice, group) of each cell index.
        blocks: block -> its coordinates; empty where the spec has none.
    """

    spec: Any = field(repr=False)
    at: Mapping[str, float]
    size: int
    seed: int
    arrays: Mapping[str, np.ndarray] = field(repr=False)
    truth: Mapping[str, np.ndarray] = field(repr=False)
    cells: tuple[tuple[str, str], ...] = ()
    blocks: Mapping[str, slice] = field(default_factory=dict)
