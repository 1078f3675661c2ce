"""The energy of weights that couple to each other, evaluated for many weight vectors at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np

from simulate.draw import bound
from simulate.instance import Instance, Unsupported


@dataclass(frozen=True)
class Couplings:
    """E(w) = -sum_{i1 < ... < ip} J w ... w + squares * sum_{i<j} w_i^2 w_j^2.

    Args:
        J: symmetric, p axes of length d, zero where two indices agree.
    """

    J: np.ndarray
    squares: float = 0.0

    def energy(self, w: np.ndarray) -> np.ndarray:
        """(C,) energies, sums and not per weight, of vectors (C, d)."""
        p, d = self.J.ndim, len(self.J)
        part = w @ self.J.reshape(d, -1)
        for _ in range(p - 1):
            part = np.matmul(w[:, None, :], part.reshape(len(w), d, -1))[:, 0]
        own = np.sum(w**2, axis=1)
        return -part[:, 0] / factorial(p) + self.squares * (own**2 - np.sum(w**4, axis=1)) / 2


def couplings_of(instance: Instance, learner: Any) -> Couplings:
    """The energy of a learner whose data is one disordered object.

    Raises:
        Unsupported: a learner with a loss, a penalty or another target of its own.
    """
    part = next(iter(instance.spec.slices.values()))
    law = bound(part.law, instance.at)
    for key in ("loss", "regularizer"):
        if (term := getattr(learner, key)) is not None and term.kind != "zero":
            raise Unsupported(f"{key} '{term.kind}' beside couplings between weights cannot be simulated yet")
    for key in ("couple", "self_overlap", "believes"):
        if getattr(learner, key, None):
            raise Unsupported(f"a learner with '{key}' beside couplings between weights cannot be simulated yet")
    if len(spikes := getattr(law, "of", ())) > 1:
        raise Unsupported(f"a learner of one of {len(spikes)} spikes cannot be simulated yet")
    return Couplings(instance.arrays["J"], law.squares(instance.size))


def truth_of(instance: Instance, learner: Any) -> np.ndarray | None:
    """(d,) the latent a learner is after: its target, or the condensed latent of the law; None where there is none."""
    law = next(iter(instance.spec.slices.values())).law
    names = (str(learner.target), str(getattr(law, "condensed", None)))
    return next((instance.truth[name] for name in names if name in instance.truth), None)
