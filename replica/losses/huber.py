"""Huber loss: square near, absolute far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import Loss, Value, parameter


@dataclass(frozen=True)
class Huber(Loss):
    """r^2/2 for |r| <= delta, delta |r| - delta^2/2 beyond, with r = y - z.

    Args:
        delta: residual at which the loss turns linear, > 0.
    """

    delta: Value = parameter(1, "(0, inf)", "residual at which the loss turns linear")

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        r, delta = y - z, self.expr(self.delta)
        return sp.Piecewise((-delta * r - delta**2 / 2, r < -delta), (r**2 / 2, r <= delta), (delta * r - delta**2 / 2, True))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(delta=0.4)
