"""Spherical prior: a direction of fixed length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Prior, Value, parameter


@dataclass(frozen=True)
class Spherical(Prior):
    """The vector is uniform on the sphere |w|^2 = norm * d.

    One coordinate is Gaussian in the limit of many; the length is imposed besides, which `pinned_norm` says.

    Args:
        norm: |w|^2/d, > 0.
    """

    norm: Value = parameter(1, "(0, inf)", "value of |w|^2/d")

    def density(self, w: sp.Expr) -> sp.Expr:
        norm = self.expr(self.norm)
        return sp.exp(-(w**2) / (2 * norm)) / sp.sqrt(2 * sp.pi * norm)

    def pinned_norm(self) -> sp.Expr:
        return self.expr(self.norm)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        w = rng.standard_normal(shape)
        return w * np.sqrt(self.number(self.norm) / np.mean(w**2, axis=-1, keepdims=True))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(norm=2)
