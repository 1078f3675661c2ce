"""Proximal points in closed form where the loss is one quadratic."""

from __future__ import annotations

import sympy as sp

from replica.nodes import Moreau, Peak, Prox, ProxSlope
from replica.nodes.joint import Joint
from replica.nodes.piecewise import switches
from replica.passes.separate import closed_joint
from replica.passes.walk import bottom_up


def closed_prox(expression: sp.Expr) -> sp.Expr:
    """Prox, ProxSlope and Moreau of a loss c0 + c1 u + c2 u^2/2, and joint ones of such losses, become rational functions."""

    def visit(e):
        if isinstance(e, Peak):
            return _peak(e)
        if isinstance(e, Joint):
            return closed_joint(e)
        if not isinstance(e, (Prox, ProxSlope, Moreau)) or not _is_quadratic(e):
            return e
        loss = sp.expand(e.loss)
        c0, c1, c2 = loss.coeff(e.u, 0), loss.coeff(e.u, 1), 2 * loss.coeff(e.u, 2)
        slope = 1 / (1 + e.chi * c2)
        point = (e.h - e.chi * c1) * slope
        if isinstance(e, ProxSlope):
            return slope
        if isinstance(e, Prox):
            return point
        return c0 + (c1 * e.h + c2 * e.h**2 / 2 - e.chi * c1**2 / 2) * slope

    return bottom_up(expression, visit)


def _is_quadratic(e) -> bool:
    return not switches(e.loss, e.u) and e.loss.is_polynomial(e.u) and sp.degree(e.loss, e.u) <= 2


def _peak(e: Peak) -> sp.Expr:
    if not _is_quadratic(e):
        return e.envelope()
    loss = sp.expand(e.loss)
    c0, c1, c2 = loss.coeff(e.u, 0), loss.coeff(e.u, 1), 2 * loss.coeff(e.u, 2)
    return (e.h - c1) ** 2 / (2 * (e.V + c2)) - c0
