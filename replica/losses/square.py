"""Square loss."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Loss


@dataclass(frozen=True)
class Square(Loss):
    """(y - z)^2 / 2, with the factor 1/2."""

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return (y - z) ** 2 / 2
