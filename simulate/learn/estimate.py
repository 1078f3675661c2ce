"""What training leaves behind, whatever the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A learner's knowledge of its weights after training on one instance.

    Args:
        mean: (d,) weights of an energy minimiser, or mean of a measure over weights.
        spread: variance of a student's field z = w.x/sqrt(d) on a fresh unit-variance input: 0 for a point estimate.
        chains: (c, s, d) samples of independent chains, where a sampler made them.
        residual: how far from the goal it stopped, in the method's own measure.
        failure: empty, or why it may not be used.
        steps: iterations, rounds or sweeps.
        extras: further figures of the method, by name.
    """

    mean: np.ndarray
    spread: float = 0.0
    chains: np.ndarray | None = None
    residual: float = 0.0
    failure: str = ""
    steps: int = 0
    extras: Mapping[str, float] = field(default_factory=dict)
