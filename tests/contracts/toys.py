"""Small systems with kernels typed by hand, so that the solver is tested without the compiler."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from benchmarks.hand_kernels import HandModule, kernel
from replica.symbols import POSITIVE, Control, Domain, OrderParameter, control_symbol
from replica.theory import Start, Stationary, Theory

B, H, C = control_symbol("b"), control_symbol("h"), control_symbol("c")


@kernel
def nothing(p, x, w, off, scr, out):
    return 0


@kernel
def no_probe(l, p, x, w, off, scr, out):
    return 0


def theory(name, unknowns, controls, starts) -> Theory:
    """A theory of which the solver uses only names, domains and starts."""
    symbols = [u.symbol for u in unknowns]
    starts = tuple(Start(k, dict(zip(symbols, map(sp.sympify, v), strict=True))) for k, v in starts.items())
    return Theory(
        name, "toy-" + name, controls, Stationary(unknowns, tuple(symbols), starts=starts), {u.name: u.symbol for u in unknowns}, {},
        sp.S.Zero, {},
    )


def module(of: Theory, residual, values, inside=nothing) -> HandModule:
    return HandModule(of, (), residual, values, inside, no_probe)


@kernel
def curie_weiss_residual(p, x, w, off, scr, out):
    m, b, h = p[0], p[1], p[2]
    t = math.tanh(b * m + h)
    s = 1 - t * t
    out[0], out[1], out[2], out[3] = m - t, 1 - b * s, -m * s, -s
    return 4


@kernel
def curie_weiss_values(p, x, w, off, scr, out):
    m, b, h = p[0], p[1], p[2]
    out[0], out[1] = math.log(2 * math.cosh(b * m + h)) - b * m * m / 2, m
    return 2


def curie_weiss() -> HandModule:
    """m = tanh(b m + h): three solutions where b > 1 and |h| is small; folds are known in closed form."""
    m = OrderParameter(sp.Symbol("m", real=True), "magnetisation", Domain(-1.0, 1.0))
    starts = {"up": (sp.Rational(9, 10),), "down": (sp.Rational(-9, 10),), "flat": (sp.Rational(1, 100),)}
    return module(theory("magnet", (m,), (Control(B, 2.0, POSITIVE), Control(H, 0.0)), starts), curie_weiss_residual, curie_weiss_values)


@kernel
def shrink_residual(p, x, w, off, scr, out):
    q, c = p[0], p[1]
    image = c * q / (1 + q)
    out[0], out[1], out[2] = q - image, 1 - c / (1 + q) ** 2, -q / (1 + q)
    return 3


@kernel
def first_value(p, x, w, off, scr, out):
    out[0], out[1] = -p[0], p[0]
    return 2


def shrink() -> HandModule:
    """q = c q / (1 + q): q = c - 1 for c > 1, and only the end q = 0 of the domain for c < 1."""
    q = OrderParameter(sp.Symbol("q", real=True), "overlap", POSITIVE)
    return module(theory("shrink", (q,), (Control(C, 2.0, POSITIVE),), {"one": (1,)}), shrink_residual, first_value)


@kernel
def rootless_residual(p, x, w, off, scr, out):
    q, c = p[0], p[1]
    out[0], out[1], out[2] = -c - q * q, -2 * q, -1.0
    return 3


@kernel
def poisoned_residual(p, x, w, off, scr, out):
    out[0] = out[1] = out[2] = np.nan
    return 3


def hopeless(residual) -> HandModule:
    """Equations without a solution, or that are not numbers."""
    q = OrderParameter(sp.Symbol("q", real=True), "overlap", Domain())
    return module(theory("hopeless", (q,), (Control(C, 1.0, POSITIVE),), {"one": (1,)}), residual, first_value)
