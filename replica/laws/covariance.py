"""Gaussian inputs with a covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Law, Values, parameter


@dataclass(frozen=True)
class Covariance(Law):
    """Gaussian inputs whose covariance has these eigenvalues in these fractions; declared only.

    Args:
        eigenvalues: eigenvalues, >= 0.
        fractions: share of the coordinates for each; absent, equal.
    """

    built = False
    eigenvalues: Values = parameter(domain="[0, inf)", meaning="eigenvalue of the covariance")
    fractions: Values | None = parameter(None, "[0, 1]", "fraction of the coordinates with an eigenvalue")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls((0.5, 1.5)),)
