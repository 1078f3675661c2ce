"""Coordinates of a spectral law: eigenspaces of a covariance, and non-linear features through their Gaussian equivalents.

Features sigma(F x/sqrt(D)) of D Gaussian latent coordinates act like kappa_0 + kappa_1 F x/sqrt(D) + kappa_star noise; their covariance
kappa_1^2 F F^T/D + kappa_star^2 has the eigenvalues of Marchenko and Pastur.  What of a label's field is not linear in the features
is noise.

Source: the Gaussian equivalence of Mei & Montanari (Comm. Pure Appl. Math. 75 (2022) 667) and Goldt et al. (PMLR 145 (2022) 426).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.families.model import Underivable
from replica.families.staged.problem import FIELD, Pair, Site
from replica.spectrum import marchenko_pastur

REACH, TOLERANCE = 16.0, 1e-13  # of the normal law kept, and what quadrature may err in its moments


@dataclass(frozen=True)
class Hermite:
    """Gaussian moments of an activation: E s, E z s, E s^2 - (E s)^2 - (E z s)^2, and E s'^2 - (E z s)^2."""

    constant: sp.Expr
    linear: sp.Expr
    rest: sp.Expr
    slope: sp.Expr


def hermite(activation: Any) -> Hermite:
    """By quadrature.

    Raises:
        Underivable: the moments do not converge, or the activation has controls in it.
    """
    z = sp.Dummy("z", real=True)
    formula = activation.formula(z)
    if formula.free_symbols - {z}:
        raise Underivable(f"activation '{activation.kind}' reads controls; its moments are built for fixed activations")
    first, square, product, slope = (_average(e, z) for e in (formula, formula**2, z * formula, formula.diff(z) ** 2))
    return Hermite(first, product, square - first**2 - product**2, slope - product**2)


def _average(expression: sp.Expr, z: sp.Symbol) -> sp.Expr:
    """E expression(z) for a standard normal z: Gauss panels, and the same with half their number as the error."""
    fine, coarse = (_panels(expression, z, n) for n in (512, 256))
    if not np.isfinite(fine) or abs(fine - coarse) > TOLERANCE * max(1.0, abs(fine)):
        raise Underivable("the Gaussian moments of the activation do not converge")
    return sp.S.Zero if abs(fine) < TOLERANCE else sp.Float(fine, 17)


def _panels(expression: sp.Expr, z: sp.Symbol, count: int) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(24)
    half = REACH / count
    centers = -REACH + half * (2 * np.arange(count) + 1)
    x = centers[:, None] + half * nodes
    values = np.broadcast_to(evaluate(expression, {z: x}), x.shape)
    return float(np.sum(values * np.exp(-(x**2) / 2) * weights) * half / np.sqrt(2 * np.pi))


SYMBOLS = Hermite(*sp.symbols("kappa_0 kappa_1 kappa_star_squared kappa_slope", positive=True))  # what a kernel's moments are called


def moments_of(kernel: Hermite) -> dict[sp.Basic, sp.Basic]:
    """Symbol -> number."""
    return dict(zip(_parts(SYMBOLS), _parts(kernel), strict=True))


def _parts(k: Hermite) -> tuple[sp.Expr, ...]:
    return k.constant, k.linear, k.rest, k.slope


def feature_sites(k: Hermite, aspect: sp.Expr, moments: Mapping[str, sp.Expr]) -> tuple[Site, ...]:
    """Eigenspaces of the covariance of features.

    Args:
        k: moments of the activation.
        aspect: features per latent coordinate.
        moments: latent -> second moment; each is a vector of latent coordinates.
    """
    bulk, null = marchenko_pastur(aspect)
    a = bulk.eigenvalue
    variance = k.linear**2 * a + k.rest
    gram: dict[Pair, sp.Expr] = {(t, t): value * k.linear**2 * aspect * a / variance**2 for t, value in moments.items()}
    return (
        Site("", bulk.fraction, {FIELD: variance}, gram, False, bulk.measures, bulk.density),  # rotated: weights are no coordinates here
        Site("null", null.fraction, {FIELD: k.rest}, {}, False),
    )


def eigenspaces(
    law: Any, names: Mapping[str, sp.Expr], moments: Mapping[str, sp.Expr], centers: frozenset[str] = frozenset()
) -> tuple[Site, ...]:
    """One site per eigenspace of a declared covariance.

    Args:
        moments: latent -> second moment of its prior.
        centers: latents that shift the inputs.  Overlaps count a coordinate with its eigenvalue, so such a latent is divided by it.
    """
    found = []
    for i, part in enumerate(law.bind(names).spectrum()):
        value, load = part.eigenvalue, part.loading
        if value == 0 and load != 0 and centers:
            raise Underivable("data.law: the spectrum is singular, means have components where the eigenvalue is 0; give these loading 0")
        gram: dict[Pair, sp.Expr] = {(t, t): load * m / (value**2 if t in centers else 1) for t, m in moments.items() if load != 0}
        own = (part.measures, part.density)
        found.append(Site(f"eigenvalue {i + 1}", part.fraction, {FIELD: value}, gram, True, *own))
    return tuple(found)
