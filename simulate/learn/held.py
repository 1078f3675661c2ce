"""Weights of an imposed length inside a range."""

from __future__ import annotations

import numpy as np

from simulate.instance import Unsupported


def held(w: np.ndarray, norm: float, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """The vector of the allowed ones that has the largest product with w: a multiple of it, cut off at the ends of the range.

    Args:
        w: (d,); low, high: range of a weight, around 0; norm: what |.|^2/d becomes.

    Raises:
        Unsupported: the length cannot be reached inside the range.
    """
    total, size = norm * len(w), np.abs(w)
    ends = np.where(w > 0, high, -low)
    reach = np.divide(ends, size, out=np.full(len(w), np.inf), where=size > 0)  # the factor that brings a weight to its end
    order = np.argsort(reach)
    reach, squares = reach[order], size[order] ** 2
    free = np.append(np.cumsum(squares[::-1])[-2::-1], 0.0)  # of the weights that are cut off later
    cut = np.cumsum(np.where(squares > 0, ends[order] ** 2, 0.0))
    with np.errstate(invalid="ignore"):
        grown = cut + np.where(free > 0, reach**2 * free, 0.0)  # |.|^2 at the factors at which weights come to their ends
    count = int(np.searchsorted(grown, total))
    if count == len(w) and grown[-1] < total * (1 - 1e-12):
        raise Unsupported(f"|w|^2/d = {norm:g} cannot be reached by weights between {low:g} and {high:g}")
    if count == len(w):
        return np.where(size > 0, np.sign(w) * ends, 0.0)
    before = cut[count - 1] if count else 0.0
    return np.clip(np.sqrt((total - before) / (free[count] + squares[count])) * w, low, high)
