"""L1 penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import Regularizer, Value, parameter


@dataclass(frozen=True)
class L1(Regularizer):
    """strength * |w|, without a factor 1/2.

    Args:
        strength: >= 0; n times `alpha` of scikit-learn's Lasso.
    """

    strength: Value = parameter(1, "[0, inf)", "factor of |w|")

    def formula(self, w: sp.Expr) -> sp.Expr:
        return self.expr(self.strength) * sp.Abs(w)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(strength=0.05)
