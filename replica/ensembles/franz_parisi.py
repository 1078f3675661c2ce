"""A reference solution and a probe near it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ensemble import Ensemble, Part, Tie
from replica.ingredients import Value, parameter


@dataclass(frozen=True)
class FranzParisi(Ensemble):
    """A reference that does not feel its probe, and a probe at a given overlap with it."""

    overlap: Value = parameter(domain="", meaning="overlap probe.reference/d")

    def parts(self) -> tuple[Part, ...]:
        return Part("reference", stage="first"), Part("probe", (Tie("reference", overlap=self.overlap),), stage="second")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(0.8),)
