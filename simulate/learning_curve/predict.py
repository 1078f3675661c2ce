"""The theory's learning curve of an estimated population, with what the estimation leaves uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from numerics.compile import Module, compile_theory
from numerics.solve import solve
from replica.derive import derive
from simulate.learning_curve.estimate import LINEAR, Modes, halves, modes
from simulate.learning_curve.population import NODES, controls, population
from simulate.learning_curve.table import DataError, Table

OBSERVABLES = {
    "test_error": "generalization_error",
    "test_loss": "test_loss",
    "training_error": "training_error",
    "training_loss": "training_loss",
}
OF_NUMBERS = {"test_error": "mse", "test_loss": "test_loss", "training_loss": "training_loss"}  # the first is a part of the variance
SPLITS = 6  # in two halves
TOLERANCE = 1e-6  # of solutions: far below what the estimation leaves uncertain, and above the noise of averages over kinks


@dataclass(frozen=True)
class Prediction:
    """Predicted curve.

    Args:
        sizes: (k,) numbers of samples.
        values, uncertainty: observable -> (k,), the latter one standard error of the estimation.
        quadrature: largest change of a value when the spectrum has half the nodes.
        modes: the estimated population.
    """

    sizes: np.ndarray
    values: dict[str, np.ndarray]
    uncertainty: dict[str, np.ndarray]
    quadrature: float
    modes: Modes


def predict(table: Table, sizes: np.ndarray, loss: str, strength: float, law: str, rng: np.random.Generator) -> Prediction:
    """Predict on all of the data, and on halves of it.

    An estimate from half of the samples scatters around that from all of them as that one does around the truth, and has twice its bias:
    so twice the curve of the whole less the mean curve of the halves has none to first order, and what this corrects counts as uncertain.

    Raises:
        DataError: the equations have no solution for what was estimated.
    """
    module = _module(loss, law)
    found = modes(table.X, table.y, law)
    whole = _curve(module, found, sizes, strength)
    coarse = _curve(module, found, sizes, strength, NODES // 2)
    parts = []
    for _ in range(SPLITS):
        for rows in halves(table.y, rng):
            parts.append(_curve(module, modes(table.X[rows], table.y[rows], law), sizes, strength))
    values, uncertainty = {}, {}
    for name in whole:
        split = np.stack([part[name] for part in parts])
        bias = whole[name] - split.mean(0)
        values[name] = np.maximum(whole[name] + bias, 0.0)
        uncertainty[name] = np.hypot(split.std(0), bias)
    error = max(float(np.max(np.abs(whole[name] - coarse[name]))) for name in whole)
    return Prediction(sizes, values, uncertainty, error, found)


@cache
def _module(loss: str, law: str) -> Module:
    """The compiled theory; it is the same for all data."""
    return compile_theory(derive(population(loss, law)))


def _curve(module: Module, found: Modes, sizes: np.ndarray, strength: float, used: int | None = None) -> dict[str, np.ndarray]:
    at = controls(found, strength, used=used)
    observables = OF_NUMBERS if found.law == LINEAR else OBSERVABLES
    curve: dict[str, list[float]] = {name: [] for name in observables}
    for size in sizes:
        best = solve(module, at | {"alpha": size / found.width}, tol=TOLERANCE)[0]
        if not best.converged:
            raise DataError(
                f"theory: no solution for {size:.0f} samples with lambda = {strength:g} ({best.sentence}); try a larger --lambda"
            )
        for ours, theirs in observables.items():
            curve[ours].append(float(best[theirs]))
    return {name: np.array(values) for name, values in curve.items()}
