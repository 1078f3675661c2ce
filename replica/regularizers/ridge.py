"""Ridge penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import Regularizer, Value, parameter


@dataclass(frozen=True)
class Ridge(Regularizer):
    """strength * w^2 / 2, with the factor 1/2.

    Args:
        strength: >= 0; `alpha` of scikit-learn's Ridge, 1/C of its LogisticRegression.
    """

    strength: Value = parameter(1, "[0, inf)", "factor of w^2/2")

    def formula(self, w: sp.Expr) -> sp.Expr:
        return self.expr(self.strength) * w**2 / 2

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(strength=0.01)
