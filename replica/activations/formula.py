"""Activation written as a formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import Activation, FormulaText, parameter


@dataclass(frozen=True)
class Formula(Activation):
    """A formula of z.

    Args:
        text: the formula; its key in a file is `formula`.
    """

    form = "formula"
    text: FormulaText = parameter(key="formula", meaning="output as a formula of z")

    def formula(self, z: sp.Expr) -> sp.Expr:
        return self.read(self.text, z=z)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("tanh(z)**3"), cls("where(z < 0, z/10, z)")
