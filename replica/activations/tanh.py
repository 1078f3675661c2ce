"""Hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Activation


@dataclass(frozen=True)
class Tanh(Activation):
    """tanh(z)."""

    def formula(self, z: sp.Expr) -> sp.Expr:
        return sp.tanh(z)
