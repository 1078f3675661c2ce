"""Whole numbers that stand to each other as given fractions: sizes of blocks and of eigenspaces in a finite system."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def apportion(fractions: Sequence[float], total: int) -> np.ndarray:
    """Sizes that add up to `total`, each within one of its fraction: the largest remainders are rounded up (first come, first served)."""
    shares = np.asarray(fractions, float) / np.sum(fractions) * total
    sizes = np.floor(shares + 1e-9).astype(int)
    order = np.argsort(-(shares - sizes), kind="stable")
    sizes[order[: total - sizes.sum()]] += 1
    return sizes
