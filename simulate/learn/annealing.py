"""Simulated annealing: low states, and at a finite temperature the measure there, from many starts.

Couplings between weights are annealed in compiled code.  Where a law has a condensed latent, and for Bayes learners, chains start at
the truth as well: a retrieval state may be one of many and is not found from far away.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import factorial
from typing import Any

import numpy as np

from simulate.draw import bound, generator, is_disorder, number
from simulate.instance import Instance, Unsupported
from simulate.learn import lowest
from simulate.learn.cooling import Cooling, cooling_of
from simulate.learn.couplings import Couplings, couplings_of, truth_of
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.target import prior_of

USUAL = Cooling(sweeps=1000, hot=1.5, cold=0.02, restarts=15)
"""Temperatures in units of the spread of the local fields; at a finite one of the learner, only the first is used."""
APART = 0.1
"""Chains started at the truth and elsewhere agree where q differs by less than this."""


def solve(instances: Sequence[Instance], device: str = "cpu", options: Mapping[str, float] | None = None) -> list[Outcome]:
    """Outcomes of the one learner of every instance.

    Args:
        options: fields of Cooling, where they differ from the usual ones.

    Raises:
        Unsupported: several learners, another device than the CPU, or a prior that is neither made of atoms nor a sphere.
    """
    spec = instances[0].spec
    if len(spec.learners) != 1 or len(spec.stages) > 1:
        raise Unsupported(f"annealing takes one learner in one stage, found {len(spec.learners)} in {len(spec.stages)}")
    if device != "cpu":
        raise Unsupported(f"annealing runs on the cpu, not on {device!r}")
    ((name, learner),) = spec.learners.items()
    if not is_disorder(spec):
        found = lowest.train(instances, learner, cooling_of(lowest.USUAL, options or {}))
    else:
        cooling = cooling_of(USUAL, options or {})
        if np.isfinite(_beta(instances[0], learner)) and (cooling.cold != USUAL.cold or cooling.chains < 2):
            raise Unsupported("annealing to the temperature of the learner takes no 'cold', and 'restarts' of 1 at least")
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:  # the compiled chains leave Python alone
            found = list(pool.map(lambda instance: _annealed(instance, learner, cooling), instances))
    return [Outcome({name: one}, failure=one.failure) for one in found]


def _annealed(instance: Instance, learner: Any, cooling: Cooling) -> Estimate:
    couplings = couplings_of(instance, learner)
    beta = _beta(instance, learner)
    rng = generator(instance.spec.fingerprint, instance.at, instance.size, instance.seed, "annealing")
    prior = bound(prior_of(instance, learner), instance.at)
    w = np.asarray(prior.sample(rng, (cooling.chains, instance.size)), float)
    truth = truth_of(instance, learner)
    informed = np.zeros(cooling.chains, bool)
    if truth is not None:
        informed[:: 2 if learner.protocol.kind == "bayes" else 1] = True
        w[informed] = truth
    spread = float(np.std(couplings_spread(couplings, prior.sample(rng, (cooling.chains, instance.size)))))
    betas, start = schedule(beta, spread, cooling, informed)
    even = couplings.J.ndim % 2 == 0  # w and -w are equally good then: the half of the space around the truth is measured
    lead = truth if truth is not None and even else np.zeros(instance.size)
    chains = Chains(couplings, prior, w, betas, start, lead, rng)
    if np.isinf(beta):
        best = int(np.argmin(chains.best_energy))
        return Estimate(chains.best[best], steps=cooling.sweeps, extras=_low(chains, instance.size))
    return _thermal(instance, learner, chains, informed, cooling.sweeps)


def _beta(instance: Instance, learner: Any) -> float:
    protocol = learner.protocol
    return np.inf if protocol.kind == "erm" else number(protocol.beta, instance.at) if protocol.kind == "gibbs" else 1.0


def couplings_spread(couplings: Couplings, w: np.ndarray) -> np.ndarray:
    """(C, d) local fields of random vectors, whose spread sets the scale of temperatures."""
    d, p = w.shape[1], couplings.J.ndim
    part = w @ couplings.J.reshape(d, -1)
    for _ in range(p - 2):
        part = np.matmul(w[:, None, :], part.reshape(len(w), d, -1))[:, 0]
    return part / factorial(p - 1)


def schedule(beta: float, spread: float, cooling: Cooling, informed: np.ndarray) -> tuple[np.ndarray, int]:
    """(betas (R, T), first sweep of the averages).  Informed chains stay at the last temperature from the start.

    beta = inf: see Cooling; else linear to 1/beta in a third, and averages after another third.
    """
    if np.isinf(beta):
        return np.where(informed[:, None], 1e300, cooling.betas(spread, 1e300)), cooling.sweeps
    third = cooling.sweeps // 3
    line = np.full(cooling.sweeps, beta)
    line[:third] = 1 / np.linspace(max(cooling.hot * spread, 1 / beta), 1 / beta, third)
    return np.where(informed[:, None], beta, line), 2 * third


class Chains:
    """Runs the compiled chains on being made; holds means, lowest states and their energies (sums, not per weight)."""

    def __init__(
        self, couplings: Couplings, prior: Any, w: np.ndarray, betas: np.ndarray, start: int, lead: np.ndarray, rng: np.random.Generator
    ) -> None:
        from simulate.learn import metropolis  # numba takes a second

        d, p = w.shape[1], couplings.J.ndim
        J = couplings.J.reshape(d, -1)
        factorials = np.array([factorial(p - 1), factorial(p - 2)], float)
        energy = couplings.energy(w)
        self.w = w
        self.mean, self.mean_energy = np.zeros_like(w), np.zeros(len(w))
        self.best, self.best_energy = w.copy(), energy.copy()
        out = (energy, rng, self.mean, self.mean_energy, self.best, self.best_energy)
        pairs = prior.atoms()
        if prior.pinned_norm() is not None:
            metropolis.anneal_sphere(J, factorials, couplings.squares, w, betas, start, lead, *out)
        elif pairs and abs(sum(float(m) for _, m in pairs) - 1) < 1e-12:
            atoms, log_masses = np.array([float(a) for a, _ in pairs]), np.log([float(m) for _, m in pairs])
            which = np.argmin(np.abs(w[:, :, None] - atoms), axis=2)
            metropolis.anneal_atoms(J, factorials, couplings.squares, w, which, atoms, log_masses, betas, start, lead, *out)
        else:
            raise Unsupported(f"annealing of couplings needs a prior made of atoms or a sphere, not '{prior.kind}'")
        taken = betas.shape[1] - start
        if taken:
            self.mean /= taken
            self.mean_energy /= taken
        self.best_energy = couplings.energy(self.best)  # without the rounding of a long sum


def _low(chains: Chains, d: int) -> dict[str, float]:
    low = chains.best_energy.min()
    same = np.mean(chains.best_energy < low + 1e-6 * abs(low))
    return {"energy": float(low) / d, "restarts_at_minimum": float(same)}


def _thermal(instance: Instance, learner: Any, chains: Chains, informed: np.ndarray, sweeps: int) -> Estimate:
    d, mean = instance.size, chains.mean
    Q = float(bound(prior_of(instance, learner), instance.at).pinned_norm() or np.mean(chains.w**2))
    extras = {"energy": float(np.mean(chains.mean_energy)) / d, "Q": Q}
    if not informed.any():
        return Estimate(mean.mean(axis=0), steps=sweeps, extras=extras)
    products = mean @ mean.T / d
    q, failure = _off_diagonal(products[np.ix_(informed, informed)]), ""
    if not informed.all():
        across = float(np.mean(products[np.ix_(informed, ~informed)]))
        if abs(across - q) > APART:
            failure = f"chains from the truth and from elsewhere do not meet: q = {q:.2f} and {across:.2f} after {sweeps} sweeps"
        q = _off_diagonal(products)
    return Estimate(mean.mean(axis=0), max(Q - q, 0.0), failure=failure, steps=sweeps, extras=extras | {"q": q})


def _off_diagonal(products: np.ndarray) -> float:
    n = len(products)
    return float((products.sum() - np.trace(products)) / (n * (n - 1)))
