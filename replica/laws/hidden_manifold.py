"""Hidden-manifold inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.activations.erf import Erf
from replica.ingredients import Activation, Law, Value, Word, parameter


@dataclass(frozen=True)
class HiddenManifold(Law):
    """x = activation(F c / sqrt(latent dimension)) with latent coordinates c ~ N(0, I); declared only.

    Args:
        map: the latent of shape "matrix" that is F.
        latent_ratio: latent dimension over d.
        activation: nonlinearity.
    """

    built = False
    map: Word = parameter(meaning="latent that holds the feature map")
    latent_ratio: Value = parameter(1, "(0, inf)", "latent dimension over d")
    activation: Activation = parameter(Erf(), meaning="nonlinearity of the manifold")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls("F", latent_ratio=0.5),)
