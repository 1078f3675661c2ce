"""Hebbian couplings between weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from replica.ingredients import Value, Word, parameter
from replica.laws.disorder import Disorder, hebbian


@dataclass(frozen=True)
class Hopfield(Disorder):
    """Energy -sum_{i<j} J_ij w_i w_j with J = (1/N) sum over patterns of xi xi^T; declared only.

    Args:
        load: patterns per neuron.
        condensed: the latent that is the retrieved pattern; the others are disorder.
    """

    built = False
    load: Value = parameter(domain="[0, inf)", meaning="patterns per neuron")
    condensed: Word | None = parameter(None, meaning="latent that is the retrieved pattern")

    def couplings(self, rng: np.random.Generator, d: int, truth: Mapping[str, np.ndarray]) -> np.ndarray:
        count = round(self.number(self.load) * d) - (self.condensed is not None)
        patterns = rng.choice([-1.0, 1.0], size=(max(count, 0), d))
        if self.condensed is not None:
            patterns = np.concatenate([truth[self.condensed][None], patterns])
        return hebbian(patterns)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(load=0.05, condensed="pattern"),)
