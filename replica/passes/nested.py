"""Averages inside an average: quadratics move into their measures, and what is then constant leaves them."""

from __future__ import annotations

import sympy as sp

from replica.nodes import LogAverage, Tilted
from replica.passes.gaussian import absorb, factored, integrate_polynomials
from replica.passes.walk import bottom_up


def nested(expression: sp.Expr) -> sp.Expr:
    """Every LogAverage and Tilted with its quadratic exponents absorbed, polynomials integrated; innermost first."""
    return bottom_up(expression, _visit)


def _visit(e: sp.Basic) -> sp.Basic:
    if isinstance(e, LogAverage):
        exponent, measures, weight = absorb(e.exponent, e.measures)
        return weight if exponent == 0 else weight + LogAverage(exponent, measures)
    if isinstance(e, Tilted) and not e.normalised:
        exponent, measures, _ = absorb(e.exponent, e.measures)
        body, measures = integrate_polynomials(e.body, exponent, measures)
        return factored(body) if not measures else Tilted(body, exponent, measures)
    return e
