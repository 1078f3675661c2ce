"""No nonlinearity."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Activation


@dataclass(frozen=True)
class Linear(Activation):
    """z."""

    def formula(self, z: sp.Expr) -> sp.Expr:
        return z
