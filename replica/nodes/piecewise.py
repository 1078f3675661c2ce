"""Where an expression is not smooth in one variable, and what it is between those points.

Knows Abs, Max, Min, Heaviside, sign and Piecewise with switches linear in the variable.
"""

from __future__ import annotations

from functools import cmp_to_key

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


def breakpoints(expression: sp.Expr, v: sp.Symbol) -> list[sp.Expr]:
    """Roots of all switches in increasing order."""
    roots: list[sp.Expr] = []
    for s in switches(expression, v):
        r = root(s, v)[0]
        if all(compare(r, other) != 0 for other in roots):
            roots.append(r)
    return sorted(roots, key=cmp_to_key(compare))


def branch(expression: sp.Expr, v: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    """The smooth expression that holds on (lower, upper), which contains no break point."""

    def positive(switch) -> bool:
        if v not in switch.free_symbols:
            return bool(switch.is_positive)
        r, slope = root(switch, v)
        rising = slope.is_positive
        if rising is None:
            raise Undecided(f"the sign of {slope} is not known")
        if compare(r, lower) <= 0:
            return bool(rising)
        if compare(r, upper) >= 0:
            return not rising
        raise Undecided(f"{r} lies inside ({lower}, {upper})")

    def visit(node):
        if not node.args or v not in node.free_symbols:
            return node
        if isinstance(node, sp.Abs):
            inner = visit(node.args[0])
            return inner if positive(node.args[0]) else -inner
        if isinstance(node, sp.Heaviside):
            return sp.S.One if positive(node.args[0]) else sp.S.Zero
        if isinstance(node, sp.sign):
            return sp.S.One if positive(node.args[0]) else sp.S.NegativeOne
        if isinstance(node, (sp.Max, sp.Min)):
            best = node.args[0]
            for other in node.args[1:]:
                larger = other if positive(other - best) else best
                best = larger if isinstance(node, sp.Max) else (best if larger is other else other)
            return visit(best)
        if isinstance(node, sp.Piecewise):
            for value, condition in node.args:
                if condition == sp.true or _holds(condition, positive):
                    return visit(value)
            return sp.S.Zero
        return node.func(*(visit(a) for a in node.args))

    return visit(expression)


def _holds(condition, positive) -> bool:
    """Truth of a relation inside an open interval, where equality never happens."""
    if isinstance(condition, sp.And):
        return all(_holds(c, positive) for c in condition.args)
    if isinstance(condition, sp.Or):
        return any(_holds(c, positive) for c in condition.args)
    if condition in (sp.true, sp.false):
        return condition == sp.true
    above = positive(condition.lhs - condition.rhs)
    return above if isinstance(condition, (sp.StrictGreaterThan, sp.GreaterThan)) else not above


def pieces(expression: sp.Expr, v: sp.Symbol, lower=-sp.oo, upper=sp.oo) -> list[tuple[sp.Expr, sp.Expr, sp.Expr]]:
    """(lower, upper, smooth expression) on each interval between break points."""
    inner = [b for b in breakpoints(expression, v) if compare(b, lower) > 0 and compare(b, upper) < 0]
    ends = [lower, *inner, upper]
    return [(a, b, branch(expression, v, a, b)) for a, b in zip(ends, ends[1:], strict=False)]
