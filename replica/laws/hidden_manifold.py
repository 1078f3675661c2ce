"""Hidden-manifold inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.activations.erf import Erf
from replica.arrays import evaluate
from replica.ingredients import Activation, Law, Value, Word, parameter


@dataclass(frozen=True)
class HiddenManifold(Law):
    """x = activation(F^T c / sqrt(latent dimension)) with latent coordinates c ~ N(0, I), on which the labels act.

    Args:
        map: the latent of shape "matrix" that is F; its rows are the latent coordinates.
        latent_ratio: latent dimension over d.
        activation: nonlinearity.
    """

    map: Word = parameter(meaning="latent that holds the feature map")
    latent_ratio: Value = parameter(1, "(0, inf)", "latent dimension over d")
    activation: Activation = parameter(Erf(), meaning="nonlinearity of the manifold")

    def draw(self, rng: np.random.Generator, n: int, d: int, truth: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        c = rng.standard_normal((n, self.hidden(d)))
        z = sp.Symbol("z", real=True)
        return evaluate(self.activation.formula(z), {z: c @ truth[self.map] / np.sqrt(c.shape[1])}), c

    def hidden(self, d: int) -> int:
        return max(1, round(self.number(self.latent_ratio) * d))

    def maps(self) -> tuple[str, ...]:
        return (self.map,)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls("F", latent_ratio=0.5),)
