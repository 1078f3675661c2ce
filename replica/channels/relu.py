"""Rectified field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from replica.ingredients import Channel
from replica.labels import Labels, RealLabels


@dataclass(frozen=True)
class Relu(Channel):
    """y = max(0, z), without noise, so y has no density given z."""

    def labels(self) -> Labels:
        return RealLabels(sp.Integer(0), sp.oo)

    def map(self, z: sp.Expr, xi: sp.Expr) -> sp.Expr:
        return sp.Max(0, z)

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return np.maximum(0.0, z)
