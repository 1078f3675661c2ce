"""Hebbian couplings between weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.disorder import Disorder, Moments, Patterns, hebbian
from replica.ingredients import Value, Word, parameter
from replica.losses.formula import Formula


@dataclass(frozen=True)
class Hopfield(Disorder):
    """Energy -sum_{i<j} J_ij w_i w_j with J = (1/N) sum over patterns of xi xi^T.

    Args:
        load: patterns per neuron.
        condensed: the latent that is the retrieved pattern; the others are disorder.
    """

    load: Value = parameter(domain="[0, inf)", meaning="patterns per neuron")
    condensed: Word | None = parameter(None, meaning="latent that is the retrieved pattern")

    def moments(self, d: sp.Symbol) -> Moments:
        return Moments(mean=1 / d if self.condensed is not None else sp.S.Zero)

    def patterns(self) -> Patterns:
        """A pattern's couplings xi xi^T/d make the energy -z^2/2, and their diagonal, which is left out, |w|^2/(2 d)."""
        return Patterns(self.expr(self.load), Formula("-z**2/2").bind({}), sp.Rational(1, 2))

    def planted(self) -> tuple[str, ...]:
        return (self.condensed,) if self.condensed is not None else ()

    def couplings(self, rng: np.random.Generator, d: int, truth: Mapping[str, np.ndarray]) -> np.ndarray:
        count = round(self.number(self.load) * d) - (self.condensed is not None)
        patterns = rng.choice([-1.0, 1.0], size=(max(count, 0), d))
        if self.condensed is not None:
            patterns = np.concatenate([truth[self.condensed][None], patterns])
        return hebbian(patterns)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(load=0.05, condensed="pattern"),)
