"""scikit-learn trained on random subsamples of a data set, tested on the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate.learning_curve.table import Table


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


def estimator(loss: str, strength: float) -> Any:
    """The estimator that minimizes sum of losses + strength |w|^2/2, the bias free."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.svm import SVC

    if loss == "square":
        return Ridge(alpha=strength)
    if loss == "hinge":
        return SVC(kernel="linear", C=1 / strength)
    return LogisticRegression(C=1 / strength, solver="newton-cholesky", tol=1e-6)


LOSS = {
    "logistic": lambda margin: np.logaddexp(0.0, -margin),
    "hinge": lambda margin: np.maximum(0.0, 1 - margin),
    "square": lambda margin: (1 - margin) ** 2 / 2,
}


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
        if len(np.unique(table.y[order[:n]])) == 2:
            break
    train, test = order[:n], order[n:]
    model = estimator(loss, strength).fit(table.X[train], table.y[train])
    score = model.predict if loss == "square" else model.decision_function
    result = {}
    for word, part in (("training", train), ("test", test)):
        margin = table.y[part] * score(table.X[part])
        result[f"{word}_error"] = float(np.mean(margin < 0) + np.mean(margin == 0) / 2)
        result[f"{word}_loss"] = float(np.mean(LOSS[loss](margin)))
    return result
