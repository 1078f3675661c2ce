"""Linear readout of a trained network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Network, Value, Word, parameter


@dataclass(frozen=True)
class HeadOf(Network):
    """z = w.phi/sqrt(p) with phi the frozen activations of another learner.

    Args:
        learner: the learner whose features are read.
        layer: the layer, from 1.
    """

    learner: Word = parameter(meaning="learner whose features are read")
    layer: Value = parameter(1, "integers [1, inf)", "layer that is read")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls("net", layer=3),)
