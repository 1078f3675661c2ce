"""Deep linear network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Flag, Network, Values, parameter


@dataclass(frozen=True)
class DeepLinear(Network):
    """z = W_L ... W_1 x, a product of matrices with these hidden widths and no nonlinearity.

    Args:
        widths: hidden widths; counts in a fixed dimension, else units of d.
        bias: whether every layer has trained biases.
    """

    widths: Values = parameter(domain="(0, inf)", meaning="width of a hidden layer")
    bias: Flag = parameter(False, meaning="whether layers have trained biases")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls((15,)),)
