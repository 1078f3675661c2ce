"""Hinge loss."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Loss


@dataclass(frozen=True)
class Hinge(Loss):
    """max(0, 1 - y z), for labels -1 and 1."""

    signs = True

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return sp.Max(0, 1 - y * z)
