"""How a system is cooled where states are sampled: sweeps, temperatures, chains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Cooling:
    """Temperatures fall in a straight line over nine tenths of the sweeps and are zero after.

    Args:
        hot, cold: in units that the system sets.
        restarts: chains besides the first.
    """

    sweeps: int
    hot: float
    cold: float
    restarts: int

    @property
    def chains(self) -> int:
        return 1 + self.restarts

    def betas(self, unit: float, zero: float) -> np.ndarray:
        """(sweeps,) inverse temperatures; `zero` stands for that of zero temperature."""
        falling = max(1, self.sweeps - max(1, self.sweeps // 10))
        line = unit * np.linspace(self.hot, self.cold, falling)
        return np.concatenate([1 / np.maximum(line, 1 / zero), np.full(self.sweeps - falling, zero)])


def cooling_of(usual: Cooling, options: Mapping[str, Any]) -> Cooling:
    """The usual one, but for the options that are given."""
    changed = {key: type(getattr(usual, key))(value) for key, value in options.items() if value is not None}
    return replace(usual, **changed)
