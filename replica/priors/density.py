"""Prior given by its density, written as a formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.draws import NotNormalized, draw_weight, mass
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
        """Refuse a density that does not integrate to one; every name must be bound to a number.

        Raises:
            ValueError: says what it integrates to.
        """
        lower, upper = (self.number(end) for end in self.support())
        total = mass(lower, upper, self._numbers)
        if not abs(total - 1) < 1e-3:
            found = "does not converge" if not 0 < total < 1e6 else f"integrates to {total:.6g}, not to 1"
            raise NotNormalized(f"Density: the density {found}; write a normalized one.")

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        lower, upper = (self.number(end) for end in self.support())
        return draw_weight(rng, shape, lower, upper, self._numbers)

    def _numbers(self, w: np.ndarray) -> np.ndarray:
        place = sp.Dummy("w", real=True)
        return evaluate(self.density(place), {place: w})

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("exp(-abs(w - 1)) / 2"), cls("3/4 * (1 - w**2)", (-1, 1)), cls("1 / (2*cosh(pi*w/2))")
