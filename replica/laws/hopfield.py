"""Hebbian couplings between weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Law, Value, Word, parameter


@dataclass(frozen=True)
class Hopfield(Law):
    """Energy -sum_{i<j} J_ij w_i w_j with J = (1/N) sum over patterns of xi xi^T; declared only.

    Args:
        load: patterns per neuron.
        condensed: the latent that is the retrieved pattern; the others are disorder.
    """

    built = False
    load: Value = parameter(domain="[0, inf)", meaning="patterns per neuron")
    condensed: Word | None = parameter(None, meaning="latent that is the retrieved pattern")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(load=0.05, condensed="pattern"),)
