"""The measure that a Bayes or Gibbs learner samples: prior and likelihood from the declaration alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from simulate.draw import bound, number
from simulate.instance import Instance, Unsupported
from simulate.learn.held import held
from simulate.learn.tape import Tape, numpy_operations, stable


@dataclass(frozen=True)
class Target:
    """Prior of the weights times exp(log likelihood of the fields).

    Args:
        log_likelihood: (y, z) -> log weight of each sample; -inf forbids.
        log_prior: w -> log density of the continuous part.
        atoms, masses: where the prior has point masses, and how much.
        pinned: |w|^2/d where it is imposed.
        prior: the ingredient, its parameters numbers.
    """

    log_likelihood: Callable[[np.ndarray, np.ndarray], np.ndarray]
    log_prior: Callable[[np.ndarray], np.ndarray]
    atoms: np.ndarray
    masses: np.ndarray
    pinned: float | None
    prior: Any

    def start(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draws of the prior, stretched and kept inside its support where another norm is imposed."""
        w = np.asarray(self.prior.sample(rng, shape), float)
        if self.pinned is None or self.prior.pinned_norm() is not None:
            return w
        low, high = (float(end) for end in self.prior.support())
        return np.stack([held(row, self.pinned, low, high) for row in w.reshape(-1, shape[-1])]).reshape(shape)


def target_of(instance: Instance, learner: Any) -> Target:
    """The posterior of a Bayes learner, or exp(-beta * energy) times the prior of a Gibbs learner, with beta = 1 for an ERM learner.

    Raises:
        Unsupported: labels without a density given the field (noiseless real labels), or labels of several laws.
    """
    if learner.believes:
        raise Unsupported("a learner with 'believes' cannot be sampled yet")
    prior = bound(prior_of(instance, learner), instance.at)
    w = sp.Symbol("w", real=True)
    density, (lower, upper) = sp.sympify(prior.density(w)), prior.support()
    tape = Tape((density,), (w,), numpy_operations())

    def log_prior(weights: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            inside = (weights >= float(lower)) & (weights <= float(upper))
            return np.where(inside, np.log(np.maximum(tape(weights)[0], 0.0)), -np.inf)

    pairs = prior.atoms()
    imposed = getattr(learner, "self_overlap", None)
    norm = prior.pinned_norm() if imposed is None else number(imposed, instance.at)
    return Target(
        _log_likelihood(instance, learner),
        log_prior,
        np.array([float(a) for a, _ in pairs]),
        np.array([float(p) for _, p in pairs]),
        None if norm is None else float(norm),
        prior,
    )


def prior_of(instance: Instance, learner: Any) -> Any:
    """The prior of a learner: its own, its target's, or that of the only latent."""
    if learner.prior is not None:
        return learner.prior
    target = getattr(learner, "target", None)
    if target in instance.spec.latents:
        return instance.spec.latents[target].prior
    if len(instance.spec.latents) != 1:
        raise Unsupported("a sampled learner without a prior needs exactly one latent to take it from")
    return next(iter(instance.spec.latents.values())).prior


def _log_likelihood(instance: Instance, learner: Any) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    y, z = sp.symbols("y z", real=True)
    operations = numpy_operations()
    if learner.protocol.kind in ("gibbs", "erm"):
        beta = number(learner.protocol.beta, instance.at) if learner.protocol.kind == "gibbs" else 1.0
        loss = Tape((stable(sp.sympify(bound(learner.loss, instance.at).formula(y, z))),), (y, z), operations)
        if np.isinf(beta):
            return lambda labels, fields: np.where(loss(labels, fields)[0] > 0, -np.inf, 0.0)
        return lambda labels, fields: -beta * loss(labels, fields)[0]
    channels = {g.label.channel for s in instance.spec.slices.values() for g in s.groups.values()}
    biases = {g.label.bias for s in instance.spec.slices.values() for g in s.groups.values()}
    if len(channels) != 1 or not biases <= {None, 0}:
        raise Unsupported("labels of several laws, or with a bias, cannot be sampled yet")
    law = bound(channels.pop(), instance.at).density(y, z)
    if law is None:
        raise Unsupported("labels without a density given the field (noiseless real labels) cannot be sampled")
    direct = Tape((law,), (y, z), operations)
    expanded = sp.expand_log(sp.log(law), force=True) if not law.has(sp.Piecewise, sp.Heaviside, sp.sign) else None
    if expanded is None:

        def steps(labels: np.ndarray, fields: np.ndarray) -> np.ndarray:
            with np.errstate(divide="ignore"):
                return np.log(direct(labels, fields)[0])

        return steps
    logs = Tape((stable(expanded),), (y, z), operations)
    return lambda labels, fields: logs(labels, fields)[0]
