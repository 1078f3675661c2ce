"""Real replicas between two centres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ensemble import Ensemble, Part, Tie
from replica.ingredients import Flag, Value, parameter


@dataclass(frozen=True)
class TwoCentres(Ensemble):
    """Replicas at given overlaps with two centres, which have a given overlap with each other."""

    y: Value = parameter(domain="[1, inf]", meaning="number of real replicas")
    near: Value = parameter(domain="", meaning="overlap replica.near/d")
    far: Value = parameter(domain="", meaning="overlap replica.far/d")
    apart: Value = parameter(domain="", meaning="overlap near.far/d of the centres")
    constrained: Flag = parameter(True, "", "whether the centres must be solutions too")

    def parts(self) -> tuple[Part, ...]:
        far = Part("far", (Tie("near", self.apart),), solves=self.constrained)
        ties = (Tie("near", self.near), Tie("far", self.far))
        return Part("near", solves=self.constrained), far, Part("solution", ties, self.y)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(3, 0.8, 0.7, 0.6),)
