"""Every selection of a small pool and the volume that it leaves, counted exactly; for priors of a few atoms and hard constraints.

V(s) is a sum over weights that no kept sample forbids: one pass over weights sorts their mass by what forbids them, and a sum over
subsets gives V of every selection.  The number of selections is known exactly at every d and in the limit; the ratio of the two is taken
out of the complexity, which then approaches its limit as 1/d.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from simulate.draw.selection import budget_of, tilt_of
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate
from simulate.learn.table import vectors
from simulate.learn.target import target_of

LARGEST = 2**22
"""Most selections, and most weight vectors, that are summed over."""


def tilted(instance: Instance, learner: Any) -> Estimate:
    """Mean weights under the measure over selections and, given one, over the weights it allows; with log-volume and complexity.

    Raises:
        Unsupported: a prior with a continuous part, a loss that does not forbid or allow, or a pool that is too large.
    """
    d, y = instance.size, instance.arrays["y"]
    count, x = budget_of(instance.spec, instance.at, d), tilt_of(instance.spec, instance.at)
    target, pool = target_of(instance, learner), len(y)
    if target.masses.sum() < 1 - 1e-12 or target.pinned is not None and target.prior.pinned_norm() is None:
        raise Unsupported("selections are enumerated for priors made of atoms and no imposed norm")
    if max(2**pool, len(target.atoms) ** d) > LARGEST:
        raise Unsupported(f"enumeration of 2**{pool} selections and {len(target.atoms)}**{d} weight vectors is too long ({LARGEST})")
    weights, logs = vectors(target.atoms, np.log(target.masses), d)
    forbidden = np.zeros(len(weights), dtype=np.int64)
    for bit, (row, label) in enumerate(zip(instance.arrays["x"] / np.sqrt(d), y, strict=True)):
        found = target.log_likelihood(np.full(len(weights), label), weights @ row)
        if not np.all((found == 0) | np.isneginf(found)):
            raise Unsupported("selections are enumerated where a loss allows or forbids: 'theta' at beta = inf")
        forbidden |= np.isneginf(found).astype(np.int64) << bit
    every = np.arange(2**pool)
    selections = every[sum((every >> bit) & 1 for bit in range(pool)) == count]
    others = every[-1] ^ selections  # what forbids a weight must be among the samples that are not kept

    def below(values: np.ndarray) -> np.ndarray:
        return _over_subsets(np.bincount(forbidden, values, 2**pool))[others]

    mass = np.exp(logs)
    volumes = below(mass)
    if not volumes.all():
        if x <= 0:
            return Estimate(np.zeros(d), failure="a selection leaves no weights at all, and its volume has no power that is not positive")
        keep = volumes > 0
        volumes, others = volumes[keep], others[keep]
    level = np.log(volumes)
    top = (x * level).max()
    share = np.exp(x * level - top)
    log_sum, share = top + np.log(share.sum()), share / share.sum()
    means = np.stack([below(mass * weights[:, i]) / volumes for i in range(d)], axis=1)
    mean, volume = share @ means, float(share @ level)
    Q = float(share @ (below(mass * (weights**2).sum(axis=1)) / volumes)) / d
    extra = pool * _entropy(count / pool) - (gammaln(pool + 1) - gammaln(count + 1) - gammaln(pool - count + 1))
    extras = {"q0": float(mean @ mean) / d, "q1": float(share @ (means**2).sum(axis=1)) / d, "Q": Q, "log_volume": volume / d}
    extras["complexity"] = float(log_sum - x * volume + extra) / d
    return Estimate(mean, max(Q - float(mean @ mean) / d, 0.0), extras=extras)


def _over_subsets(values: np.ndarray) -> np.ndarray:
    """At every set of bits, the sum over its subsets."""
    for bit in range(len(values).bit_length() - 1):
        pairs = values.reshape(-1, 2, 2**bit)
        pairs[:, 1] += pairs[:, 0]
    return values


def _entropy(p: float) -> float:
    return float(-p * np.log(p) - (1 - p) * np.log(1 - p))
