"""Error function."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Activation


@dataclass(frozen=True)
class Erf(Activation):
    """erf(z/sqrt(2)), the average sign of z with unit Gaussian noise."""

    def formula(self, z: sp.Expr) -> sp.Expr:
        return sp.erf(z / sp.sqrt(2))
