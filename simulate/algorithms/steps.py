"""Message passing step by step from a start of given overlap with the signal, as state evolution describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from replica.convexity import is_convex
from simulate.algorithms.rules import Rules
from simulate.draw import bound, generator, number
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate


def watched(steps: int) -> set[int]:
    """The steps after which observables are kept: 1, 2, 3, 5, 8, ... and the last."""
    found, a, b = {steps}, 1, 2
    while a <= steps:
        found.add(a)
        a, b = b, a + b
    return found


def iterate(instance: Instance, learner: Any, rules: Rules) -> Estimate:
    """As many undamped steps as the protocol says; observables NAME@STEP on the way are among the extras.

    The start is an estimate of the signal's length, or the posterior mean of a Bayes-optimal learner, at the protocol's overlap.

    Raises:
        Unsupported: a damped protocol, a score that jumps, several signals.
    """
    protocol = learner.protocol
    steps, start = int(number(protocol.steps, instance.at)), number(protocol.start, instance.at)
    if number(protocol.damping, instance.at) != 0:
        raise Unsupported("protocol 'amp': state evolution says what undamped steps do; write damping = 0 to run them")
    if len(instance.truth) != 1:
        raise Unsupported(f"protocol 'amp': {len(instance.truth)} signals to start near, expected one")
    if learner.loss is not None and not _smooth(learner, instance):
        raise Unsupported("protocol 'amp': the score of a loss that is not convex may jump, and samples do not show the slope of a jump")
    (truth,) = instance.truth.values()
    x, y = instance.arrays["x"], instance.arrays["y"]
    n, d = x.shape
    length, scale = float(np.mean(truth**2)), 1 / np.sqrt(d)
    rng = generator(instance.spec.fingerprint, instance.at, d, instance.seed, "amp")
    bayes = learner.loss is None
    noise = start - start**2 if bayes else 1 - start**2
    mean = start * truth + np.sqrt(noise * length) * rng.standard_normal(d)
    variance, g = length * (1 - start) if bayes else 1.0, np.zeros(n)
    kept, extras = watched(steps), dict[str, float]()
    for step in range(1, steps + 1):
        omega = scale * (x @ mean) - variance * g
        g, slope = rules.output(y, omega, variance)
        A = -float(np.sum(slope)) / d
        if not (np.all(np.isfinite(g)) and A > 0):
            return Estimate(mean, variance, residual=np.inf, failure=f"messages are not finite after {step} steps", steps=step)
        new, spread = rules.weight(A, scale * (g @ x) + A * mean)
        residual = float(np.linalg.norm(new - mean) / (np.linalg.norm(new) + 1e-300))
        mean, variance = new, float(np.mean(spread))
        if not (np.all(np.isfinite(mean)) and np.isfinite(variance)):
            return Estimate(mean, variance, residual=np.inf, failure=f"messages are not finite after {step} steps", steps=step)
        if step in kept:
            extras |= {f"{name}@{step}": value for name, value in _overlaps(mean, truth).items()}
    return Estimate(mean, variance, residual=residual, steps=steps, extras=extras)


def _overlaps(mean: np.ndarray, truth: np.ndarray) -> Mapping[str, float]:
    q, m, length = float(np.mean(mean**2)), float(np.mean(mean * truth)), float(np.mean(truth**2))
    return {"q": q, "m": m, "overlap": m / np.sqrt(q * length), "estimation_mse": length - 2 * m + q}


def _smooth(learner: Any, instance: Instance) -> bool:
    y, z = sp.symbols("y z", real=True)
    loss = sp.sympify(bound(learner.loss, instance.at).formula(y, z))
    return all(is_convex(loss, z, {y: float(label)}) for label in np.quantile(instance.arrays["y"], [0, 0.25, 0.5, 0.75, 1]))
