"""Deep linear network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Network, Values, parameter


@dataclass(frozen=True)
class DeepLinear(Network):
    """A product of matrices with these hidden widths and no nonlinearity.

    Args:
        widths: hidden widths; counts in a fixed dimension, else units of d.
    """

    widths: Values = parameter(domain="(0, inf)", meaning="width of a hidden layer")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls((15,)),)
