"""Penalty written as a formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import FormulaText, Regularizer, parameter


@dataclass(frozen=True)
class Formula(Regularizer):
    """A formula of w and, in a later stage, the weight `w_NAME` of an earlier learner.

    Args:
        text: the formula; its key in a file is `formula`.
    """

    form = "formula"
    text: FormulaText = parameter(key="formula", meaning="penalty as a formula of w")

    def formula(self, w: sp.Expr) -> sp.Expr:
        return self.read(self.text, w=w)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("w**4/4"), cls("log(cosh(w))")
