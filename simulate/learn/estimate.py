"""What training leaves behind, whatever the method: of one learner, and of a whole system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulate.learn.features import Layers


@dataclass(frozen=True)
class Estimate:
    """A learner's knowledge of its weights after training on one instance.

    Args:
        mean: weights of an energy minimiser, or mean of a measure over weights; (d,), or (p,) on p features.
        spread: variance of a student's field z = w.x/sqrt(d) on a fresh unit-variance input: 0 for a point estimate.
        cavity: (n,) mean of each training field without its own sample, where message passing gives it.
        residual: how far from the goal it stopped, in the method's own measure.
        failure: empty, or why it may not be used.
        steps: iterations, rounds or sweeps.
        extras: further observables that the method itself gives, by name; `q` and `Q` of a sampler replace those of its noisy mean.
        samples: (S, d) draws of the measure, where the method gives them.
        bias: of the field.
        layers: what makes features of inputs; absent, the weights act on the inputs.
    """

    mean: np.ndarray
    spread: float = 0.0
    cavity: np.ndarray | None = None
    residual: float = 0.0
    failure: str = ""
    steps: int = 0
    extras: Mapping[str, float] = field(default_factory=dict)
    samples: np.ndarray | None = None
    bias: float = 0.0
    layers: Layers | None = None

    def field(self, x: np.ndarray) -> np.ndarray:
        """(n,) outputs at inputs (n, d)."""
        return self.read(x if self.layers is None else self.layers(x))

    def read(self, features: np.ndarray) -> np.ndarray:
        """(...,) outputs at features (..., p), which are the inputs where there are no layers."""
        return features @ self.mean / np.sqrt(len(self.mean)) + self.bias


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
