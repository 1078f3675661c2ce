"""Loss written as a formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import FormulaText, Loss, parameter


@dataclass(frozen=True)
class Formula(Loss):
    """A formula of y, z and, in a later stage, the field `z_NAME` of an earlier learner.

    Args:
        text: the formula; its key in a file is `formula`.
    """

    form = "formula"
    text: FormulaText = parameter(key="formula", meaning="loss as a formula of y and z")

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return self.read(self.text, y=y, z=z)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("log(1 + exp(-y*z))"), cls("(y - abs(z))**2"), cls("where(y*z < 1, (1 - y*z)**2, 0)")
