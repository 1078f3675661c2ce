"""Linear readout of random features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.activations.tanh import Tanh
from replica.ingredients import Activation, Network, Value, parameter


@dataclass(frozen=True)
class RandomFeatures(Network):
    """z = w.phi/sqrt(p) with phi = activation(F x/sqrt(d)), F random and fixed, p = ratio * d.

    Args:
        ratio: features per input dimension.
        activation: nonlinearity.
    """

    ratio: Value = parameter(1, "(0, inf)", "features per input dimension")
    activation: Activation = parameter(Tanh(), meaning="nonlinearity of the features")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(ratio=0.5)
