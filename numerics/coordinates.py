"""Charts of numerics.methods.charts for Python: coordinates in which a step of any length stays inside the domain."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from numerics.layout import ABOVE, BELOW, REAL

SMALL = 1e-6
END = 1e-14  # this near to an end, or this near to infinity, counts as there


@dataclass(frozen=True)
class Coordinates:
    """Arrays over the coordinates.  A step of one is a factor e in the distance to an end, or `scale` where there is no end."""

    kinds: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray

    @staticmethod
    def joined(*parts: Coordinates) -> Coordinates:
        """Coordinates side by side."""
        names = ("kinds", "low", "high", "scale")
        return Coordinates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def _rows(self, *columns: np.ndarray) -> zip[tuple[float, ...]]:
        return zip(*(c.tolist() for c in (self.kinds, self.low, self.high, self.scale, *columns)), strict=True)

    def inside(self, x: np.ndarray) -> np.ndarray:
        """Whether each variable is in its open domain; false for NaN."""
        return np.isfinite(x) & (x > self.low) & (x < self.high)

    def slope(self, x: np.ndarray) -> np.ndarray:
        """d chart / d x."""
        found = []
        for kind, low, high, scale, v in self._rows(x):
            if kind == REAL:
                found.append(1.0 / scale)
            elif kind == ABOVE:
                found.append(1.0 / (v - low))
            elif kind == BELOW:
                found.append(1.0 / (high - v))
            else:
                found.append((high - low) / ((v - low) * (high - v)))
        return np.array(found)

    def step(self, x: np.ndarray, change: np.ndarray) -> np.ndarray:
        """The step that changes x by `change`."""
        found = []
        for kind, low, high, scale, a, d in self._rows(x, change):
            up = d / scale if kind == REAL else 0.0
            if kind != REAL and kind != BELOW:
                up += math.log1p(d / (a - low))
            if kind != REAL and kind != ABOVE:
                up -= math.log1p(-d / (high - a))
            found.append(up)
        return np.array(found)

    def shift(self, x: np.ndarray, step: np.ndarray) -> np.ndarray:
        """The point a step further; a short step loses no digits."""
        found = []
        for kind, low, high, scale, v, d in self._rows(x, step):
            if kind == REAL:
                found.append(v + scale * d)
            elif abs(d) > 700.0:
                found.append(math.nan)
            elif kind == ABOVE:
                found.append(v + (v - low) * math.expm1(d))
            elif kind == BELOW:
                found.append(v - (high - v) * math.expm1(-d))
            else:
                a, b = (v - low), (high - v)
                found.append(v + a * b * math.expm1(d) / (b + a * math.exp(d)))
        return np.array(found)

    def at_end(self, x: np.ndarray) -> np.ndarray:
        """Whether each variable is at an end of its domain, to rounding."""
        return (x - self.low < END) | (self.high - x < END) | (np.abs(x) > 1.0 / END)

    def relative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """|y - x| relative to the variable, or to SMALL where that may have either sign and is smaller."""
        return np.abs(y - x) / np.maximum(np.abs(x), np.where((self.low < 0) & (self.high > 0), SMALL, 1e-300))
