"""Rebuilding expressions from the leaves up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy as sp
from sympy.core.relational import Relational


def rebuilt(e: sp.Basic, args: Sequence[sp.Basic]) -> sp.Basic:
    """`e` with other arguments; Max and Min do not compare them while they hold a symbol: SymPy takes longer for that than for the rest."""
    if all(a is b for a, b in zip(args, e.args, strict=True)):
        return e
    stays = isinstance(e, (sp.Max, sp.Min)) and any(a.free_symbols for a in args)
    return e.func(*args, evaluate=False) if stays else e.func(*args)


def replaced(expression: sp.Basic, change: Mapping[sp.Basic, sp.Basic], relations: bool = True) -> sp.Basic:
    """`expression` with parts replaced.

    Args:
        relations: whether relations are decided anew.
    """
    seen = dict(change)

    def walk(e: sp.Basic) -> sp.Basic:
        if e not in seen:
            args = [walk(a) for a in e.args]
            changed = any(a is not b for a, b in zip(args, e.args, strict=True))
            seen[e] = e.func(*args, evaluate=False) if changed and isinstance(e, Relational) and not relations else rebuilt(e, args)
        return seen[e]

    return walk(expression)


def bottom_up(expression: sp.Basic, visit: Callable[[sp.Basic], sp.Basic]) -> sp.Basic:
    """Apply `visit` to every node after its arguments; untouched subtrees are shared, each distinct one is visited once."""
    seen: dict[sp.Basic, sp.Basic] = {}

    def walk(node):
        if node not in seen:
            new = rebuilt(node, [walk(a) for a in node.args])
            # a product that collapsed into one of its visited factors must not be visited again
            seen[node] = visit(new) if type(new) is type(node) else new
        return seen[node]

    return walk(expression)
