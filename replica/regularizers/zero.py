"""No penalty."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Regularizer


@dataclass(frozen=True)
class Zero(Regularizer):
    """0."""

    def formula(self, w: sp.Expr) -> sp.Expr:
        return sp.Integer(0)
