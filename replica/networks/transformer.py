"""Transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Flag, Network, Value, parameter


@dataclass(frozen=True)
class Transformer(Network):
    """Transformer encoder or decoder; simulated only.

    Args:
        layers: layers.
        width: embedding dimension.
        heads: attention heads.
        causal: whether a token sees only earlier ones.
    """

    simulated_only = True
    layers: Value = parameter(domain="integers [1, inf)", meaning="number of layers")
    width: Value = parameter(domain="integers [1, inf)", meaning="embedding dimension")
    heads: Value = parameter(1, "integers [1, inf)", "number of attention heads")
    causal: Flag = parameter(False, meaning="whether a token sees only earlier ones")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(layers=4, width=128),)
