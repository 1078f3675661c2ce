"""Where integrands turn quickly: the zero of a tail's or a sigmoid's argument, and how far from it the argument is one.

A peak of width sqrt(1 - q) falls between the nodes of a panel without a trace; adaptation must be told where to look.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from numerics.program import Feature, LogSum, Loop, Rule, Sum, TiltSum
from replica.nodes import Hazard, Log2Cosh, LogH, Sigmoid, Softplus

TURNING = (LogH, Hazard, Log2Cosh, Sigmoid, Softplus, sp.tanh, sp.erf, sp.erfc)
REDUCTIONS = (Sum, LogSum, TiltSum)


def features(loops: Iterable[Loop], expressions: Iterable[sp.Expr]) -> tuple[Feature, ...]:
    """Features of the loops on the line at depth 0: turning functions whose argument is linear in the loop variable."""
    free = {loop.variable: number for number, loop in enumerate(loops) if loop.rule is Rule.LINE and not loop.inside}
    found: dict[Feature, int] = {}
    reads: dict[sp.Basic, frozenset[sp.Basic]] = {}  # the loops on the line that a part reads; long parts are shared, and seen once

    def visit(e: sp.Basic) -> frozenset[sp.Basic]:
        if e not in reads:
            here = frozenset({e} & free.keys()).union(*(visit(a) for a in e.args))
            reads[e] = here
            if isinstance(e, TURNING) and len(reads[e.args[0]]) == 1:
                (t,) = reads[e.args[0]]
                line = _line(e.args[0], t, reads)
                if line is not None and not any(c.atoms(*REDUCTIONS, sp.Dummy) for c in line):
                    found.setdefault(Feature(t, -line[0] / line[1], 1 / sp.Abs(line[1])), free[t])
        return reads[e]

    for expression in expressions:
        visit(expression)
    return tuple(sorted(found, key=lambda f: found[f]))


def _line(e: sp.Expr, t: sp.Basic, reads: dict[sp.Basic, frozenset[sp.Basic]]) -> tuple[sp.Expr, sp.Expr] | None:
    """(a, b) of an expression a + b t with b not zero, None where it is not written as one."""
    if e == t:
        return sp.S.Zero, sp.S.One
    reading = [a for a in e.args if t in reads[a]]
    if not (e.is_Add or e.is_Mul) or len(reading) > 1 and e.is_Mul:
        return None
    lines = []
    for a in reading:
        line = _line(a, t, reads)
        if line is None:
            return None
        lines.append(line)
    rest = e.func(*(a for a in e.args if t not in reads[a]))
    if e.is_Mul:
        a, b = lines[0]
        return a * rest, b * rest
    b = sp.Add(*(line[1] for line in lines))
    return (rest + sp.Add(*(line[0] for line in lines)), b) if b != 0 else None
