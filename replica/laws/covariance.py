"""Gaussian inputs with a covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.apportion import apportion
from replica.ingredients import Law, Values, parameter
from replica.spectrum import Eigenspace


@dataclass(frozen=True)
class Covariance(Law):
    """Gaussian inputs whose covariance has these eigenvalues in these fractions, in the basis of its eigenvectors.

    A covariance is known up to the alignment of the latents with its eigenvectors, which `loadings` says: what a latent that makes labels,
    or along which groups have their means, has in an eigenspace is its prior stretched to this mean square.

    Args:
        eigenvalues: eigenvalues, >= 0, not all zero.
        fractions: share of the coordinates for each; they add up to 1; absent, equal.
        loadings: mean square of a coordinate of such a latent in each eigenspace, over that of its prior; absent, 1.
    """

    eigenvalues: Values = parameter(domain="[0, inf)", meaning="eigenvalue of the covariance")
    fractions: Values | None = parameter(None, "[0, 1]", "fraction of the coordinates with an eigenvalue")
    loadings_: Values | None = parameter(None, "[0, inf)", "mean square of a teacher's coordinate in an eigenspace", key="loadings")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.eigenvalues:
            raise ValueError("Covariance: eigenvalues must list at least one number, got none.")
        for word, values in (("fractions", self.fractions), ("loadings", self.loadings_)):
            if values is not None and len(values) != len(self.eigenvalues):
                raise ValueError(f"Covariance: {word} must be as many as eigenvalues ({len(self.eigenvalues)}), got {len(values)}.")
        if (fractions := self._numbers(self.fractions)) and not abs(sum(fractions) - 1) < 1e-9:
            raise ValueError(f"Covariance: fractions must add up to 1, got {sum(fractions):.12g}.")
        if (eigenvalues := self._numbers(self.eigenvalues)) and not any(value > 0 for value in eigenvalues):
            raise ValueError("Covariance: the spectrum is singular, every eigenvalue is 0.")

    def _numbers(self, values: Values | None) -> list[float]:
        """The values as numbers; empty where one still depends on a control."""
        if values is None or any(isinstance(value, str) or not self.expr(value).is_number for value in values):
            return []
        return [self.number(value) for value in values]

    def sample(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        return rng.standard_normal((n, d)) * np.sqrt(self.variances(d))

    def variances(self, d: int) -> np.ndarray:
        return self._spread(self.eigenvalues, d)

    def loadings(self, d: int) -> np.ndarray | None:
        return None if self.loadings_ is None else self._spread(self.loadings_, d)

    def spectrum(self) -> tuple[Eigenspace, ...]:
        values = [self.expr(v) for v in self.eigenvalues]
        parts = [self.expr(v) for v in self.fractions] if self.fractions else [sp.Rational(1, len(values))] * len(values)
        loads = [self.expr(v) for v in self.loadings_] if self.loadings_ else [sp.S.One] * len(values)
        return tuple(Eigenspace(part, value, load) for value, part, load in zip(values, parts, loads, strict=True))

    def _spread(self, values: Values, d: int) -> np.ndarray:
        fractions = self.fractions or (1,) * len(self.eigenvalues)
        return np.repeat([self.number(value) for value in values], apportion([self.number(part) for part in fractions], d))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls((0.5, 1.5)), cls((0.2, 1.8), (0.5, 0.5), (1, 2))
