"""Random features of a table, as a transformer in scikit-learn's manner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class RandomFeatures:
    """tanh of random projections of standardized features.

    Args:
        count: of features.
        seed: of the projections.
    """

    count: int
    seed: int = 0

    def fit_transform(self, X: np.ndarray) -> np.ndarray:
        """(n, count) features."""
        inputs = standardized(X)
        projections = np.random.default_rng(self.seed).standard_normal((inputs.shape[1], self.count))
        return np.tanh(inputs @ projections / np.sqrt(max(inputs.any(0).sum(), 1)))


def standardized(X: np.ndarray) -> np.ndarray:
    """Every column with mean 0 and variance 1; constant columns become 0."""
    spread = X.std(0)
    flat = spread <= 1e-12 * max(float(np.abs(X).max()), 1e-300)
    return np.where(flat, 0.0, (X - X.mean(0)) / np.where(flat, 1.0, spread))
