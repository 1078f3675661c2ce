"""scikit-learn trained on random subsamples of a data set, tested on the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from replica.arrays import evaluate
from replica.ingredients import Loss
from simulate.learning_curve.population import loss_of
from simulate.learning_curve.table import DataError, Table


@dataclass(frozen=True)
class Measurement:
    """Means over subsamples.

    Args:
        sizes: (k,) numbers of samples.
        values, stderr: observable -> (k,); subsamples overlap, so the latter is a lower bound near the size of the data.
    """

    sizes: np.ndarray
    values: dict[str, np.ndarray]
    stderr: dict[str, np.ndarray]


@dataclass
class Minimizer:
    """The linear rule that minimizes the sum of losses + strength |w|^2/2, the bias free, in scikit-learn's manner; by L-BFGS.

    Args:
        loss: differentiable and convex in the output.
    """

    loss: Loss
    strength: float

    def fit(self, X: np.ndarray, y: np.ndarray) -> Minimizer:
        """Train.

        Raises:
            DataError: no minimum was found.
        """
        label, output = sp.Symbol("y", real=True), sp.Symbol("z", real=True)
        formula = self.loss.formula(label, output)
        slope = formula.diff(output)

        def energy(v: np.ndarray) -> tuple[float, np.ndarray]:
            at = {label: y, output: X @ v[:-1] + v[-1]}
            pull = np.broadcast_to(evaluate(slope, at), y.shape)
            value = float(np.sum(np.broadcast_to(evaluate(formula, at), y.shape))) + self.strength * float(v[:-1] @ v[:-1]) / 2
            return value, np.append(X.T @ pull + self.strength * v[:-1], pull.sum())

        limits = {"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-12}
        found = minimize(energy, np.zeros(X.shape[1] + 1), jac=True, method="L-BFGS-B", options=limits)
        if not found.success:
            raise DataError(f"--loss: training on {len(y)} samples found no minimum; is the loss differentiable in z?")
        self.weights = found.x
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """(n,) outputs."""
        return X @ self.weights[:-1] + self.weights[-1]


def estimator(loss: str, strength: float) -> Any:
    """The estimator that minimizes sum of losses + strength |w|^2/2, the bias free: scikit-learn's where it has one."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.svm import SVC

    if loss not in ("square", "hinge", "logistic"):
        return Minimizer(loss_of(loss), strength)
    if loss == "square":
        return Ridge(alpha=strength)
    if loss == "hinge":
        return SVC(kernel="linear", C=1 / strength)
    return LogisticRegression(C=1 / strength, solver="newton-cholesky", tol=1e-6)


def measure(
    table: Table, sizes: np.ndarray, loss: str, strength: float, seeds: int, rng: np.random.Generator, told: Callable[[int, int], None]
) -> Measurement:
    """Train `seeds` times at every size.

    Args:
        told: called with (done, total).
    """
    rows: dict[str, list[list[float]]] = {}
    for step, n in enumerate(sizes):
        found: dict[str, list[float]] = {}
        for _ in range(seeds):
            for name, value in _once(table, int(n), loss, strength, rng).items():
                found.setdefault(name, []).append(value)
        for name, column in found.items():
            rows.setdefault(name, []).append(column)
        told(step + 1, len(sizes))
    values = {name: np.mean(row, axis=1) for name, row in rows.items()}
    stderr = {name: np.std(row, axis=1, ddof=1) / np.sqrt(seeds) for name, row in rows.items()}
    return Measurement(sizes, values, stderr)


def _once(table: Table, n: int, loss: str, strength: float, rng: np.random.Generator) -> dict[str, float]:
    while True:
        order = rng.permutation(len(table.y))
        if table.real or len(np.unique(table.y[order[:n]])) == 2:
            break
    train, test = order[:n], order[n:]
    model = estimator(loss, strength).fit(table.X[train], table.y[train])
    score = model.decision_function if hasattr(model, "decision_function") else model.predict
    label, output = sp.Symbol("y", real=True), sp.Symbol("z", real=True)
    formula = loss_of(loss).formula(label, output)
    result = {}
    for word, part in (("training", train), ("test", test)):
        y, z = table.y[part], score(table.X[part])
        error = (y - z) ** 2 if table.real else (y * z < 0) + (y * z == 0) / 2
        result[f"{word}_error"] = float(np.mean(error))
        result[f"{word}_loss"] = float(np.mean(evaluate(formula, {label: y, output: z})))
    return result
