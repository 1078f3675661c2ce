"""Averages inside an average: quadratics move into their measures, and what is then constant leaves them."""

from __future__ import annotations

import sympy as sp

from replica.nodes import LogAverage, Tilted
from replica.passes.gaussian import absorb, factored, integrate_polynomials
from replica.passes.parabolas import opened
from replica.passes.stretches import closed_log, closed_mean
from replica.passes.walk import bottom_up


def nested(expression: sp.Expr) -> sp.Expr:
    """Every LogAverage and Tilted with its quadratic exponents absorbed, polynomials integrated; innermost first."""
    return bottom_up(expression, _visit)


def _visit(e: sp.Basic) -> sp.Basic:
    if isinstance(e, LogAverage) or (isinstance(e, Tilted) and not e.normalised):
        plain = opened(e)
        return _closed(e) if plain is e else bottom_up(plain, _closed)
    return e


def _closed(e: sp.Basic) -> sp.Basic:
    if isinstance(e, LogAverage):
        exponent, _, weight = absorb(e.exponent, e.measures)
        if exponent == 0:
            return weight
        closed = closed_log(e.exponent, e.measures)
        return closed if closed is not None else e
    if isinstance(e, Tilted) and not e.normalised:
        # a quadratic beside other terms stays where it is: the two may nearly cancel, far from where the quadratic alone has its mass
        exponent, measures, _ = absorb(e.exponent, e.measures)
        if exponent != 0:
            exponent, measures = e.exponent, e.measures
        body, measures = integrate_polynomials(_apart(e.body, e.bound), exponent, measures)
        if not measures:
            return factored(body)
        closed = closed_mean(body, exponent, measures)
        return closed if closed is not None else Tilted(body, exponent, measures)
    return e


def _apart(body: sp.Expr, bound: set[sp.Symbol]) -> sp.Expr:
    """Averages in a body over the body's own variables (a mean beside what it is the mean of) over variables of other names."""
    change = {}
    for inner in body.atoms(Tilted, LogAverage):
        if inner.bound & bound:
            change[inner] = inner.xreplace({v: sp.Dummy(v.name, real=True) for v in inner.bound})
    return body.xreplace(change)
