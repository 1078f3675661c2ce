"""Fields that do not move: coordinates of a normal law without variance become their means."""

from __future__ import annotations

import sympy as sp

from replica.nodes import Gauss, LogAverage, Tilted
from replica.passes.walk import bottom_up


def without_still_fields(expression: sp.Expr) -> sp.Expr:
    """Every average with its zero-variance coordinates replaced by their means."""
    return bottom_up(expression, _visit)


def _visit(e: sp.Basic) -> sp.Basic:
    if not isinstance(e, (Tilted, LogAverage)):
        return e
    change: dict[sp.Basic, sp.Expr] = {}
    measures: list = []
    for m in e.measures:
        if not isinstance(m, Gauss):
            measures.append(m)
            continue
        moving = [i for i in range(len(m.variables)) if any(c != 0 for c in m.covariance.row(i))]
        change |= {m.variables[i]: m.means[i] for i in range(len(m.variables)) if i not in moving}
        if moving:
            kept = sp.Matrix(m.covariance).extract(moving, moving)
            measures.append(Gauss([m.variables[i] for i in moving], [m.means[i] for i in moving], kept))
    if not change:
        return e
    exponent, measures = e.exponent.xreplace(change), [m.xreplace(change) for m in measures]
    if isinstance(e, LogAverage):
        return LogAverage(exponent, measures) if measures else exponent
    body = e.body.xreplace(change)
    return Tilted(body, exponent, measures, e.normalised) if measures else body
