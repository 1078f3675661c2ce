"""Whether an energy is convex, by midpoints on a grid: a refusal is certain, a pass is what the grid shows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy as sp

from replica.arrays import evaluate

_REACH, _POINTS = 12.0, 97


def is_convex(energy: sp.Expr, variable: sp.Symbol, at: Mapping[sp.Symbol, float]) -> bool:
    """Whether no midpoint of two grid points in [-12, 12] lies above their chord.

    Args:
        at: numbers for every other symbol of `energy`.
    """
    grid = np.linspace(-_REACH, _REACH, _POINTS)
    values = evaluate(energy, {variable: grid, **{symbol: np.full_like(grid, value) for symbol, value in at.items()}})
    a, b = np.triu_indices(_POINTS, 2)
    even = (b - a) % 2 == 0
    a, b = a[even], b[even]
    values = np.where(np.isnan(values), np.inf, values)  # where an energy is no number, nothing can be
    chord = (values[a] + values[b]) / 2
    return bool(np.all(values[(a + b) // 2] <= chord + 1e-9 * (1 + np.abs(chord))))
