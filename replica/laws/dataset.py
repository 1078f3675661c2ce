"""Measured data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Law, Word, parameter


@dataclass(frozen=True)
class Dataset(Law):
    """Samples of a named data set; declared only.

    Args:
        name: name of the data set; "arrays" are passed at call time.
    """

    built = False
    name: Word = parameter(meaning="name of the data set")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls("digits"),)
