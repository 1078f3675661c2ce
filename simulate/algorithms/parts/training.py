"""Loss of a Gibbs learner on its samples, from the messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp

from simulate.draw import bound, number
from simulate.instance import Instance
from simulate.learn.estimate import Estimate
from simulate.learn.tape import Tape, numpy_operations


def training(instance: Instance, learner: Any, estimate: Estimate) -> Estimate:
    """Adds the loss per sample of a Gibbs student, and its energy: the mean of the loss over the marginal of each training field.

    The marginal is N(omega, V) exp(-beta loss), with the cavity field omega of message passing; at beta = inf the loss is zero.
    """
    if learner.protocol.kind != "gibbs":
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
