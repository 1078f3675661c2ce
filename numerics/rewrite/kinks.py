"""Where an integrand is not smooth in one variable, and which branch holds on either side.

`segments` cuts a range at every switch of Abs, Max, Min, sign, Heaviside and Piecewise whose argument is a polynomial of degree one
or two in the variable, and replaces each switch by the branch that holds.  Where the order of two cuts depends on parameters, the
later one is clipped to its range, so that some segments are empty at run time and the result is right for every order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from numerics.reads import AVERAGES, PROXIMAL, free
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.facts import Facts
from numerics.rewrite.walk import coefficients, inner_variables, parts, rebuild, transform
from replica.nodes import Measure

SWITCHES = (sp.Abs, sp.Max, sp.Min, sp.sign, sp.Heaviside, sp.Piecewise)
ODD = (sp.tanh, sp.sinh, sp.atan, sp.asinh, sp.erf)


@dataclass(frozen=True)
class Segment:
    """A range of the variable, ends possibly infinite, and the contents as they read there."""

    lower: sp.Expr
    upper: sp.Expr
    contents: tuple[sp.Basic, ...]


@dataclass(frozen=True)
class _Switch:
    """The function that switches, its argument g, whose sign is what decides, and g's coefficients in the variable."""

    argument: sp.Expr
    coefficients: tuple[sp.Expr, ...]


def segments(
    contents: tuple[sp.Basic, ...], x: sp.Symbol, facts: Facts, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo
) -> Iterator[Segment]:
    """Cut [lower, upper] into ranges where `contents` are smooth in `x`, in increasing order."""
    switch = _first_switch(contents, x)
    if switch is None:
        yield Segment(lower, upper, contents)
        return
    cuts, signs = _cuts(switch, facts)
    left = lower
    for cut, sign in zip([*cuts, sp.oo], signs, strict=True):
        if cut is not sp.oo and facts.at_least(left, cut):
            continue
        last = cut is sp.oo or facts.at_least(cut, upper)
        right = upper if last else _clip(cut, left, upper, facts)
        decided = tuple(_decide(c, x, switch.argument, sign) for c in contents)
        yield from segments(decided, x, facts, left, right)
        if last:
            return
        left = right


def _clip(cut: sp.Expr, lower: sp.Expr, upper: sp.Expr, facts: Facts) -> sp.Expr:
    if not facts.at_least(cut, lower):
        cut = sp.Max(cut, lower, evaluate=False)
    return cut if facts.at_least(upper, cut) else sp.Min(cut, upper, evaluate=False)


def _first_switch(contents: tuple[sp.Basic, ...], x: sp.Symbol) -> _Switch | None:
    inner = inner_variables(contents)
    for content in contents:
        if x not in free(content):
            continue
        for part, bound in parts(content, inner):
            if not isinstance(part, SWITCHES) or x in bound:
                continue
            for argument in _arguments(part):
                symbols = free(argument)
                if x in symbols and not symbols & bound:
                    return _reduce(argument, x, part)
    return None


def _arguments(part: sp.Basic) -> list[sp.Expr]:
    """Expressions whose sign decides the branch of a switch."""
    if isinstance(part, sp.Max | sp.Min):
        return [part.args[0] - other for other in part.args[1:]]
    if isinstance(part, sp.Piecewise):
        return [r.lhs - r.rhs for _, condition in part.args for r in _relations(condition)]
    return [part.args[0]]


def _relations(condition: sp.Basic) -> list[sp.Basic]:
    if isinstance(condition, sp.core.relational.Relational):
        return [condition]
    return [r for a in condition.args for r in _relations(a)]


def _reduce(argument: sp.Expr, x: sp.Symbol, part: sp.Basic) -> _Switch:
    """The simplest expression with the same sign: a factor of a product, the argument of an odd increasing function."""
    simple = argument
    while True:
        if isinstance(simple, ODD):
            simple = simple.args[0]
        elif simple.is_Mul:
            simple = next(f for f in simple.args if x in free(f))
        elif simple.is_Pow and simple.exp.is_number:
            simple = simple.base
        elif isinstance(simple, sp.log):
            simple = simple.args[0] - 1
        else:
            break
    found = coefficients(simple, x, 2)
    if found is None:
        raise RewriteError(
            f"cannot tell where {part} switches: its argument must be a polynomial of degree one or two in the variable of an average"
        )
    return _Switch(simple, tuple(found))


def _cuts(switch: _Switch, facts: Facts) -> tuple[list[sp.Expr], list[sp.Expr | int]]:
    """Roots of the argument in increasing order, and its sign below, between and above them (a number or an expression)."""
    if len(switch.coefficients) == 2:
        c0, c1 = switch.coefficients
        sign = facts.sign(c1)
        lead: sp.Expr | int = sp.sign(c1) if sign is None else sign
        return [-c0 / c1], [-lead, lead]
    c0, c1, c2 = switch.coefficients
    sign = facts.sign(c2)
    lead = sp.sign(c2) if sign is None else sign
    half = sp.sqrt(sp.Max(c1**2 - 4 * c0 * c2, 0)) / (2 * sp.Abs(c2))
    return [-c1 / (2 * c2) - half, -c1 / (2 * c2) + half], [lead, -lead, lead]


def _decide(content: sp.Basic, x: sp.Symbol, argument: sp.Expr, sign: sp.Expr | int) -> sp.Basic:
    """`content` where `argument` has the given sign."""

    def known(g: sp.Expr) -> sp.Expr | int | None:
        """Sign of a switch's argument, if it follows from the decided one."""
        if g == argument:
            return sign
        if g == -argument:
            return -sign
        if isinstance(g, ODD):
            return known(g.args[0])
        if isinstance(g, sp.log):
            return known(g.args[0] - 1)
        if g.is_Pow and g.exp.is_Integer:
            below = known(g.base)
            return None if below is None else below if int(g.exp) % 2 else 1
        if g.is_Mul:
            for i, factor in enumerate(g.args):
                some = known(factor) if x in free(factor) else None
                if some is not None:
                    return some * sp.sign(sp.Mul(*g.args[:i], *g.args[i + 1 :]))
        return None

    done: dict[sp.Basic, sp.Basic] = {}

    def visit(e: sp.Basic) -> sp.Basic | None:
        if not isinstance(e, SWITCHES) or not e.args:
            return e if not e.args or x not in free(e) and not isinstance(e, (*AVERAGES, *PROXIMAL, Measure)) else None
        args = tuple(transform(a, visit, done) for a in e.args)
        new = rebuild(e, args) if args != e.args else e
        return _resolve(new, known) if isinstance(new, SWITCHES) else new

    return transform(content, visit, done)


def _resolve(e, known):
    """A switch whose argument's sign is known, without the switch."""
    if isinstance(e, sp.Max | sp.Min):
        return _resolve_extremum(e, known)
    if isinstance(e, sp.Piecewise):
        return _resolve_piecewise(e, known)
    sign = known(e.args[0])
    if sign is None:
        return e
    if isinstance(e, sp.Abs):
        return sign * e.args[0]
    return sp.sympify(sign) if isinstance(e, sp.sign) else (1 + sp.sympify(sign)) / 2


def _resolve_extremum(e, known):
    args = list(e.args)
    i = 0
    while i < len(args):
        for j in range(i + 1, len(args)):
            sign = known(args[i] - args[j])
            if sign is None:
                continue
            first = sign if isinstance(e, sp.Max) else -sign
            winner = args[i] if first == 1 else args[j] if first == -1 else sp.Piecewise((args[i], first > 0), (args[j], True))
            args = [winner, *(a for k, a in enumerate(args) if k not in (i, j))]
            i = -1
            break
        i += 1
    return e.func(*args)


def _resolve_piecewise(e, known):
    branches = []
    for value, condition in e.args:
        told = _resolve_condition(condition, known)
        if told == sp.false:
            continue
        branches.append((value, told))
        if told == sp.true:
            break
    return sp.Piecewise(*branches)


def _resolve_condition(condition, known):
    if isinstance(condition, sp.core.relational.Relational):
        sign = known(condition.lhs - condition.rhs)
        if sign is None:
            return condition
        positive = condition.rel_op in (">", ">=")
        if sign in (1, -1):
            return sp.true if (sign == 1) == positive else sp.false
        return sign > 0 if positive else sign < 0
    if condition.args:
        return condition.func(*(_resolve_condition(a, known) for a in condition.args))
    return condition
