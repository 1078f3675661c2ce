"""Spectra of covariances, as laws of inputs declare them."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.nodes import Flat, Measure


@dataclass(frozen=True)
class Eigenspace:
    """Coordinates of one eigenvalue, or of a continuum of them.

    Args:
        fraction: part of all coordinates.
        eigenvalue: of a continuum, in the variable of `measures`.
        loading: mean square of a latent's coordinate there, over that of its prior.
        power: mean of eigenvalue times loading, which a continuum must give in closed form.
        density: of a continuum, over the measures.
    """

    fraction: sp.Expr
    eigenvalue: sp.Expr
    loading: sp.Expr = sp.S.One
    measures: tuple[Measure, ...] = ()
    density: sp.Expr = sp.S.One
    power: sp.Expr | None = None


def power(spectrum: tuple[Eigenspace, ...]) -> sp.Expr:
    """Variance of a field of unit weights, stretched by their loadings."""
    return sp.Add(*(part.fraction * (part.eigenvalue * part.loading if part.power is None else part.power) for part in spectrum))


def marchenko_pastur(aspect: sp.Expr) -> tuple[Eigenspace, Eigenspace]:
    """Spectrum of F F^T/D for a standard normal N x D matrix F, aspect = N/D: its bulk in an angle, and what is zero.

    The density of the bulk stands against all N, so that its mass is min(1, 1/aspect).
    Source: V. A. Marchenko & L. A. Pastur, Math. USSR-Sb. 1 (1967) 457.
    """
    angle = sp.Dummy("theta", real=True)
    a = 1 + aspect + 2 * sp.sqrt(aspect) * sp.cos(angle)
    bulk = Eigenspace(sp.S.One, a, measures=(Flat(angle, 0, sp.pi),), density=2 * sp.sin(angle) ** 2 / (sp.pi * a), power=sp.S.One)
    return bulk, Eigenspace(sp.Max(0, 1 - 1 / aspect), sp.S.Zero)
