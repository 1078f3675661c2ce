"""Gaussian couplings between p weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Law, Value, parameter


@dataclass(frozen=True)
class PSpin(Law):
    """Energy -sum J w_i1 ... w_ip with couplings of variance p!/(2 N^(p-1)); declared only.

    Args:
        p: weights in a coupling; 2 is the Sherrington-Kirkpatrick model.
    """

    kind = "pspin"
    built = False
    p: Value = parameter(2, "integers [2, inf)", "number of weights in a coupling")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(), cls(p=3))
