"""Generalised approximate message passing, with the scalar functions of the derived theory (`Theory.scores`).

Variances are kept per instance, as for inputs with independent entries of one variance.  The stop is on the undamped map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp

from replica.derive import derive
from replica.protocols import AMP
from simulate.algorithms.rules import Rules, rules_of
from simulate.algorithms.steps import iterate
from simulate.draw import bound, generator, number
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate
from simulate.learn.tape import Tape, numpy_operations

TOLERANCE = 1e-6
_DAMPINGS = (0.0, 0.3, 0.6, 0.85)  # tried in turn until the messages settle
_STEPS = 400


def train(instances: Sequence[Instance], learner: Any, device: str = "cpu") -> list[Estimate]:
    """Posterior means and variances by message passing.

    Raises:
        Unsupported: a theory without scalar functions, or another device than the CPU.
    """
    if device != "cpu":
        raise Unsupported(f"message passing runs on the cpu, not on {device!r}")
    if learner.self_overlap is not None:
        raise Unsupported("message passing does not impose self_overlap; take monte_carlo")
    spec, at = instances[0].spec, instances[0].at
    scores = derive(spec).scores
    if scores is None:
        raise Unsupported("the theory of this spec has no scalar functions for message passing")
    rules = rules_of(scores, spec, learner, at)
    if isinstance(learner.protocol, AMP):
        return [iterate(i, learner, rules) for i in instances]
    return [_with_training(i, learner, pass_messages(i, rules)) for i in instances]


def _with_training(instance: Instance, learner: Any, estimate: Estimate) -> Estimate:
    """Adds the loss per sample of a Gibbs student, and its energy: the mean of the loss over the marginal of each training field.

    The marginal is N(omega, V) exp(-beta loss), with the cavity field omega of message passing; at beta = inf the loss is zero.
    """
    if learner.protocol.kind != "gibbs" or estimate.failure:
        return estimate
    beta = number(learner.protocol.beta, instance.at)
    loss = 0.0 if np.isinf(beta) else _mean_loss(instance, learner, estimate, beta)
    energy = loss * len(instance.arrays["y"]) / instance.size
    return replace(estimate, extras={**estimate.extras, "training_loss": loss, "energy": energy})


def _mean_loss(instance: Instance, learner: Any, estimate: Estimate, beta: float) -> float:
    y, z = sp.symbols("y z", real=True)
    tape = Tape((sp.sympify(bound(learner.loss, instance.at).formula(y, z)),), (y, z), numpy_operations())
    t = np.linspace(-8, 8, 1601)
    total = 0.0
    for label, omega in zip(instance.arrays["y"], estimate.cavity, strict=True):  # type: ignore[arg-type]
        losses = tape(np.full_like(t, label), omega + np.sqrt(estimate.spread) * t)[0]
        weights = np.exp(-(t**2) / 2 - beta * losses)
        total += float(weights @ losses / weights.sum())
    return total / len(instance.arrays["y"])


def pass_messages(instance: Instance, rules: Rules) -> Estimate:
    """The fixed point on one instance, with as little damping as it needs."""
    estimate = None
    spent = 0
    for damping in _DAMPINGS:
        rng = generator(instance.spec.fingerprint, instance.at, instance.size, instance.seed, "amp")
        estimate = _iterate(instance.arrays["x"], instance.arrays["y"], rules, damping, rng)
        spent += estimate.steps
        if not estimate.failure:
            break
    assert estimate is not None
    return replace(estimate, steps=spent)


def _iterate(x: np.ndarray, y: np.ndarray, rules: Rules, damping: float, rng: np.random.Generator) -> Estimate:
    n, d = x.shape
    scale = 1 / np.sqrt(d)
    prior_mean, prior_variance = rules.weight(1e-12, np.zeros(d))
    mean = prior_mean + 0.3 * np.sqrt(np.mean(prior_variance)) * rng.standard_normal(d)  # off the point that a symmetry would hold
    variance = float(np.mean(prior_variance))
    g, residual = np.zeros(n), np.inf
    for step in range(1, _STEPS + 1):
        omega = scale * (x @ mean) - variance * g
        new_g, slope = rules.output(y, omega, variance)
        g = new_g if step == 1 else (1 - damping) * new_g + damping * g
        A = max(-float(np.sum(slope)) / d, 1e-12)
        if not (np.all(np.isfinite(g)) and np.isfinite(A)):
            return _broken(mean, variance, step)
        new_mean, new_variance = rules.weight(A, scale * (g @ x) + A * mean)
        if not (np.all(np.isfinite(new_mean)) and np.all(np.isfinite(new_variance))):
            return _broken(mean, variance, step)
        residual = float(np.linalg.norm(new_mean - mean) / (np.linalg.norm(new_mean) + 1e-300))
        mean = (1 - damping) * new_mean + damping * mean
        variance = (1 - damping) * float(np.mean(new_variance)) + damping * variance
        if residual < TOLERANCE:
            return Estimate(new_mean, variance, residual=residual, steps=step, cavity=omega)
    return Estimate(mean, variance, residual=residual, failure=f"messages still move by {residual:.1e} after {_STEPS} steps", steps=_STEPS)


def _broken(mean: np.ndarray, variance: float, step: int) -> Estimate:
    return Estimate(mean, variance, residual=np.inf, failure=f"messages are not finite after {step} steps", steps=step)
