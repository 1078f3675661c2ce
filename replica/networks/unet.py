"""U-Net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Network, Values, parameter


@dataclass(frozen=True)
class UNet(Network):
    """Convolutional encoder and decoder with skips; simulated only.

    Args:
        widths: channels of each level.
    """

    kind = "unet"
    simulated_only = True
    widths: Values = parameter(domain="integers [1, inf)", meaning="channels of a level")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls((32, 64)),)
