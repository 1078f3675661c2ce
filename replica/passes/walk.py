"""Rebuilding expressions from the leaves up."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp


def bottom_up(expression: sp.Basic, visit: Callable[[sp.Basic], sp.Basic]) -> sp.Basic:
    """Apply `visit` to every node after its arguments; untouched subtrees are shared, each distinct one is visited once."""
    seen: dict[sp.Basic, sp.Basic] = {}

    def walk(node):
        if node not in seen:
            args = tuple(walk(a) for a in node.args)
            changed = any(a is not b for a, b in zip(args, node.args, strict=True))
            new = node.func(*args) if changed else node
            # a product that collapsed into one of its visited factors must not be visited again
            seen[node] = visit(new) if type(new) is type(node) else new
        return seen[node]

    return walk(expression)
