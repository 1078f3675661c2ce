"""Sign."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Activation


@dataclass(frozen=True)
class Sign(Activation):
    """sign(z)."""

    def formula(self, z: sp.Expr) -> sp.Expr:
        return sp.sign(z)
