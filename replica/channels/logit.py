"""Logit channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from replica.ingredients import Channel
from replica.labels import SIGNS, Labels
from replica.nodes import Sigmoid


@dataclass(frozen=True)
class Logit(Channel):
    """P(y | z) = 1/(1 + exp(-y z)) for y = -1, 1."""

    def labels(self) -> Labels:
        return SIGNS

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return Sigmoid(y * z)

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return np.where(rng.logistic(0, 1, np.shape(z)) <= z, 1.0, -1.0)
