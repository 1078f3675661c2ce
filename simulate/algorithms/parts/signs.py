"""Constraints on the signs of fields, as learners with weights of few values meet them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.draw import bound, number
from simulate.instance import Instance, Unsupported
from simulate.iteration import Algorithm
from simulate.learn.estimate import Estimate, Outcome


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

    def violated(self, weights: np.ndarray) -> int:
        """How many samples are not met."""
        return int(np.count_nonzero(self.patterns @ weights < self.margin))


def sign_constraints(instance: Instance) -> SignConstraints:
    """What one learner has to meet.

    Raises:
        Unsupported: more learners, another loss, labels that are no signs, or weights without a list of values.
    """
    spec, at = instance.spec, instance.at
    if len(spec.learners) != 1 or "x" not in instance.arrays:
        raise Unsupported(f"this algorithm knows one learner with samples, found {len(spec.learners)}: {' '.join(spec.learners)}")
    (learner,) = spec.learners.values()
    prior = learner.prior or next((latent.prior for latent in spec.latents.values() if latent.prior is not None), None)
    atoms = bound(prior, at).atoms() if prior is not None else None
    if not atoms or len({mass for _, mass in atoms}) > 1:
        raise Unsupported(f"weights of a few values with equal odds are needed, found the prior '{getattr(prior, 'kind', None)}'")
    x, y = instance.arrays["x"], instance.arrays["y"]
    if not np.isin(y, (-1, 1)).all():
        raise Unsupported(f"labels -1 and 1 are needed, found {np.unique(y)[:5]}")
    margin, leak = 0.0, 0.0
    if learner.loss is not None:
        if learner.loss.kind != "theta":
            raise Unsupported(f"the loss 'theta' is needed, which counts violated samples; found '{learner.loss.kind}'")
        margin = number(learner.loss.margin, at)
        if learner.protocol.kind == "gibbs":
            leak = float(np.exp(-number(learner.protocol.beta, at)))
    patterns = np.ascontiguousarray(x * y[:, None], float)
    return SignConstraints(patterns, margin * np.sqrt(instance.size), leak, np.array(sorted(float(value) for value, _ in atoms)))


def found(algorithm: Algorithm, constraints: SignConstraints, weights: np.ndarray) -> Outcome:
    """Weights that a search ended with, and how many samples they violate, per weight."""
    energy = constraints.violated(weights) / algorithm.instance.size
    return Outcome({algorithm.only_learner: Estimate(weights, extras={"energy": energy})})


def refuse_levels(constraints: SignConstraints, what: str) -> None:
    """Only signs.

    Raises:
        Unsupported: other values of weights.
    """
    if list(constraints.levels) != [-1.0, 1.0]:
        raise Unsupported(f"{what} knows weights -1 and 1, found {constraints.levels.tolist()}")
