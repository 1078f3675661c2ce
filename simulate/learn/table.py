"""Every weight vector of an alphabet and its energy or weight under one instance: exact sums at small size, memory bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import sympy as sp

from simulate.draw import bound, number
from simulate.instance import Instance, Unsupported
from simulate.learn.couplings import Couplings, couplings_of
from simulate.learn.tape import Tape, numpy_operations, stable
from simulate.learn.target import Target, prior_of, target_of

LARGEST = 2**25
"""Most weight vectors that are summed over; their weights are held at once, 8 bytes each."""
_BLOCK = 2**17  # fields evaluated at once
_MINIMUM = 1e-9  # energies closer than this to the smallest, relative to it, are the same


@dataclass(frozen=True)
class Table:
    """Log weights of all vectors (head, tail), the head being the first coordinates.

    Args:
        heads, tails: (H, h) and (T, d - h).
        logs: (H, T) log of prior mass times likelihood; -inf where forbidden.
        head_masses, tail_masses: (H,) and (T,) log masses under the prior.
        minimum: the smallest energy, a sum and not per weight, where `logs` is 0 at the minima and -inf elsewhere; else None.
    """

    heads: np.ndarray
    tails: np.ndarray
    logs: np.ndarray
    head_masses: np.ndarray
    tail_masses: np.ndarray
    minimum: float | None = None

    def allowed(self) -> tuple[np.ndarray, np.ndarray]:
        """(S, d) vectors that are not forbidden and (S,) log weights."""
        rows, columns = np.nonzero(self.logs > -np.inf)
        return np.concatenate([self.heads[rows], self.tails[columns]], axis=1), self.logs[rows, columns]


def table_of(instance: Instance, learner: Any) -> Table:
    """The measure of a Bayes or Gibbs learner, or the uniform one over the minima for an ERM learner and for couplings at beta = inf.

    Raises:
        Unsupported: a prior with a continuous part, too many weight vectors, or a bias.
    """
    if learner.network is not None and learner.network.kind == "linear" and learner.network.bias:
        raise Unsupported("a network with a bias cannot be enumerated yet")
    prior = bound(prior_of(instance, learner), instance.at)
    pairs = prior.atoms()
    atoms, masses = np.array([float(a) for a, _ in pairs]), np.array([float(p) for _, p in pairs])
    if masses.sum() < 1 - 1e-12 or learner.self_overlap is not None:
        raise Unsupported("enumeration needs a prior made of atoms and no imposed norm")
    d = instance.size
    if len(atoms) ** d > LARGEST:
        raise Unsupported(f"enumeration of {len(atoms)}**{d} weight vectors is too long (at most {LARGEST})")
    half = d // 2
    (heads, head_masses), (tails, tail_masses) = (vectors(atoms, np.log(masses), size) for size in (half, d - half))
    logs = np.empty((len(heads), len(tails)))
    minimum = learner.protocol.kind == "erm"
    if "J" in instance.arrays:
        beta = number(learner.protocol.beta, instance.at) if learner.protocol.kind == "gibbs" else 1.0
        minimum = minimum or np.isinf(beta)
        for row, energies in zip(logs, _coupled(couplings_of(instance, learner), heads, tails), strict=True):
            row[:] = -energies if minimum else -beta * energies
    else:
        rule = _minus_loss(instance, learner) if minimum else target_of(instance, learner)
        for row, found in zip(logs, _sampled(instance, rule, heads, tails), strict=True):
            row[:] = found
    if minimum:
        top = logs.max()
        logs = np.where(logs >= top - _MINIMUM * (1 + abs(top)), 0.0, -np.inf)
        return Table(heads, tails, logs, head_masses, tail_masses, -float(top))
    logs += head_masses[:, None] + tail_masses
    return Table(heads, tails, logs, head_masses, tail_masses)


def vectors(atoms: np.ndarray, log_masses: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Every vector of `size` atoms, the first coordinate moving slowest, and its log mass."""
    which = np.array(list(product(range(len(atoms)), repeat=size)), dtype=int).reshape(-1, size)
    return atoms[which], log_masses[which].sum(axis=1)


def _coupled(couplings: Couplings, heads: np.ndarray, tails: np.ndarray) -> Iterator[np.ndarray]:
    for head in heads:
        yield couplings.energy(np.concatenate([np.broadcast_to(head, (len(tails), len(head))), tails], axis=1))


def _sampled(instance: Instance, rule: Any, heads: np.ndarray, tails: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of log likelihoods, sample by sample: a vector that one sample forbids is not looked at again."""
    x, y = instance.arrays["x"] / np.sqrt(instance.size), instance.arrays["y"]
    half = heads.shape[1]
    head_fields, tail_fields = x[:, :half] @ heads.T, x[:, half:] @ tails.T
    log_likelihood = rule.log_likelihood if isinstance(rule, Target) else rule
    step = max(1, _BLOCK // len(tails))
    for i in range(0, len(heads), step):
        logs = np.zeros((min(step, len(heads) - i), len(tails)))
        alive = np.arange(logs.size)
        for label, head, tail in zip(y, head_fields[:, i : i + step], tail_fields, strict=True):
            fields = head[alive // len(tails)] + tail[alive % len(tails)]
            found = log_likelihood(np.full_like(fields, label), fields)
            logs.reshape(-1)[alive] += found
            allowed = found > -np.inf
            if not allowed.all():
                alive = alive[allowed]
        yield from logs


def _minus_loss(instance: Instance, learner: Any) -> Any:
    y, z = sp.symbols("y z", real=True)
    if learner.regularizer is not None and learner.regularizer.kind != "zero":
        raise Unsupported("minima over atoms with a regularizer cannot be enumerated yet")
    loss = Tape((stable(sp.sympify(bound(learner.loss, instance.at).formula(y, z))),), (y, z), numpy_operations())
    return lambda labels, fields: -loss(labels, fields)[0]
