"""Rectifier."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Activation


@dataclass(frozen=True)
class Relu(Activation):
    """max(0, z)."""

    def formula(self, z: sp.Expr) -> sp.Expr:
        return sp.Max(0, z)
