"""Discrete prior: a list of values with their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import sympy as sp

from replica.ingredients import Prior, Values, parameter


@dataclass(frozen=True)
class Discrete(Prior):
    """w takes the value atoms[i] with probability weights[i].

    Args:
        atoms: the values, at least one.
        weights: their probabilities, which add up to one; absent, all are equally likely.
    """

    form = "atoms"
    atoms_: Values = parameter(key="atoms", meaning="value of a weight")
    weights: Values | None = parameter(None, "[0, 1]", "probability of a value")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.atoms_:
            raise ValueError("Discrete: atoms must list at least one value, got none.")
        if self.weights is None:
            return
        if len(self.weights) != len(self.atoms_):
            raise ValueError(f"Discrete: weights must be as many as atoms ({len(self.atoms_)}), got {len(self.weights)}.")
        if any(isinstance(weight, str) for weight in self.weights):
            return
        total = sum(self.expr(weight) for weight in self.weights)
        if total.is_number and abs(float(total) - 1) > 1e-12:
            raise ValueError(f"Discrete: weights must add up to 1, got {float(total):.12g}.")

    def atoms(self) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        places = [self.expr(atom) for atom in self.atoms_]
        weights = self.weights or (sp.Rational(1, len(places)),) * len(places)
        return tuple(zip(places, (self.expr(weight) for weight in weights), strict=True))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        places, weights = (np.array([self.number(x) for x in column]) for column in zip(*self.atoms(), strict=True))
        return rng.choice(places, shape, p=weights / weights.sum())

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls((0, 1, 2, 3)), cls((-1, 0, 1), (0.2, 0.5, 0.3))
