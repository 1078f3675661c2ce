"""Absolute loss."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Loss


@dataclass(frozen=True)
class Absolute(Loss):
    """|y - z|."""

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return sp.Abs(y - z)
