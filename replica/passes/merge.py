"""Averages under one and the same tilt become one average, so that what nearly cancels is subtracted node by node."""

from __future__ import annotations

import sympy as sp

from replica.nodes import Measure, Tilted
from replica.passes.walk import bottom_up


def merged(expression: sp.Expr) -> sp.Expr:
    """Sums of averages with equal tilt and measures as one; coefficients of products cancelled."""
    return bottom_up(expression, _visit)


def _visit(e: sp.Basic) -> sp.Basic:
    if not e.is_Add:
        return e
    groups: dict[tuple, list[sp.Expr]] = {}
    rest: list[sp.Expr] = []
    for term in e.args:
        coefficient, node = term.as_independent(Tilted, as_Add=False)
        if isinstance(node, Tilted):
            groups.setdefault(node.args[1:], []).append(coefficient * node.body)
        else:
            rest.append(term)
    if all(len(bodies) == 1 for bodies in groups.values()):
        return e
    return sp.Add(*rest, *(Tilted(sp.Add(*bodies), key[0], key[2:], key[1] == sp.true) for key, bodies in groups.items()))


def centered(body: sp.Expr) -> sp.Expr:
    """<X^2> - <X>^2 as <(X - <X>)^2>, which keeps its digits where X hardly varies."""
    terms = list(sp.Add.make_args(body))
    for square in list(terms):
        coefficient, rest = square.as_coeff_Mul()
        if not (rest.is_Pow and rest.exp == 2 and isinstance(rest.base, Tilted)):
            continue
        mean = rest.base
        second = -coefficient * Tilted(mean.body**2, mean.exponent, mean.measures, mean.normalised)
        if second in terms:
            terms.remove(square)
            terms.remove(second)
            terms.append(-coefficient * Tilted((mean.body - mean) ** 2, mean.exponent, mean.measures, mean.normalised))
    return sp.Add(*terms)


def normal(expression: sp.Expr) -> sp.Expr:
    """Bodies factored over the averages and leaves that they hold, rational coefficients cancelled: x (x - 1) / (x - 1) is x."""

    def visit(e: sp.Basic) -> sp.Basic:
        if isinstance(e, Tilted) and e.body.is_Add:
            return Tilted(factored_over(e.body), e.exponent, e.measures, e.normalised)
        if e.is_Mul and e.atoms(Tilted) and not isinstance(e, Measure):
            coefficient, node = e.as_independent(Tilted, as_Add=False)
            return sp.factor(coefficient) * node
        return e

    return bottom_up(expression, visit)


def factored_over(body: sp.Expr) -> sp.Expr:
    """`body` factored as a polynomial in its non-rational parts."""
    atoms: dict[sp.Basic, sp.Symbol] = {}

    def opaque(e: sp.Basic) -> sp.Basic:
        if e.is_Add or e.is_Mul or e.is_Pow and e.exp.is_Integer:
            return e.func(*(opaque(a) for a in e.args))
        return e if e.is_Atom else atoms.setdefault(e, sp.Dummy())

    return sp.factor(opaque(body)).xreplace({v: k for k, v in atoms.items()})
