"""Monte Carlo for Bayes and Gibbs learners at small size: single coordinates by Metropolis, all chains of all instances side by side.

It knows the prior and the likelihood only, so that message passing and theory are not checked by themselves.  Two chains per
instance, started apart, give overlaps without bias and show when they have not mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simulate.draw import generator, number
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate
from simulate.learn.target import Target, target_of

SWEEPS = 2000
"""Sweeps after the burn-in, which takes a third as many."""
APART = 0.1
"""Two chains agree where their means differ by less than this fraction of |w|^2/d."""


@dataclass
class State:
    """C chains at once: weights (C, d), fields and log likelihoods (C, n), step sizes (C,)."""

    w: np.ndarray
    z: np.ndarray
    log_likelihood: np.ndarray
    step: np.ndarray
    accepted: np.ndarray = field(default_factory=lambda: np.zeros(0))


def train(instances: Sequence[Instance], learner: Any, device: str = "cpu", sweeps: int = SWEEPS) -> list[Estimate]:
    """Posterior means and overlaps of two independent chains per instance.

    Raises:
        Unsupported: another device than the CPU, or a measure that cannot be sampled.
    """
    if device != "cpu":
        raise Unsupported(f"Monte Carlo runs on the cpu, not on {device!r}")
    target = target_of(instances[0], learner)
    first = instances[0]
    rng = generator(first.spec.fingerprint, first.at, first.size, first.seed, "monte_carlo")
    columns = np.stack([i.arrays["x"].T for i in instances for _ in range(2)]) / np.sqrt(first.size)  # (C, d, n)
    y = np.stack([i.arrays["y"] for i in instances for _ in range(2)])
    state = _start(instances, learner, target, columns, y, rng)
    for sweep in range(sweeps // 3):
        visit(state, target, columns, y, rng)
        state.step *= np.exp((state.accepted - 0.4) / np.sqrt(1 + sweep / 20))
    total, square, level = np.zeros_like(state.w), np.zeros(len(state.w)), np.zeros(len(state.w))
    for _ in range(sweeps):
        visit(state, target, columns, y, rng)
        total += state.w
        square += np.mean(state.w**2, axis=1)
        level += state.log_likelihood.sum(axis=1)
    forbidden = np.any(np.isneginf(state.log_likelihood), axis=1).reshape(-1, 2).any(axis=1)
    means, squares = (total / sweeps).reshape(len(instances), 2, -1), (square / sweeps).reshape(-1, 2).mean(axis=1)
    levels = (level / sweeps).reshape(-1, 2).mean(axis=1)
    found = [_estimate(*parts, sweeps) for parts in zip(instances, means, squares, forbidden, strict=True)]
    if learner.protocol.kind != "gibbs":
        return found
    beta = number(learner.protocol.beta, first.at)
    return [_with_energy(*parts, beta) for parts in zip(found, levels, instances, strict=True)]


def _with_energy(estimate: Estimate, level: float, instance: Instance, beta: float) -> Estimate:
    """`level` is the mean log likelihood, which is minus beta times the sum of losses."""
    losses = 0.0 if np.isinf(beta) else -level / beta
    more = {"energy": losses / instance.size, "training_loss": losses / len(instance.arrays["y"])}
    return replace(estimate, extras={**estimate.extras, **more})


def _estimate(instance: Instance, means: np.ndarray, Q: float, forbidden: bool, sweeps: int) -> Estimate:
    d = instance.size
    q = float(means[0] @ means[1]) / d
    apart = float(np.sum((means[0] - means[1]) ** 2)) / d / Q
    failure = f"two chains differ by {apart:.2f} of |w|^2/d after {sweeps} sweeps, allowed {APART}" if apart > APART else ""
    if forbidden:
        failure = "a chain found no weights that the labels allow"
    return Estimate(means.mean(axis=0), max(Q - q, 0.0), residual=apart, failure=failure, steps=sweeps, extras={"q": q, "Q": Q})


def _start(
    instances: Sequence[Instance], learner: Any, target: Target, columns: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> State:
    """The first chain of a Bayes learner starts at the truth, which is a draw of its measure; all others at draws of the prior."""
    w = target.start(rng, columns.shape[:2])
    if learner.protocol.kind == "bayes":
        w[::2] = [next(iter(i.truth.values())) for i in instances]
    z = np.einsum("cd,cdn->cn", w, columns)
    return State(w, z, target.log_likelihood(y, z), np.full(len(w), 0.5))


def visit(state: State, target: Target, columns: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
    """One visit of every coordinate, in random order, and where the norm is free one change of it."""
    chains, d = state.w.shape
    tried = 0
    accepted = np.zeros(chains)
    for j in rng.permutation(d):
        if target.pinned is not None:
            accepted += _rotate(state, target, columns, y, int(j), rng)
            tried += 1
        elif target.atoms.size and target.masses.sum() > 1 - 1e-12:
            _accept(state, target, columns, y, int(j), target.prior.sample(rng, (chains, 1))[:, 0], np.zeros(chains), rng)
        else:
            old = state.w[:, j]
            walk = old + state.step * rng.standard_normal(chains) * rng.choice([0.3, 1.0, 3.0], size=chains)
            moving = ~np.isin(old, target.atoms)
            new = np.where(moving, walk, old)
            accepted += _accept(state, target, columns, y, int(j), new, target.log_prior(new) - target.log_prior(old), rng) * moving
            tried += 1
            if target.atoms.size:  # from an atom and back only by a draw from the prior, which leaves the likelihood to decide
                _accept(state, target, columns, y, int(j), target.prior.sample(rng, (chains, 1))[:, 0], np.zeros(chains), rng)
    if target.pinned is None and not target.atoms.size:
        _rescale(state, target, y, rng)
    state.accepted = accepted / max(tried, 1)


def _rescale(state: State, target: Target, y: np.ndarray, rng: np.random.Generator) -> None:
    """Stretch a whole vector: its length is the slowest direction for single coordinates."""
    chains, d = state.w.shape
    stretch = np.exp(rng.standard_normal(chains) / np.sqrt(d))[:, None]
    log_ratio = (target.log_prior(stretch * state.w) - target.log_prior(state.w)).sum(axis=1) + d * np.log(stretch[:, 0])
    z = stretch * state.z
    yes, log_likelihood = _decide(state, target, y, z, log_ratio, rng)
    state.w[yes] *= stretch[yes]
    state.z[yes], state.log_likelihood[yes] = z[yes], log_likelihood[yes]


def _rotate(state: State, target: Target, columns: np.ndarray, y: np.ndarray, j: int, rng: np.random.Generator) -> np.ndarray:
    """Turn coordinate j and another by a small angle, which keeps the norm and the uniform measure on the sphere."""
    chains, d = state.w.shape
    k = (j + 1 + int(rng.integers(d - 1))) % d
    angle = state.step * rng.standard_normal(chains)
    a, b = state.w[:, j], state.w[:, k]
    turn_a, turn_b = a * (np.cos(angle) - 1) - b * np.sin(angle), a * np.sin(angle) + b * (np.cos(angle) - 1)
    z = state.z + turn_a[:, None] * columns[:, j] + turn_b[:, None] * columns[:, k]
    log_ratio = np.zeros(chains)
    if target.prior.pinned_norm() is None:  # on a sphere of its own a prior is constant
        log_ratio += target.log_prior(a + turn_a) + target.log_prior(b + turn_b) - target.log_prior(a) - target.log_prior(b)
    yes, log_likelihood = _decide(state, target, y, z, log_ratio, rng)
    state.w[yes, j] += turn_a[yes]
    state.w[yes, k] += turn_b[yes]
    state.z[yes], state.log_likelihood[yes] = z[yes], log_likelihood[yes]
    return yes


def _accept(
    state: State,
    target: Target,
    columns: np.ndarray,
    y: np.ndarray,
    j: int,
    new: np.ndarray,
    log_ratio: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Metropolis for coordinate j of every chain; `log_ratio` is that of prior and proposal."""
    z = state.z + (new - state.w[:, j])[:, None] * columns[:, j]
    yes, log_likelihood = _decide(state, target, y, z, log_ratio, rng)
    state.w[yes, j] = new[yes]
    state.z[yes], state.log_likelihood[yes] = z[yes], log_likelihood[yes]
    return yes


def _decide(
    state: State, target: Target, y: np.ndarray, z: np.ndarray, log_ratio: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Which chains move.  A chain that stands where labels forbid it moves to where fewer do."""
    log_likelihood = target.log_likelihood(y, z)
    before, after = np.isneginf(state.log_likelihood).sum(axis=1), np.isneginf(log_likelihood).sum(axis=1)
    gain = np.where(np.isneginf(log_likelihood), 0.0, log_likelihood).sum(axis=1)
    gain = gain - np.where(np.isneginf(state.log_likelihood), 0.0, state.log_likelihood).sum(axis=1)
    chance = np.log(rng.random(len(z))) < gain + log_ratio
    return (after < before) & ~np.isneginf(log_ratio) | (after == before) & chance, log_likelihood
