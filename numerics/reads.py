"""What an expression reads: free symbols, found without walking over shared parts again and again as SymPy does."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from numerics.program import LogSum, Root, Sum, TiltSum
from replica.nodes import LogAverage, Measure, Moreau, Prox, ProxSlope, Tilted

PROXIMAL = (Prox, ProxSlope, Moreau)
AVERAGES = (LogAverage, Tilted)
REDUCTIONS = (Sum, LogSum, TiltSum)


@lru_cache(maxsize=2**18)
def free(expr: sp.Basic) -> frozenset[sp.Symbol]:
    """Free symbols; bound variables of averages, measures and proximal points are not among them.  Shared parts are visited once."""
    if not expr.args:
        return frozenset(expr.free_symbols)
    inside: frozenset[sp.Symbol] = frozenset().union(*(free(a) for a in expr.args))
    own = type(expr).free_symbols is sp.Basic.free_symbols
    return inside if own else inside - bound(expr)


def bound(expr: sp.Basic) -> frozenset[sp.Symbol]:
    """What a node binds; bound variables are dummies, so no other part of an expression means them."""
    if isinstance(expr, Measure):
        return frozenset(expr.variables)
    if isinstance(expr, AVERAGES):
        return frozenset(expr.bound)
    if isinstance(expr, PROXIMAL):
        return frozenset((expr.u,))
    if isinstance(expr, Root):
        return frozenset(expr.args[2])
    return frozenset((expr.variable,)) if isinstance(expr, REDUCTIONS) else frozenset()
