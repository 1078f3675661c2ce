"""A class of matrices of bounded rank and norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Prior, Value, parameter


@dataclass(frozen=True)
class Matrix(Prior):
    """All matrices of at most this rank and operator norm; declared only.

    Args:
        rank: rank over width, in (0, 1].
        operator_norm: largest singular value, > 0.
    """

    built = False
    rank: Value = parameter(1, "(0, 1]", "rank over width")
    operator_norm: Value = parameter(1, "(0, inf)", "largest singular value")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(rank=0.1),)
