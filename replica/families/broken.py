"""One step of replica symmetry breaking on the scalar functions of a leaf: what a field says whose states have a spread of their own.

The leaf's logarithm phi is averaged over the states, (1/x) log E_h exp(x phi(h)), h normal around the field with the variance between
states; at zero temperature x counts in units of the temperature.  Slopes are taken from moments of h (integration by parts), so that
no score that jumps is ever differentiated.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.nodes import Gauss, Tilted
from replica.theory import Scores


@dataclass(frozen=True)
class Broken:
    """Scalar functions of a leaf behind a cluster of states.

    Args:
        y, omega, V: label, field, variance inside a state; A, B: of a weight, precision inside a state and field.
        spread, spread_hat: variance between states, of fields and of conjugate fields.
        x: Parisi parameter.
        output, output_variance, output_slope: mean over states of the score g, its variance, and d output / d omega.
        denoiser, denoiser_variance, denoiser_slope: the same of the mean weight, slope in B.
    """

    y: sp.Symbol
    omega: sp.Symbol
    V: sp.Symbol
    spread: sp.Symbol
    A: sp.Symbol
    B: sp.Symbol
    spread_hat: sp.Symbol
    x: sp.Symbol
    output: sp.Expr
    output_variance: sp.Expr
    output_slope: sp.Expr
    denoiser: sp.Expr
    denoiser_variance: sp.Expr
    denoiser_slope: sp.Expr


def broken(scores: Scores) -> Broken:
    """The scalar functions with one step of replica symmetry breaking."""
    x, spread, spread_hat = (sp.Symbol(name, real=True) for name in ("x_parisi", "V_states", "A_states"))
    s = scores
    output = _averaged(s.output, s.output_log, s.omega, spread, x)
    denoiser = _averaged(s.denoiser, s.denoiser_log, s.B, spread_hat, x)
    return Broken(s.y, s.omega, s.V, spread, s.A, s.B, spread_hat, x, *output, *denoiser)


def _averaged(first: sp.Expr, log: sp.Expr, place: sp.Symbol, variance: sp.Symbol, x: sp.Symbol) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Mean of `first` over states, its variance, and the slope of the mean: (second cumulant of h / variance - 1) / (x variance)."""
    h = sp.Dummy("h", real=True)
    tilt, pull, bend = _quadratic(x * log.xreplace({place: h}), h)
    wide = variance / (1 - bend * variance)  # a parabola in the exponent moves and widens the law of h
    gauss = Gauss([h], [(place + pull * variance) / (1 - bend * variance)], [[wide]])

    def mean(body: sp.Expr) -> sp.Expr:
        return Tilted(body, tilt, (gauss,))

    inside = first.xreplace({place: h})
    average, moved = mean(inside), mean(h - place)
    slope = (mean((h - place) ** 2) / variance - moved**2 / variance - 1) / (x * variance)
    return average, mean(inside**2) - average**2, slope


def _quadratic(exponent: sp.Expr, h: sp.Symbol) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """(rest, c1, c2): the exponent without its terms c1 h + c2 h^2/2."""
    rest, c1, c2 = sp.S.Zero, sp.S.Zero, sp.S.Zero
    for term in sp.Add.make_args(sp.expand_mul(exponent)):
        factor, power = term.as_independent(h, as_Add=False)
        if power in (h, h**2):
            c1, c2 = (c1 + factor, c2) if power == h else (c1, c2 + 2 * factor)
        else:
            rest += term
    return rest, c1, c2
