"""Variational auto-encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Network, Value, Values, parameter


@dataclass(frozen=True)
class VAE(Network):
    """Encoder and decoder with a latent code; simulated only.

    Args:
        latent: dimension of the code.
        widths: hidden widths, counts.
    """

    simulated_only = True
    latent: Value = parameter(domain="integers [1, inf)", meaning="dimension of the code")
    widths: Values = parameter(domain="integers [1, inf)", meaning="width of a hidden layer")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(latent=16, widths=(128,)),)
