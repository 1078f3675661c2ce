"""Walking expressions that hold averages: substitution, polynomial coefficients.

SymPy's own `xreplace` rebuilds nodes from their arguments and visits shared parts again and again; these walks know
the constructors of the nodes and visit every distinct part once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp
from sympy.functions.elementary.piecewise import ExprCondPair

from numerics.reads import AVERAGES, PROXIMAL, free
from replica.nodes import LogAverage, Measure, Tilted

Build = Callable[[sp.Basic, tuple[sp.Basic, ...]], sp.Basic]


def rebuild(expr: sp.Basic, args: tuple[sp.Basic, ...]) -> sp.Basic:
    """`expr` with other arguments, through the constructor that its class really has."""
    if isinstance(expr, Tilted):
        body, exponent, normalised, *measures = args
        return Tilted(body, exponent, tuple(measures), normalised == sp.true)
    if isinstance(expr, LogAverage):
        return LogAverage(args[0], tuple(args[1:]))
    if isinstance(expr, sp.Max | sp.Min | sp.Piecewise) and not all(a.is_number for a in args):
        return expr.func(*args, evaluate=False)  # SymPy would look for connections between the arguments: tenths of a second
    return expr.func(*args)


def raw(expr: sp.Basic, args: tuple[sp.Basic, ...]) -> sp.Basic:
    """`expr` with other arguments, nothing evaluated: for writing out long scalars, over which SymPy would think for seconds."""
    if isinstance(expr, ExprCondPair):
        return sp.Tuple.__new__(ExprCondPair, *args)
    if isinstance(expr, sp.Piecewise):
        return sp.Basic.__new__(sp.Piecewise, *args)
    if isinstance(expr, sp.Max | sp.Min):  # SymPy would sort the arguments, counting every node of shared parts again and again
        found = sp.Basic.__new__(type(expr), *args)
        found._argset = frozenset(args)
        return found
    if isinstance(expr, sp.Add | sp.Mul | sp.Pow | sp.Function | sp.core.relational.Relational):
        return expr.func(*args, evaluate=False)
    return rebuild(expr, args)


def transform(
    expr: sp.Basic, visit: Callable[[sp.Basic], sp.Basic | None], done: dict[sp.Basic, sp.Basic] | None = None, build: Build = rebuild
) -> sp.Basic:
    """Rebuild `expr` from the top: where `visit` returns an expression it stands, elsewhere the arguments are visited."""
    done = {} if done is None else done
    if expr in done:
        return done[expr]
    new = visit(expr)
    if new is None:
        new = expr
        if expr.args:
            args = tuple(transform(a, visit, done, build) for a in expr.args)
            if any(a is not b for a, b in zip(args, expr.args, strict=True)):
                new = build(expr, args)
    done[expr] = new
    return new


def substitute(expr: sp.Basic, mapping: Mapping[sp.Basic, sp.Basic]) -> sp.Basic:
    """Replace whole parts of `expr`, larger parts first; a variable that an average or a proximal node binds is another one inside it."""

    def visit(e: sp.Basic) -> sp.Basic | None:
        if e in mapping:
            return mapping[e]
        bound = set(e.bound) if isinstance(e, AVERAGES) else {e.u} if isinstance(e, PROXIMAL) else set()
        hidden = {v: v.as_dummy() for v in bound if v in mapping}
        return substitute(_renamed(e, hidden), mapping) if hidden else None

    return transform(expr, visit) if mapping else expr


def _renamed(e: sp.Basic, names: Mapping[sp.Basic, sp.Basic]) -> sp.Basic:
    """A node with other names for variables that it binds; what a measure is made of may read an outer variable of the same name."""
    if isinstance(e, PROXIMAL):
        return e.func(substitute(e.loss, names), names[e.u], e.chi, e.h)
    args = []
    for a in e.args:
        if isinstance(a, Measure):
            others = {k: v for k, v in names.items() if k not in a.variables}
            args.append(a.func(transform(a.args[0], names.get), *(substitute(parameter, others) for parameter in a.args[1:])))
        else:
            args.append(substitute(a, names))
    return rebuild(e, tuple(args))


def parts(expr: sp.Basic, bound: frozenset[sp.Symbol] = frozenset()) -> list[tuple[sp.Basic, frozenset[sp.Symbol]]]:
    """Every distinct part of `expr` with the variables bound around it, arguments before what holds them."""
    seen: dict[tuple[sp.Basic, frozenset[sp.Symbol]], None] = {}

    def visit(part: sp.Basic, around: frozenset[sp.Symbol]) -> None:
        if (part, around) in seen:
            return
        inside = around
        if isinstance(part, AVERAGES):
            inside = around | frozenset(part.bound)
        elif isinstance(part, PROXIMAL):
            inside = around | {part.u}
        elif isinstance(part, Measure):
            inside = around | frozenset(part.variables)
        for a in part.args:
            visit(a, inside)
        seen[part, around] = None

    visit(expr, bound)
    return list(seen)


def inner_variables(contents: tuple[sp.Basic, ...]) -> frozenset[sp.Symbol]:
    """Variables of the measures among `contents`: integrated further inside."""
    return frozenset(v for c in contents if isinstance(c, Measure) for v in c.variables)


def coefficients(expr: sp.Expr, x: sp.Symbol, degree: int) -> list[sp.Expr] | None:
    """Coefficients of `expr` as a polynomial in `x`, lowest first, or None if it is none of that degree."""
    if x not in free(expr):
        return [expr]
    if expr == x:
        return [sp.S.Zero, sp.S.One] if degree >= 1 else None
    if expr.is_Add:
        total = [sp.S.Zero] * (degree + 1)
        for term in expr.args:
            some = coefficients(term, x, degree)
            if some is None:
                return None
            for power, value in enumerate(some):
                total[power] += value
        return _trim(total)
    factors: list[sp.Expr] = []
    if expr.is_Mul:
        factors = list(expr.args)
    elif expr.is_Pow and expr.exp.is_Integer and 0 < int(expr.exp) <= degree:
        factors = [expr.base] * int(expr.exp)
    if not factors:
        return None
    product = [sp.S.One]
    for factor in factors:
        some = coefficients(factor, x, degree)
        if some is None or len(some) + len(product) - 2 > degree:
            return None
        raised = [sp.S.Zero] * (len(some) + len(product) - 1)
        for i, a in enumerate(product):
            for j, b in enumerate(some):
                raised[i + j] += a * b
        product = raised
    return _trim(product)


def _trim(values: list[sp.Expr]) -> list[sp.Expr]:
    while len(values) > 1 and values[-1] == 0:
        values = values[:-1]
    return values
