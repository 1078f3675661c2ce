"""Joint normal laws as laws of one field after the other, which completing squares and panels take."""

from __future__ import annotations

import sympy as sp

from replica.nodes import Gauss, LogAverage, Tilted
from replica.passes.walk import bottom_up


def one_by_one(expression: sp.Expr) -> sp.Expr:
    """Joint normal laws as laws of one field after the other."""

    def visit(e: sp.Basic) -> sp.Basic:
        if not isinstance(e, (Tilted, LogAverage)) or all(len(m.variables) == 1 for m in e.measures):
            return e
        measures = [one for m in e.measures for one in (_chain(m) if isinstance(m, Gauss) else (m,))]
        return LogAverage(e.exponent, measures) if isinstance(e, LogAverage) else Tilted(e.body, e.exponent, measures, e.normalised)

    return bottom_up(expression, visit)


def _chain(m: Gauss) -> tuple[Gauss, ...]:
    """Each field given the ones before it."""
    variables, means, covariance = list(m.variables), list(m.means), sp.Matrix(m.covariance)
    found = []
    while variables:
        own, variance, cross = means[0], covariance[0, 0], covariance[1:, 0]
        found.append(Gauss(variables[:1], [own], [[variance]]))
        if variance != 0:
            means = [mean + c / variance * (variables[0] - own) for mean, c in zip(means[1:], cross, strict=True)]
            covariance = covariance[1:, 1:] - cross * cross.T / variance
        else:
            means, covariance = means[1:], covariance[1:, 1:]
        variables = variables[1:]
    return tuple(found)
