"""Laws of one disordered object that couples the weights themselves; there are no samples."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import sympy as sp

from replica.ingredients import Law, Loss


@dataclass(frozen=True)
class Moments:
    """What a coupling J_{i1...ip} is on average, for d coordinates.

    Args:
        mean: of J over the product of the latent's coordinates i1, ..., ip.
        variance: of J; couplings are Gaussian and independent.
        squares: coefficient of w_i^2 w_j^2 in the energy.
    """

    mean: sp.Expr = sp.S.Zero
    variance: sp.Expr = sp.S.Zero
    squares: sp.Expr = sp.S.Zero


@dataclass(frozen=True)
class Patterns:
    """Independent quenched patterns xi, each with an energy loss(z) + length |w|^2/d where z = w.xi/sqrt(d).

    Args:
        load: patterns per coordinate.
    """

    load: sp.Expr
    loss: Loss
    length: sp.Expr = sp.S.Zero


class Disorder(Law):
    """Energy -sum_{i1 < ... < ip} J_{i1...ip} w_i1 ... w_ip + squares * sum_{i<j} w_i^2 w_j^2."""

    @abstractmethod
    def moments(self, d: sp.Symbol) -> Moments:
        """Mean and variance of a coupling; what theories need of Gaussian disorder."""

    def patterns(self) -> Patterns | None:
        """The part of the couplings that is a sum over patterns without a latent."""
        return None

    def planted(self) -> tuple[str, ...]:
        """Latents that the couplings know."""
        return ()

    @abstractmethod
    def couplings(self, rng: np.random.Generator, d: int, truth: Mapping[str, np.ndarray]) -> np.ndarray:
        """One draw of J: symmetric, of p axes of length d, zero where two indices agree.

        Args:
            truth: the latents, each of shape (d,).
        """

    def order(self) -> int:
        """p, the number of weights in a coupling."""
        return 2

    def squares(self, d: int) -> float:
        """Coefficient of the term in squares."""
        return 0.0

    def correction(self, beta: float) -> float:
        """Power of 1/d with which finite systems approach their limit at inverse temperature beta."""
        return 1.0


def symmetric(entries: np.ndarray, d: int, p: int) -> np.ndarray:
    """The symmetric array of p axes with `entries` at i1 < ... < ip in lexical order, zero where two indices agree."""
    J = np.zeros((d,) * p)
    if p == 2:
        J[np.triu_indices(d, 1)] = entries
        return J + J.T
    places = np.array(list(combinations(range(d), p)), dtype=np.intp).reshape(-1, p)
    for order in permutations(range(p)):
        J[tuple(places[:, order].T)] = entries
    return J


def hebbian(patterns: np.ndarray) -> np.ndarray:
    """(1/d) sum over patterns (P, d) of xi xi^T, without its diagonal."""
    J = patterns.T @ patterns / patterns.shape[1]
    np.fill_diagonal(J, 0.0)
    return J
