"""Coordinates of a spectral law: eigenspaces of a covariance, and non-linear features through their Gaussian equivalents.

Features sigma(F x/sqrt(n)) of n coordinates act like kappa_0 + kappa_1 F x/sqrt(n) + kappa_star noise, whatever the coordinates: inputs,
or features of others.  What of a label's field is not linear in them is noise.

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
from replica.families.staged.compress import compressed
from replica.families.staged.problem import FIELD, Pair, Site

REACH, TOLERANCE = 16.0, 1e-13  # of the normal law kept, and what quadrature may err in its moments


@dataclass(frozen=True)
class Hermite:
    """Gaussian moments of an activation s of a field u: E s, E s', Var s - (E s')^2 Var u, and Var s'."""

    constant: sp.Expr
    linear: sp.Expr
    rest: sp.Expr
    slope: sp.Expr


def hermite(activation: Any, variance: sp.Expr = sp.S.One) -> Hermite:
    """By quadrature, for fields of this variance.

    Raises:
        Underivable: the moments do not converge, or the activation has controls in it.
    """
    z = sp.Dummy("z", real=True)
    formula, spread = activation.formula(z), sp.sqrt(variance)
    if formula.free_symbols - {z}:
        raise Underivable(f"activation '{activation.kind}' reads controls; its moments are built for fixed activations")
    bodies = (formula, formula**2, z * formula / variance, formula.diff(z) ** 2)
    first, square, linear, slope = (_average(e.xreplace({z: spread * z}), z) for e in bodies)
    return Hermite(first, linear, square - first**2 - variance * linear**2, slope - linear**2)


def is_odd(activation: Any) -> bool:
    """Whether it changes its sign with its field: its features of symmetric inputs then have no mean."""
    z = sp.Dummy("z", real=True)
    formula = activation.formula(z)
    return sp.simplify(formula + formula.xreplace({z: -z})) == 0


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


def symbols_of(tag: str = "") -> Hermite:
    """What the moments of an activation are called while equations are made."""
    return Hermite(*sp.symbols([f"{name}{tag}" for name in ("kappa_0", "kappa_1", "kappa_star_squared", "kappa_slope")], positive=True))


def moments_of(symbols: Hermite, kernel: Hermite) -> dict[sp.Basic, sp.Basic]:
    """Symbol -> number."""
    return dict(zip(_parts(symbols), _parts(kernel), strict=True))


def _parts(k: Hermite) -> tuple[sp.Expr, ...]:
    return k.constant, k.linear, k.rest, k.slope


def features(name: str, k: Hermite, count: sp.Expr, of: str) -> Site:
    """Non-linear features of the coordinates of a site, `count` of them per d."""
    return Site(name, count, {FIELD: k.rest / count}, {}, reads=of, gain=k.linear**2)


def eigenspaces(
    law: Any, names: Mapping[str, sp.Expr], moments: Mapping[str, sp.Expr], centers: frozenset[str] = frozenset()
) -> tuple[Site, ...]:
    """One site per eigenspace of a declared covariance; one per node of a quadrature where there are many.

    Args:
        moments: latent -> second moment of its prior.
        centers: latents that shift the inputs.  Overlaps count a coordinate with its eigenvalue, so such a latent is divided by it.
    """
    found = []
    for i, part in enumerate(compressed(law.bind(names).spectrum(), bool(centers)).parts):
        value, load = part.eigenvalue, part.loading
        if value == 0 and load != 0 and centers:
            raise Underivable("data.law: the spectrum is singular, means have components where the eigenvalue is 0; give these loading 0")
        gram: dict[Pair, sp.Expr] = {(t, t): load * m / (value**2 if t in centers else 1) for t, m in moments.items() if load != 0}
        own = (part.measures, part.density)
        found.append(Site(f"eigenvalue {i + 1}", part.fraction, {FIELD: value}, gram, True, *own))
    return tuple(found)
