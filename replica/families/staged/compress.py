"""A covariance of many eigenvalues as a few: Gauss quadratures of its spectrum and of what latents have in it, with their error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from replica.gauss import gauss_of_logarithm, shrinkage_error
from replica.spectrum import Eigenspace

FEW, MOST = 48, 64  # eigenvalues that stay as they are; nodes of a quadrature
ENOUGH = 1e-12  # error from which no more nodes are taken
CARRIER = 1e-12  # part of the coordinates that a node takes which only carries a latent


@dataclass(frozen=True)
class Compressed:
    """The eigenspaces that stand for a spectrum.

    Args:
        before: how many there were, 0 where nothing was compressed.
        error: largest of the averages of v/(v + k) and its square, over all k, relative to those of v^0.
    """

    parts: tuple[Eigenspace, ...]
    before: int = 0
    error: float = 0.0

    @property
    def sentence(self) -> str:
        return (
            f"{self.before} eigenvalues are integrated with {len(self.parts)} nodes of Gauss quadratures in their logarithm, "
            f"good to {self.error:.0e} for what a ridge of any strength leaves of them"
        )


@lru_cache(maxsize=8)
def compressed(parts: tuple[Eigenspace, ...], centered: bool) -> Compressed:
    """The same spectrum in few eigenspaces, where all of it are numbers.

    Args:
        centered: whether latents shift the inputs: the overlaps then weigh a node with its loading, else also with its eigenvalue.
    """
    if len(parts) <= FEW or any(part.measures or not part.eigenvalue.is_number or not part.fraction.is_number for part in parts):
        return Compressed(parts)
    if any(not part.loading.is_number for part in parts):
        return Compressed(parts)
    values, shares, loads = np.array([[float(e) for e in (p.eigenvalue, p.fraction, p.loading)] for p in parts]).T
    zero = values == 0
    weight = 1.0 if centered else values[~zero]
    bulk, bulk_error = _rule(values[~zero], shares[~zero])
    carried, carried_error = _rule(values[~zero], shares[~zero] * loads[~zero] * weight)
    found = [Eigenspace(sp.Float(share), sp.Float(v), sp.S.Zero) for v, share in zip(*bulk, strict=True)]
    for v, mass in zip(*carried, strict=True):
        found.append(Eigenspace(sp.Float(CARRIER), sp.Float(v), sp.Float(mass / (CARRIER * (1.0 if centered else v)))))
    if zero.any():
        null = float(shares[zero].sum())
        found.append(Eigenspace(sp.Float(null), sp.S.Zero, sp.Float(float((shares * loads)[zero].sum()) / null)))
    return Compressed(tuple(found), len(parts), max(bulk_error, carried_error))


def _rule(values: np.ndarray, weights: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """The smallest rule that is good enough, or the best, and its error."""
    best, error = (np.zeros(0), np.zeros(0)), float("inf")
    for count in range(8, MOST + 1, 4):
        rule = gauss_of_logarithm(values, weights, count)
        miss = shrinkage_error(values, weights, rule)
        if miss < error:
            best, error = rule, miss
        if error < ENOUGH:
            break
    return best, error
