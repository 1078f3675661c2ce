"""Error counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import Loss, Value, parameter


@dataclass(frozen=True)
class Theta(Loss):
    """1 where y z < margin and 0 elsewhere (1/2 at equality), for labels -1 and 1.

    Args:
        margin: what y z must reach.
    """

    signs = True
    margin: Value = parameter(0, "(-inf, inf)", "value that y*z must reach")

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return sp.Heaviside(self.expr(self.margin) - y * z, sp.Rational(1, 2))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(margin=0.5)
