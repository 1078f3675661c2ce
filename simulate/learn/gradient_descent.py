"""Low energies of learners with free weights and an energy that is smooth but not convex: L-BFGS from several random starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from simulate.draw import bound, generator
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.tape import Tape, numpy_operations, stable

RESTARTS = 8
TOLERANCE = 1e-6
"""Largest gradient per weight that is accepted."""


def solve(instances: Sequence[Instance], device: str = "cpu", options: Mapping[str, float] | None = None) -> list[Outcome]:
    """The lowest of the minima found, its energy per weight, and how much the minima differ.

    Raises:
        Unsupported: several learners, no loss, or weights that are not free and linear.
    """
    spec = instances[0].spec
    if len(spec.learners) != 1 or len(spec.stages) > 1 or device != "cpu" or "x" not in instances[0].arrays:
        raise Unsupported("gradient descent takes samples and one learner in one stage, on the cpu")
    ((name, learner),) = spec.learners.items()
    held = [key for key in ("prior", "self_overlap", "couple", "blocks") if getattr(learner, key, None)]
    if learner.protocol.kind != "erm" or learner.loss is None or held:
        found = f"a learner with '{held[0]}'" if held else f"protocol '{learner.protocol.kind}'"
        raise Unsupported(f"gradient descent takes an erm learner with free weights, found {found}")
    if learner.network is not None and (learner.network.kind != "linear" or learner.network.bias):
        raise Unsupported("gradient descent takes a linear network without a bias")
    found_all = [_lowest(instance, learner) for instance in instances]
    return [Outcome({name: one}, failure=one.failure) for one in found_all]


def with_slope(formula: sp.Expr, *symbols: sp.Symbol) -> Callable[..., tuple[np.ndarray, ...]]:
    """(formula, its slope in the last symbol) as functions of arrays."""
    formula = stable(sp.sympify(formula))
    return Tape((formula, sp.diff(formula, symbols[-1])), symbols, numpy_operations())


def _lowest(instance: Instance, learner: Any) -> Estimate:
    y, z = sp.symbols("y z", real=True)
    loss = with_slope(bound(learner.loss, instance.at).formula(y, z), y, z)
    penalty = with_slope(bound(learner.regularizer, instance.at).formula(z) if learner.regularizer is not None else sp.S.Zero, z)
    d = instance.size
    x, labels = instance.arrays["x"] / np.sqrt(d), instance.arrays["y"]

    def energy(w: np.ndarray) -> tuple[float, np.ndarray]:
        losses, slopes = loss(labels, x @ w)
        costs, pulls = penalty(w)
        return float(losses.sum() + costs.sum()), slopes @ x + pulls

    rng = generator(instance.spec.fingerprint, instance.at, d, instance.seed, "gradient_descent")
    options = {"maxiter": 5000, "maxfun": 20000, "gtol": TOLERANCE / 10, "ftol": 1e-15}
    runs = [minimize(energy, rng.standard_normal(d), jac=True, method="L-BFGS-B", options=options) for _ in range(RESTARTS)]
    ended = [run for run in runs if np.max(np.abs(run.jac)) < TOLERANCE]
    if not ended:
        least = min(float(np.max(np.abs(run.jac))) for run in runs)
        return Estimate(runs[0].x, failure=f"no minimum was reached: gradient {least:.1e}, allowed {TOLERANCE:.0e}")
    values, points = np.array([run.fun for run in ended]), np.array([run.x for run in ended])
    best = int(np.argmin(values))
    extras = {"energy": float(values[best]) / d, "restarts_at_minimum": float(np.mean(values <= values[best] + 1e-6 * abs(values[best])))}
    if len(points) > 1:
        extras["overlap_restarts"] = overlap_between(points)
    return Estimate(points[best], residual=float(np.max(np.abs(ended[best].jac))), steps=int(ended[best].nit), extras=extras)


def overlap_between(points: np.ndarray) -> float:
    """Mean cosine of pairs of vectors (R, d)."""
    unit = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-300)
    products = unit @ unit.T
    return float((products.sum() - np.trace(products)) / (len(points) * (len(points) - 1)))
