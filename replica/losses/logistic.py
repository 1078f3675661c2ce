"""Logistic loss."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Loss
from replica.nodes import Softplus


@dataclass(frozen=True)
class Logistic(Loss):
    """log(1 + exp(-y z)), for labels -1 and 1."""

    signs = True

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return Softplus(-y * z)
