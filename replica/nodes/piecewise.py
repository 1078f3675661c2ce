"""Where an expression is not smooth in one variable, and what it is between those points.

Knows Abs, Max, Min, Heaviside, sign and Piecewise with switches linear in the variable.
"""

from __future__ import annotations

import sympy as sp


class Undecided(ValueError):
    """A switch is not linear in the variable, or its order among the others depends on parameters."""


def switches(expression: sp.Expr, v: sp.Symbol) -> set[sp.Expr]:
    """Expressions of v whose sign selects a branch."""
    found: set[sp.Expr] = set()
    for node in sp.preorder_traversal(expression):
        if isinstance(node, (sp.Abs, sp.Heaviside, sp.sign)):
            found.add(node.args[0])
        elif isinstance(node, (sp.Max, sp.Min)):
            args = node.args
            found |= {a - b for i, a in enumerate(args) for b in args[i + 1 :]}
        elif isinstance(node, sp.core.relational.Relational):
            found.add(node.lhs - node.rhs)
    return {s for s in found if v in s.free_symbols}


def root(switch: sp.Expr, v: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """(root, slope) of a switch linear in v."""
    slope = sp.expand(switch).coeff(v, 1)
    rest = sp.expand(switch - slope * v)
    if slope == 0 or v in rest.free_symbols or v in slope.free_symbols:
        raise Undecided(f"the switch at {switch} is not linear in {v}")
    return -rest / slope, slope


def compare(a: sp.Expr, b: sp.Expr) -> int:
    """-1, 0 or 1 as a < b, a = b, a > b; Undecided when parameters decide."""
    if a == b:
        return 0
    difference = sp.expand(a - b)
    if difference.is_zero:
        return 0
    if difference.is_extended_positive:
        return 1
    if difference.is_extended_negative:
        return -1
    raise Undecided(f"whether {a} lies below {b} depends on the parameters")


def branch(expression: sp.Expr, v: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    """The expression on (lower, upper): every switch that keeps its sign there is decided, others are left."""

    def sign(switch) -> int:
        """1 or -1 where the switch keeps its sign, 0 where it changes it or cannot be read yet."""
        if v not in switch.free_symbols:
            return 1 if switch.is_positive else -1 if switch.is_negative else 0
        if switches(switch, v):
            return 0
        r, slope = root(switch, v)
        if slope.is_positive is None:
            raise Undecided(f"the sign of {slope} is not known")
        rising = 1 if slope.is_positive else -1
        if compare(r, lower) <= 0:
            return rising
        return -rising if compare(r, upper) >= 0 else 0

    def decided(condition):
        """A relation as true or false where its sign is known; equality never happens inside an open interval."""
        if isinstance(condition, (sp.And, sp.Or, sp.Not)):
            return condition.func(*(decided(c) for c in condition.args))
        if not isinstance(condition, sp.core.relational.Relational):
            return condition
        left, right = visit(condition.lhs), visit(condition.rhs)
        found = sign(left - right)
        if found == 0:
            return condition.func(left, right)
        above = isinstance(condition, (sp.StrictGreaterThan, sp.GreaterThan))
        return sp.true if (found > 0) == above else sp.false

    def visit(node):
        if not node.args or v not in node.free_symbols:
            return node
        if isinstance(node, sp.Piecewise):
            return sp.Piecewise(*((visit(value), decided(condition)) for value, condition in node.args))
        args = [visit(a) for a in node.args]
        if isinstance(node, (sp.Abs, sp.Heaviside, sp.sign)):
            found = sign(args[0])
            if found == 0:
                return node.func(*args)
            if isinstance(node, sp.Abs):
                return found * args[0]
            return sp.Integer(found) if isinstance(node, sp.sign) else sp.Integer(max(found, 0))
        if isinstance(node, (sp.Max, sp.Min)):
            wanted = 1 if isinstance(node, sp.Max) else -1
            kept = [a for a in args if not any(sign(b - a) == wanted for b in args if b is not a)]
            return kept[0] if len(kept) == 1 else node.func(*kept)
        return node.func(*args)

    return visit(expression)


def pieces(expression: sp.Expr, v: sp.Symbol, lower=-sp.oo, upper=sp.oo) -> list[tuple[sp.Expr, sp.Expr, sp.Expr]]:
    """(lower, upper, smooth expression) on each interval between break points, in increasing order.

    A switch that holds another one, as in abs(v) < kappa, becomes linear once the inner one is decided.
    """
    found = switches(expression, v)
    if not found:
        return [(lower, upper, expression)]
    linear = [s for s in found if not switches(s, v)]
    if not linear:
        raise Undecided(f"the switches {found} hold one another")
    cut = root(min(linear, key=sp.default_sort_key), v)[0]
    inside = compare(cut, lower) > 0 and compare(cut, upper) < 0
    ranges = [(lower, cut), (cut, upper)] if inside else [(lower, upper)]
    parts = []
    for a, b in ranges:
        parts += pieces(branch(expression, v, a, b), v, a, b)
    return parts
