"""Sign channel: a binary label from the side of a hyperplane, possibly flipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Channel, Value, parameter
from replica.labels import SIGNS, Labels


@dataclass(frozen=True)
class Sign(Channel):
    """y = sign(z), flipped with probability `flip`.

    Args:
        flip: probability of the wrong sign, in [0, 1].
    """

    flip: Value = parameter(0, "[0, 1]", "probability of the wrong sign")

    def labels(self) -> Labels:
        return SIGNS

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        flip, half = self.expr(self.flip), sp.Rational(1, 2)
        return (1 - flip) * sp.Heaviside(y * z, half) + flip * sp.Heaviside(-y * z, half)

    def map(self, z: sp.Expr, xi: sp.Expr) -> sp.Expr | None:
        return sp.sign(z) if self.expr(self.flip).is_zero else None

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        kept = rng.random(np.shape(z)) >= self.number(self.flip)
        return np.where(np.asarray(z) >= 0, 1.0, -1.0) * np.where(kept, 1.0, -1.0)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(flip=0.1)
