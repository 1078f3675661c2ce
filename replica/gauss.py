"""Gauss quadrature of discrete measures: a spectrum of thousands of modes as a few nodes."""

from __future__ import annotations

import numpy as np


def gauss(atoms: np.ndarray, weights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights (at most `count`, fewer where there are fewer atoms) that integrate polynomials of degree 2 count - 1.

    The Lanczos recursion on the diagonal matrix of the atoms gives the Jacobi matrix, whose eigenvectors are the rule
    (Golub and Welsch, Math. Comp. 23 (1969) 221).

    Args:
        atoms: (n,) positions.
        weights: (n,) masses, >= 0.
    """
    mass = float(weights.sum())
    if not mass > 0:
        return np.zeros(0), np.zeros(0)
    center, reach = (atoms.max() + atoms.min()) / 2, max((atoms.max() - atoms.min()) / 2, 1e-300)
    x = (atoms - center) / reach
    basis = [np.sqrt(weights / mass)]
    diagonal, beside = [], []
    for _ in range(min(count, len(np.unique(atoms[weights > 0])))):
        last = basis[-1]
        diagonal.append(float(last @ (x * last)))
        rest = x * last
        for _ in range(2):  # once more against rounding
            for vector in basis:
                rest = rest - (vector @ rest) * vector
        size = float(np.linalg.norm(rest))
        if size < 1e-10:
            break
        beside.append(size)
        basis.append(rest / size)
    order = len(diagonal)
    jacobi = np.diag(diagonal) + np.diag(beside[: order - 1], 1) + np.diag(beside[: order - 1], -1)
    nodes, vectors = np.linalg.eigh(jacobi)
    return center + reach * nodes, mass * vectors[0] ** 2


def gauss_of_logarithm(atoms: np.ndarray, weights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The same in the logarithm of positive atoms: there v/(v + k), what ridge leaves of a mode, is smooth however wide the spectrum."""
    nodes, masses = gauss(np.log(atoms), weights, count)
    return np.exp(nodes), masses


def shrinkage_error(atoms: np.ndarray, weights: np.ndarray, rule: tuple[np.ndarray, np.ndarray]) -> float:
    """Largest error of a rule, over the mass, in the averages of v/(v + k) and of its square, over all k > 0."""
    mass = float(weights.sum())
    if not mass > 0:
        return 0.0
    worst = 0.0
    for k in np.geomspace(atoms.min() / 30, atoms.max() * 30, 61):
        exact, ours = (values / (values + k) for values in (atoms, rule[0]))
        worst = max(worst, *(abs(float(weights @ exact**p - rule[1] @ ours**p)) / mass for p in (1, 2)))
    return worst
