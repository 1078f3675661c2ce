"""Selection tilted by what it achieves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Selection, Value, Word, parameter


@dataclass(frozen=True)
class Tilted(Selection):
    """A measure over the subsets of a pool, proportional to exp(tilt * d * by).

    Args:
        keep: samples kept, per weight.
        by: "log_volume".
        tilt: 0 selects at random, negative values prefer informative samples.
    """

    keep: Value = parameter(domain="(0, inf)", meaning="samples kept per weight")
    by: Word = parameter("log_volume", meaning="what tilts the measure", words=("log_volume",))
    tilt: Value = parameter(0, "(-inf, inf)", "strength of the tilt")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(keep=1, tilt=-2),)
