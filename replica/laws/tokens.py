"""Pairs of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from replica.ingredients import Law, Table, Value, parameter


@dataclass(frozen=True)
class Tokens(Law):
    """A token with a frequency law and its successor; declared only.

    Args:
        vocabulary: number of tokens.
        frequency: e.g. `{ kind = "zipf", exponent = 1 }`; absent, uniform.
        successor: e.g. `{ kind = "mixed", keep = 0.8 }`.
    """

    built = False
    vocabulary: Value = parameter(domain="integers [2, inf)", meaning="number of tokens")
    frequency: Annotated[Table, "table"] | None = parameter(None, meaning="law of the frequencies")
    successor: Annotated[Table, "table"] | None = parameter(None, meaning="law of the successor")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(vocabulary=256, frequency=Table(kind="zipf", exponent=1)),)
