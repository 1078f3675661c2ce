"""Averages over a proximal map that jumps: of a loss that is the lower of two parabolas the envelope is again the lower of two."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.nodes import Gauss, LogAverage, Moreau, Prox, ProxSlope, Tilted
from replica.nodes.piecewise import Undecided, pieces

PROXIMAL = (Prox, ProxSlope, Moreau)


@dataclass(frozen=True)
class Jump:
    """A proximal map in a field v that is linear below and above `cut`, with one slope.

    Args:
        points, envelopes: below and above the cut.
    """

    cut: sp.Expr
    slope: sp.Expr
    points: tuple[sp.Expr, sp.Expr]
    envelopes: tuple[sp.Expr, sp.Expr]


def opened(e: LogAverage | Tilted) -> sp.Expr:
    """An average over one Gaussian field of exponentials of such envelopes, with every proximal node written out.

    The jump gives the slope a delta function, whose average is a density.
    """
    nodes = e.atoms(*PROXIMAL)
    if not nodes or len(e.measures) != 1 or not isinstance(e.measures[0], Gauss) or len(e.measures[0].variables) != 1:
        return e
    (v,) = e.measures[0].variables
    found = {node: jump(node, v) for node in nodes}
    slopes = sorted((n for n in nodes if isinstance(n, ProxSlope)), key=sp.default_sort_key)
    if None in found.values() or (slopes and (isinstance(e, LogAverage) or e.exponent.has(ProxSlope))):
        return e
    plain = {node: _written(node, v, one) for node, one in found.items() if one is not None}
    exponent = e.exponent.xreplace(plain)
    if isinstance(e, LogAverage):
        return LogAverage(exponent, e.measures)
    names = {node: sp.Dummy("s", real=True) for node in slopes}
    body = sp.expand_mul(e.body.xreplace(names).xreplace(plain))
    weights = [body.diff(name) for name in names.values()]
    if any(w.free_symbols & {v, *names.values()} for w in weights):
        return e  # the square of a delta function has no average
    total = Tilted(e.body.xreplace(plain), exponent, e.measures, normalised=e.normalised)
    mean, variance = e.measures[0].means[0], e.measures[0].covariance[0, 0]
    for node, weight in zip(slopes, weights, strict=True):
        one = found[node]
        assert one is not None
        at = {v: one.cut}
        log_density = exponent.xreplace(at) - (one.cut - mean) ** 2 / (2 * variance) - sp.log(2 * sp.pi * variance) / 2
        if not e.normalised:
            log_density -= LogAverage(exponent, e.measures)
        total += weight * (one.points[1] - one.points[0]).xreplace(at) * sp.exp(log_density)
    return total


def jump(node: sp.Expr, v: sp.Symbol) -> Jump | None:
    """The map of a proximal node in the field v, if its loss is the lower of two parabolas that differ by a straight line."""
    if node.h != v or v in node.loss.free_symbols or v in node.chi.free_symbols:
        return None
    try:
        parts = pieces(node.loss, node.u)
    except Undecided:
        return None
    if len(parts) != 2 or not all(part.is_polynomial(node.u) and sp.degree(part, node.u) <= 2 for _, _, part in parts):
        return None
    (_, kink, low), (_, _, high) = parts
    below, above = ([sp.expand(p).coeff(node.u, k) for k in range(3)] for p in (low, high))
    step = sp.factor(above[1] - below[1])
    meet = sp.expand(above[0] - below[0] + step * kink) == 0
    if not meet or sp.expand(above[2] - below[2]) != 0 or not step.is_nonpositive or not below[2].is_nonnegative:
        return None
    curvature = 2 * below[2]
    slope = 1 / (1 + node.chi * curvature)
    cut = node.chi * (below[1] + above[1]) / 2 + kink * (1 + node.chi * curvature)
    sides = (below, above)
    return Jump(
        sp.expand(cut),
        slope,
        tuple((v - node.chi * c1) * slope for _, c1, _ in sides),
        tuple(c0 + (c1 * v + curvature * v**2 / 2 - node.chi * c1**2 / 2) * slope for c0, c1, _ in sides),
    )


def _side(node: sp.Expr, one: Jump, side: int) -> sp.Expr:
    if isinstance(node, ProxSlope):
        return one.slope
    return (one.envelopes if isinstance(node, Moreau) else one.points)[side]


def _written(node: sp.Expr, v: sp.Symbol, one: Jump) -> sp.Expr:
    low, high = (_side(node, one, side) for side in (0, 1))
    return low if low == high else sp.Piecewise((low, v < one.cut), (high, True))
