"""Real replicas around a centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ensemble import Ensemble, Part, Tie
from replica.ingredients import Flag, Value, parameter


@dataclass(frozen=True)
class Robust(Ensemble):
    """Replicas at a given overlap with a centre, or pulled to it by a log-weight `coupling` w w_centre."""

    y: Value = parameter(domain="[1, inf]", meaning="number of real replicas")
    overlap: Value | None = parameter(None, "", "overlap replica.centre/d")
    coupling: Value | None = parameter(None, "", "log-weight of w w_centre in every coordinate")
    constrained: Flag = parameter(True, "", "whether the centre must be a solution too")

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.overlap is None) == (self.coupling is None):
            raise ValueError("takes exactly one of overlap coupling")

    def parts(self) -> tuple[Part, ...]:
        pull = None if self.coupling is None else f"({self.coupling})*w*w_centre"
        return Part("centre", solves=self.constrained), Part("solution", (Tie("centre", self.overlap, pull),), self.y)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(3, overlap=0.8), cls(2, coupling=0.5, constrained=False)
