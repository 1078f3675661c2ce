"""Gaussian couplings between p weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb, factorial
from typing import Self

import numpy as np
import sympy as sp

from replica.disorder import Disorder, Moments, symmetric
from replica.ingredients import Value, parameter


@dataclass(frozen=True)
class PSpin(Disorder):
    """Energy -sum J w_i1 ... w_ip with couplings of variance p!/(2 N^(p-1)).

    Args:
        p: weights in a coupling; 2 is the Sherrington-Kirkpatrick model.
    """

    kind = "pspin"
    p: Value = parameter(2, "integers [2, inf)", "number of weights in a coupling")

    def moments(self, d: sp.Symbol) -> Moments:
        p = self.order()
        return Moments(variance=sp.factorial(p) / (2 * d ** (p - 1)))

    def couplings(self, rng: np.random.Generator, d: int, truth: Mapping[str, np.ndarray]) -> np.ndarray:
        p = self.order()
        return symmetric(rng.standard_normal(comb(d, p)) * np.sqrt(factorial(p) / (2 * d ** (p - 1))), d, p)

    def order(self) -> int:
        return int(self.number(self.p))

    def correction(self, beta: float) -> float:
        """2/3 for p = 2 in its glass phase: Boettcher, Eur. Phys. J. B 46 (2005) 501."""
        return 2 / 3 if self.order() == 2 and beta > 1 else 1.0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(), cls(p=3))
