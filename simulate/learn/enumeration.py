"""Exact Bayes and Gibbs learners by summing over all weights: for priors of a few atoms at d up to about 20."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate
from simulate.learn.target import target_of

LARGEST = 2**22
"""Most weight vectors that are summed over."""


def train(instances: Sequence[Instance], learner: Any, device: str = "cpu") -> list[Estimate]:
    """Posterior means and overlaps, without error.

    Raises:
        Unsupported: a prior with a continuous part, or too many weight vectors.
    """
    target = target_of(instances[0], learner)
    d = instances[0].size
    if target.masses.sum() < 1 - 1e-12 or device != "cpu":
        raise Unsupported("enumeration needs a prior made of atoms, on the cpu")
    if len(target.atoms) ** d > LARGEST:
        raise Unsupported(f"enumeration of {len(target.atoms)}**{d} weight vectors is too long (at most {LARGEST})")
    half = d // 2
    heads, tails = (_all(target.atoms, np.log(target.masses), size) for size in (half, d - half))
    return [_sum(i, heads, tails, target.log_likelihood) for i in instances]


def _all(atoms: np.ndarray, log_masses: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Every vector of `size` atoms and its log mass."""
    which = np.array(list(product(range(len(atoms)), repeat=size)), dtype=int).reshape(-1, size)
    return atoms[which], log_masses[which].sum(axis=1)


def _sum(instance: Instance, heads: tuple[np.ndarray, np.ndarray], tails: tuple[np.ndarray, np.ndarray], log_likelihood: Any) -> Estimate:
    x, y, d = instance.arrays["x"] / np.sqrt(instance.size), instance.arrays["y"], instance.size
    half = heads[0].shape[1]
    tail_fields = tails[0] @ x[:, half:].T
    totals = []
    for head, mass in zip(*heads, strict=True):
        fields = tail_fields + x[:, :half] @ head
        weights = log_likelihood(np.broadcast_to(y, fields.shape), fields).sum(axis=1) + tails[1] + mass
        top = weights.max()
        if np.isneginf(top):
            continue
        e = np.exp(weights - top)
        totals.append((top, e.sum(), head, e @ tails[0], float(e @ (tails[0] ** 2).sum(axis=1) + e.sum() * (head**2).sum())))
    if not totals:
        return Estimate(np.zeros(d), failure="no weights are allowed by the labels")
    top = max(t for t, *_ in totals)
    scale = [np.exp(t - top) for t, *_ in totals]
    Z = sum(s * total for s, (_, total, *_) in zip(scale, totals, strict=True))
    mean = np.concatenate([
        sum(s * total * head for s, (_, total, head, *_) in zip(scale, totals, strict=True)),
        sum(s * tail for s, (_, _, _, tail, _) in zip(scale, totals, strict=True)),
    ]) / Z
    Q = sum(s * square for s, (*_, square) in zip(scale, totals, strict=True)) / Z / d
    q = float(mean @ mean) / d
    return Estimate(mean, max(Q - q, 0.0), extras={"free_entropy": float(top + np.log(Z)) / d})
