"""What training leaves behind, whatever the method: of one learner, and of a whole system."""

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
        cavity: (n,) mean of each training field without its own sample, where message passing gives it.
        residual: how far from the goal it stopped, in the method's own measure.
        failure: empty, or why it may not be used.
        steps: iterations, rounds or sweeps.
        extras: further observables that the method itself gives, by name; `q` and `Q` of a sampler replace those of its noisy mean.
        samples: (S, d) draws of the measure, where the method gives them.
    """

    mean: np.ndarray
    spread: float = 0.0
    cavity: np.ndarray | None = None
    residual: float = 0.0
    failure: str = ""
    steps: int = 0
    extras: Mapping[str, float] = field(default_factory=dict)
    samples: np.ndarray | None = None


@dataclass(frozen=True)
class Outcome:
    """All learners of one instance after an algorithm.

    Args:
        estimates: learner -> what is known of its weights; learners of which an algorithm says nothing are absent.
        extras: observables of the system as a whole.
        failure: empty, or why it may not be used.
    """

    estimates: Mapping[str, Estimate]
    extras: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""
