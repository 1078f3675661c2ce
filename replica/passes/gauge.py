"""Minimal gauge: a species that stands once on its node carries no field of its own.

Its overlap with itself at the node is no order parameter, so any value will do.  With the smallest one that keeps the
covariance positive its field is a linear function of the others (the teacher given the student: m h/q), its leaf takes
the remaining variance, and one integral is gone.
"""

from __future__ import annotations

import sympy as sp

from replica.nodes import Gauss, LogAverage, Measure, Tilted
from replica.passes.walk import bottom_up
from replica.tree import Leaf


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
    above = measure.covariance[k, k].xreplace({gauge: sp.S.Zero})  # minus the parent's overlap: covariances are increments
    change = {gauge: value - above, field: line}
    exponent = node.exponent.xreplace(change)
    if isinstance(node, LogAverage):
        return LogAverage(exponent, kept + measures)
    return Tilted(node.body.xreplace(change), exponent, kept + measures, normalised=node.normalised)


def sourced(expression: sp.Expr, field: sp.Symbol, gauge: sp.Symbol, species: str, weight: tuple[sp.Symbol, Measure]) -> sp.Expr:
    """The weight of a species that stands once, integrated explicitly: its field goes, and it shifts the fields of the others.

    With no field of its own (increment zero) the leaf exp(A w^2/2 + h w) reads h from the parent, and the coordinate of another
    species with cross increment D moves by D w.
    """
    w, law = weight

    def visit(node):
        if not isinstance(node, (Tilted, LogAverage)):
            return node
        for measure in node.measures:
            if isinstance(measure, Gauss) and field in measure.variables:
                return opened(node, measure)
        return node

    def opened(node, measure: Gauss):
        k = measure.variables.index(field)
        others = [i for i in range(len(measure.variables)) if i != k]
        above = -measure.covariance[k, k].xreplace({gauge: sp.S.Zero})
        shifted = [measure.means[i] + measure.covariance[k, i] * w for i in others]
        kept = Gauss([measure.variables[i] for i in others], shifted, sp.Matrix(measure.covariance).extract(others, others))
        measures = tuple(m for m in node.measures if m is not measure) + ((kept, law) if others else (law,))

        def leaf(e):
            if not isinstance(e, Leaf) or e.species != species or e.h != field:
                return e
            if e.order == 0:
                return e.A.xreplace({gauge: above}) * w**2 / 2 + measure.means[k] * w
            return w**e.order

        exponent = bottom_up(node.exponent, leaf)
        if isinstance(node, LogAverage):
            return LogAverage(exponent, measures)
        return Tilted(bottom_up(node.body, leaf), exponent, measures, normalised=node.normalised)

    return bottom_up(expression, visit)
