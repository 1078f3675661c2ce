"""Gauss-Bernoulli prior: a sparse signal with Gaussian non-zero entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Prior, Value, parameter


@dataclass(frozen=True)
class GaussBernoulli(Prior):
    """p(w) = (1 - rho) delta(w) + rho N(w; 0, variance).

    Args:
        rho: fraction of non-zero entries, in (0, 1]; a sparsity of 90% is rho = 0.1.
        variance: variance of the non-zero entries, > 0, so that E w^2 = rho * variance.
    """

    rho: Value = parameter(0.5, "(0, 1]", "fraction of NON-zero entries; a sparsity of 90% is rho=0.1")
    variance: Value = parameter(1, "(0, inf)", "variance of the non-zero entries")

    def atoms(self) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        empty = 1 - self.expr(self.rho)
        return () if empty.is_zero else ((sp.Integer(0), empty),)

    def density(self, w: sp.Expr) -> sp.Expr:
        rho, variance = self.expr(self.rho), self.expr(self.variance)
        return rho * sp.exp(-(w**2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.normal(0, np.sqrt(self.number(self.variance)), shape) * (rng.random(shape) < self.number(self.rho))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(rho=0.05), cls(rho=1, variance=3)
