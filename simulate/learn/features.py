"""Layers that stand between the inputs and the weights of a learner: random ones, or those of a trained network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from simulate.draw import bound, generator, number
from simulate.instance import Instance
from simulate.learn.tape import Tape, numpy_operations


@dataclass(frozen=True)
class Layers:
    """phi_l = activation(F_l phi_(l-1) / sqrt(p_(l-1))), from the inputs phi_0 = x on.

    Args:
        maps: F_l, (p_l, p_(l-1)), the first layer first.
        activation: the formula, and its variable.
    """

    maps: tuple[np.ndarray, ...]
    activation: tuple[sp.Expr, sp.Symbol]

    @cached_property
    def _tape(self) -> Tape:
        return Tape((self.activation[0],), (self.activation[1],), numpy_operations())

    @property
    def width(self) -> int:
        """Number of features."""
        return len(self.maps[-1])

    def first(self, x: np.ndarray) -> np.ndarray:
        """(n, p_1) fields of the first layer at inputs (n, d)."""
        return x @ self.maps[0].T / np.sqrt(self.maps[0].shape[1])

    def after(self, fields: np.ndarray) -> np.ndarray:
        """(..., p) features from the fields of the first layer."""
        phi = self._tape(fields)[0]
        for weights in self.maps[1:]:
            phi = self._tape(phi @ weights.T / np.sqrt(weights.shape[1]))[0]
        return phi

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n, p) features of inputs (n, d)."""
        return self.after(self.first(x))

    def up_to(self, layer: int) -> Layers:
        """The first layers only."""
        return replace(self, maps=self.maps[:layer])


def random_features(instance: Instance, name: str, network: Any) -> Layers:
    """The layer of a learner with random features: standard normal, fixed by (fingerprint, point, size, seed, learner)."""
    rng = generator(instance.spec.fingerprint, instance.at, instance.size, instance.seed, f"features of {name}")
    width = max(1, round(number(network.ratio, instance.at) * instance.size))
    return Layers((rng.standard_normal((width, instance.size)),), activation_of(network, instance))


def activation_of(network: Any, instance: Instance) -> tuple[sp.Expr, sp.Symbol]:
    """The activation of a network as a formula of one variable."""
    z = sp.Symbol("z", real=True)
    return sp.sympify(bound(network.activation, instance.at).formula(z)), z
