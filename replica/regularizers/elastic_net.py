"""Elastic net: L1 and ridge together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import Regularizer, Value, parameter


@dataclass(frozen=True)
class ElasticNet(Regularizer):
    """l1 * |w| + ridge * w^2 / 2.

    Args:
        l1: factor of |w|, >= 0.
        ridge: factor of w^2/2, >= 0.
    """

    l1: Value = parameter(1, "[0, inf)", "factor of |w|")
    ridge: Value = parameter(1, "[0, inf)", "factor of w^2/2")

    def formula(self, w: sp.Expr) -> sp.Expr:
        return self.expr(self.l1) * sp.Abs(w) + self.expr(self.ridge) * w**2 / 2

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(l1=0.1, ridge=0.01)
