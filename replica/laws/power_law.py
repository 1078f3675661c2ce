"""Gaussian inputs with a power-law spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Law, Value, parameter
from replica.nodes import Flat
from replica.spectrum import Eigenspace


@dataclass(frozen=True)
class PowerLaw(Law):
    """Gaussian inputs whose covariance has the eigenvalue (1 - exponent) u^(-exponent) at the rank u in (0, 1], of mean 1.

    Args:
        exponent: of the eigenvalues.
        loading: the mean square of a coordinate of a label's latent, over that of its prior, is (1 - loading) u^(-loading).
    """

    exponent: Value = parameter(0.5, "[0, 1)", "exponent of the eigenvalues")
    loading: Value = parameter(0, "[0, 1)", "exponent of the squares of a teacher's coordinates")

    def sample(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        return rng.standard_normal((n, d)) * np.sqrt(self.variances(d))

    def variances(self, d: int) -> np.ndarray:
        return _averages(self.number(self.exponent), d)

    def loadings(self, d: int) -> np.ndarray | None:
        return _averages(self.number(self.loading), d)

    def spectrum(self) -> tuple[Eigenspace, ...]:
        """In t with u = t^p, where every average is bounded."""
        t, exponent, loading = sp.Dummy("t", positive=True), self.expr(self.exponent), self.expr(self.loading)
        p = 2 / (1 - exponent - loading)
        value, load = ((1 - e) * t ** (-p * e) for e in (exponent, loading))
        power = (1 - exponent) * (1 - loading) / (1 - exponent - loading)  # finite where both exponents together are below one
        return (Eigenspace(sp.S.One, value, load, (Flat(t, 0, 1),), density=p * t ** (p - 1), power=power),)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(0.5), cls(0.3, 0.2)


def _averages(exponent: float, d: int) -> np.ndarray:
    """(d,) averages of (1 - exponent) u^(-exponent) over d equal parts of (0, 1]."""
    return d * np.diff(np.linspace(0, 1, d + 1) ** (1 - exponent))
