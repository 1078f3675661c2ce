"""Low energies of learners whose energy is not convex: annealing from many starts, with the prior as the space that is searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from simulate.draw import bound, generator, number
from simulate.instance import Instance, Unsupported
from simulate.learn.cooling import Cooling
from simulate.learn.estimate import Estimate
from simulate.learn.gibbs import State, visit
from simulate.learn.gradient_descent import overlap_between
from simulate.learn.tape import Tape, numpy_operations, stable
from simulate.learn.target import Target, target_of

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]  # labels and fields -> losses
USUAL = Cooling(sweeps=1000, hot=1.0, cold=0.01, restarts=7)
"""Temperatures in units of the loss of a random weight vector per sample."""

_HELD = 2**27  # bytes of inputs held at once, every chain having its own copy


def train(instances: Sequence[Instance], learner: Any, cooling: Cooling) -> list[Estimate]:
    """The lowest state of some runs, its energy per weight, and how much the runs differ.

    Raises:
        Unsupported: a finite temperature, a penalty, or weights that are neither made of atoms nor of an imposed norm.
    """
    if learner.protocol.kind not in ("erm", "gibbs") or learner.protocol.kind == "gibbs" and np.isfinite(_beta(instances[0], learner)):
        raise Unsupported("annealing of samples ends at zero temperature; for a measure at a finite one take monte_carlo")
    if learner.regularizer is not None and learner.regularizer.kind != "zero":
        raise Unsupported("annealing of samples takes no regularizer; for a smooth penalized energy take gradient_descent")
    if learner.prior is None:
        raise Unsupported("annealing of samples needs a prior of atoms or of an imposed norm; for free weights take gradient_descent")
    target = target_of(instances[0], learner)
    if target.pinned is None and target.masses.sum() < 1 - 1e-12:
        raise Unsupported(f"annealing of samples needs a prior of atoms or of an imposed norm, not '{target.prior.kind}'")
    loss = loss_of(instances[0], learner)
    size = max(1, _HELD // (8 * cooling.chains * instances[0].arrays["x"].size))
    return [found for i in range(0, len(instances), size) for found in _lowest(instances[i : i + size], target, loss, cooling)]


def _beta(instance: Instance, learner: Any) -> float:
    return number(learner.protocol.beta, instance.at)


def loss_of(instance: Instance, learner: Any) -> Rule:
    """The loss as a function of labels and fields."""
    y, z = sp.symbols("y z", real=True)
    tape = Tape((stable(sp.sympify(bound(learner.loss, instance.at).formula(y, z))),), (y, z), numpy_operations())
    return lambda labels, fields: tape(labels, fields)[0]


def _weighed(loss: Rule, beta: float, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return -beta * loss(y, z)


def _lowest(instances: Sequence[Instance], target: Target, loss: Rule, cooling: Cooling) -> list[Estimate]:
    first, d = instances[0], instances[0].size
    rng = generator(first.spec.fingerprint, first.at, d, first.seed, "annealing")
    columns = np.repeat(np.stack([i.arrays["x"].T for i in instances]) / np.sqrt(d), cooling.chains, axis=0)  # (C, d, n)
    y = np.repeat(np.stack([i.arrays["y"] for i in instances]), cooling.chains, axis=0)
    w = target.start(rng, columns.shape[:2])
    z = np.einsum("cd,cdn->cn", w, columns)
    losses = loss(y, z)
    scale = float(losses.mean()) or 1.0
    state = State(w, z, -losses, np.full(len(w), 0.5), np.full(len(w), 0.4))
    best, best_energy = w.copy(), losses.sum(axis=1)
    for beta in cooling.betas(scale, 1e12):
        weighed = partial(_weighed, loss, beta)
        state.log_likelihood = weighed(y, state.z)
        visit(state, replace(target, log_likelihood=weighed), columns, y, rng)
        state.step = np.minimum(state.step * np.exp(state.accepted - 0.4), 3.0)
        energy = loss(y, state.z).sum(axis=1)
        lower = energy < best_energy
        best[lower], best_energy[lower] = state.w[lower], energy[lower]
    runs = zip(best.reshape(len(instances), cooling.chains, d), best_energy.reshape(len(instances), cooling.chains), strict=True)
    return [_chosen(points, energies, cooling.sweeps) for points, energies in runs]


def _chosen(points: np.ndarray, energies: np.ndarray, sweeps: int) -> Estimate:
    lowest = int(np.argmin(energies))
    low = float(energies[lowest])
    extras = {
        "energy": low / points.shape[1],
        "restarts_at_minimum": float(np.mean(energies <= low + 1e-6 * abs(low))),
    }
    if len(points) > 1:
        extras["overlap_restarts"] = overlap_between(points)
    return Estimate(points[lowest], steps=sweeps, extras=extras)
