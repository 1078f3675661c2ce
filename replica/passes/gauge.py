"""Minimal gauge: a species that stands once on its node carries no field of its own.

Its overlap with itself at the node is no order parameter, so any value will do.  With the smallest one that keeps the
covariance positive its field is a linear function of the others (the teacher given the student: m h/q), its leaf takes
the remaining variance, and one integral is gone.
"""

from __future__ import annotations

import sympy as sp

from replica.nodes import Gauss, LogAverage, Tilted
from replica.passes.walk import bottom_up


def minimal(expression: sp.Expr, field: sp.Symbol, gauge: sp.Symbol) -> sp.Expr:
    """Fix the gauge symbol and drop `field` from every average whose Gaussian contains it."""

    def visit(node):
        if not isinstance(node, (Tilted, LogAverage)):
            return node
        for measure in node.measures:
            if isinstance(measure, Gauss) and field in measure.variables:
                return _drop(node, measure, field, gauge)
        return node

    return bottom_up(expression, visit)


def _drop(node, measure: Gauss, field: sp.Symbol, gauge: sp.Symbol):
    k = measure.variables.index(field)
    others = [i for i in range(len(measure.variables)) if i != k]
    if not others:
        value, line = sp.S.Zero, measure.means[k]
        kept: tuple[Gauss, ...] = ()
    else:
        D = sp.Matrix(measure.covariance)
        rest = D.extract(others, others)
        row = D.extract([k], others)
        slope = row * (rest.inv() if len(others) > 1 else sp.Matrix([[1 / rest[0, 0]]]))
        value = (slope * row.T)[0, 0]
        line = measure.means[k] + sum((slope[0, j] * (measure.variables[i] - measure.means[i]) for j, i in enumerate(others)), sp.S.Zero)
        kept = (Gauss([measure.variables[i] for i in others], [measure.means[i] for i in others], rest),)
    measures = tuple(m for m in node.measures if m is not measure)
    change = {gauge: value, field: line}
    exponent = node.exponent.xreplace(change)
    if isinstance(node, LogAverage):
        return LogAverage(exponent, kept + measures)
    return Tilted(node.body.xreplace(change), exponent, kept + measures, normalised=node.normalised)
