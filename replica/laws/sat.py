"""Random satisfiability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Law, Value, parameter


@dataclass(frozen=True)
class SAT(Law):
    """Random clauses of k literals; alpha is clauses per variable; declared only.

    Args:
        k: literals in a clause.
    """

    built = False
    k: Value = parameter(3, "integers [2, inf)", "literals in a clause")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
