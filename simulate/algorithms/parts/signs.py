"""Constraints on the signs of fields, as learners with weights of few values meet them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulate.algorithms.parts.gaussian_fields import bethe, sweep
from simulate.draw import bound, number
from simulate.instance import Instance, Unsupported
from simulate.iteration import Algorithm
from simulate.learn.estimate import Estimate, Outcome


class Constraints(Protocol):
    """What weights have to meet."""

    def violated(self, weights: np.ndarray) -> int:
        """How many constraints weights (d,) do not meet."""


@dataclass(frozen=True)
class SignConstraints:
    """y z >= margin for every sample.

    Args:
        patterns: (n, d) inputs times labels, not divided by sqrt(d).
        margin: of the sum over weights times patterns.
        leak: weight of a constraint that is not met, exp(-beta).
        levels: values of a weight, ascending.
    """

    patterns: np.ndarray
    margin: float
    leak: float
    levels: np.ndarray

    @property
    def size(self) -> int:
        return self.patterns.shape[1]

    @property
    def count(self) -> int:
        return len(self.patterns)

    @property
    def edges(self) -> tuple[int, ...]:
        return self.patterns.shape

    def gathered(self, u: np.ndarray) -> np.ndarray:
        return u.sum(axis=0)

    def sweep(self, order: np.ndarray, extra: np.ndarray, h: np.ndarray, u: np.ndarray, damping: float) -> float:
        return sweep(self.patterns, order, self.margin, self.leak, extra, h, u, damping)

    def bethe(self, h: np.ndarray, u: np.ndarray) -> tuple[float, float]:
        return bethe(self.patterns, self.margin, self.leak, h, u)

    def violated(self, weights: np.ndarray) -> int:
        """How many samples are not met."""
        return int(np.count_nonzero(self.patterns @ weights < self.margin))


def sign_constraints(instance: Instance) -> SignConstraints:
    """What one learner has to meet.

    Raises:
        Unsupported: more learners, another loss, a network, labels that are no signs, or weights without a list of values.
    """
    levels, patterns = levels_of(instance), signed_inputs(instance)
    (learner,) = instance.spec.learners.values()
    if learner.network is not None and learner.network.kind != "linear":
        raise Unsupported(f"weights on the inputs are needed, found the network '{learner.network.kind}'")
    margin, leak = margin_of(instance)
    return SignConstraints(patterns, margin * np.sqrt(instance.size), leak, levels)


def signed_inputs(instance: Instance) -> np.ndarray:
    """(n, d) inputs times labels.

    Raises:
        Unsupported: no samples, or labels that are no signs.
    """
    if "x" not in instance.arrays:
        raise Unsupported(f"this algorithm needs samples; the data have {' '.join(instance.arrays)}")
    x, y = instance.arrays["x"], instance.arrays["y"]
    if not np.isin(y, (-1, 1)).all():
        raise Unsupported(f"labels -1 and 1 are needed, found {np.unique(y)[:5]}")
    return np.ascontiguousarray(x * y[:, None], float)


def margin_of(instance: Instance) -> tuple[float, float]:
    """(margin of the output of the one learner, weight exp(-beta) of a sample that is not met).

    Raises:
        Unsupported: another loss.
    """
    (learner,) = instance.spec.learners.values()
    if learner.loss is None:
        return 0.0, 0.0
    if learner.loss.kind != "theta":
        raise Unsupported(f"the loss 'theta' is needed, which counts violated samples; found '{learner.loss.kind}'")
    soft = learner.protocol.kind == "gibbs"
    return number(learner.loss.margin, instance.at), float(np.exp(-number(learner.protocol.beta, instance.at))) if soft else 0.0


def levels_of(instance: Instance) -> np.ndarray:
    """Values of a weight of the one learner, ascending.

    Raises:
        Unsupported: more learners, or weights without a list of values.
    """
    spec = instance.spec
    if len(spec.learners) != 1:
        raise Unsupported(f"this algorithm knows one learner, found {len(spec.learners)}: {' '.join(spec.learners)}")
    (learner,) = spec.learners.values()
    prior = learner.prior or next((latent.prior for latent in spec.latents.values() if latent.prior is not None), None)
    atoms = bound(prior, instance.at).atoms() if prior is not None else None
    if not atoms or len({mass for _, mass in atoms}) > 1:
        raise Unsupported(f"weights of a few values with equal odds are needed, found the prior '{getattr(prior, 'kind', None)}'")
    return np.array(sorted(float(value) for value, _ in atoms))


def found(algorithm: Algorithm, constraints: Constraints, weights: np.ndarray) -> Outcome:
    """Weights that a search ended with, and how many samples they violate, per weight."""
    energy = constraints.violated(weights) / algorithm.instance.size
    return Outcome({algorithm.only_learner: Estimate(weights, extras={"energy": energy})})


def refuse_levels(levels: np.ndarray, what: str) -> None:
    """Only signs.

    Raises:
        Unsupported: other values of weights.
    """
    if list(levels) != [-1.0, 1.0]:
        raise Unsupported(f"{what} knows weights -1 and 1, found {levels.tolist()}")
