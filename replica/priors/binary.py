"""Binary prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from replica.ingredients import Prior


@dataclass(frozen=True)
class Binary(Prior):
    """w = -1 or 1 with equal odds."""

    def atoms(self) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        half = sp.Rational(1, 2)
        return (sp.Integer(-1), half), (sp.Integer(1), half)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return 2.0 * rng.integers(0, 2, shape) - 1.0
