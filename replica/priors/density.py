"""Prior given by its density, written as a formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.draws import check_weight, draw_weight
from replica.ingredients import Bounds, FormulaText, Prior, parameter


@dataclass(frozen=True)
class Density(Prior):
    """A density that integrates to one over its support.

    Args:
        text: formula of w; its key in a file is `density`.
        support: (lower, upper); the density is zero outside.  Absent, the whole line.
    """

    form = "density"
    text: FormulaText = parameter(key="density", meaning="density as a formula of w")
    ends: Bounds | None = parameter(None, "[-inf, inf]", "pair of ends outside of which there is nothing", key="support")

    def density(self, w: sp.Expr) -> sp.Expr:
        return self.read(self.text, w=w)

    def support(self) -> tuple[sp.Expr, sp.Expr]:
        lower, upper = self.ends or (-sp.oo, sp.oo)
        return self.expr(lower), self.expr(upper)

    def check_mass(self) -> None:
        lower, upper = (self.number(end) for end in self.support())
        check_weight(lower, upper, self._numbers())

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        lower, upper = (self.number(end) for end in self.support())
        return draw_weight(rng, shape, lower, upper, self._numbers())

    def _numbers(self) -> Callable[[np.ndarray], np.ndarray]:
        place = sp.Dummy("w", real=True)
        law = self.density(place)
        return lambda w: evaluate(law, {place: w})

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("exp(-abs(w - 1)) / 2"), cls("3/4 * (1 - w**2)", (-1, 1)), cls("1 / (2*cosh(pi*w/2))")
