"""A bundled table of several classes, cut into samples to learn from and samples to test on, anew for every seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.instance import Unsupported

BUNDLED = ("digits", "wine", "breast_cancer")
"""Tables that come with scikit-learn."""
TEST = 0.25
"""Part of the samples that is kept for the test."""


@dataclass(frozen=True)
class Tables:
    """The same table cut in S ways.

    Args:
        x, test_x: (S, n, d), every column with mean 0 and variance 1 on the samples to learn from, constant ones 0.
        y, test_y: (S, n) classes 0, 1, ...
        seeds: of the cuts.
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    seeds: tuple[int, ...]

    @property
    def classes(self) -> int:
        return int(max(self.y.max(), self.test_y.max())) + 1


def cut(X: np.ndarray, y: np.ndarray, seeds: Sequence[int]) -> Tables:
    """A table (n, d) of classes (n,), cut at random for every seed.

    Raises:
        Unsupported: arrays that are no such table.
    """
    X, y = np.asarray(X, float), np.asarray(y)
    if X.ndim != 2 or y.shape != X.shape[:1] or not np.isfinite(X).all():
        raise Unsupported(f"a table of finite numbers with one class a row is needed, found arrays of shapes {X.shape} and {y.shape}")
    if y.dtype.kind not in "iu" or y.min() < 0 or len(np.unique(y)) < 2:
        raise Unsupported(f"classes are the numbers 0, 1, ... of at least two kinds, found {np.unique(y)[:5].tolist()}")
    count, parts = round(TEST * len(y)), []
    if not 0 < count < len(y):
        raise Unsupported(f"{len(y)} samples cannot be cut into some to learn from and some to test on")
    for seed in seeds:
        order = np.random.default_rng([seed, len(y)]).permutation(len(y))
        test, train = order[:count], order[count:]
        mean, spread = X[train].mean(axis=0), X[train].std(axis=0)
        spread = np.where(spread > 1e-12 * max(float(np.abs(X).max()), 1e-300), spread, np.inf)
        parts.append(((X[train] - mean) / spread, y[train], (X[test] - mean) / spread, y[test]))
    x, labels, test_x, test_y = (np.stack(column) for column in zip(*parts, strict=True))
    return Tables(x, labels, test_x, test_y, tuple(seeds))


def bundled(name: str, seeds: Sequence[int]) -> Tables:
    """A table of scikit-learn, cut.

    Raises:
        Unsupported: no such table, or scikit-learn is not installed.
    """
    if name not in BUNDLED:
        raise Unsupported(f"no bundled table '{name}' (bundled: {' '.join(BUNDLED)})")
    try:
        from sklearn import datasets
    except ImportError:
        raise Unsupported("the bundled tables need scikit-learn: pip install 'replica-engine[learn]'") from None
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return cut(X, y, seeds)
