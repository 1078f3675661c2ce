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
    seen: set[sp.Basic] = set()

    def visit(e: sp.Basic) -> None:
        if e in seen:
            return
        seen.add(e)
        if isinstance(e, TURNING):
            inside = e.args[0].free_symbols & set(free)
            if len(inside) == 1:
                (t,) = inside
                slope = e.args[0].diff(t)
                if t not in slope.free_symbols and slope != 0 and not slope.atoms(*REDUCTIONS):
                    place = sp.S.Zero - e.args[0].xreplace({t: sp.S.Zero}) / slope
                    if not place.atoms(*REDUCTIONS) and not place.atoms(sp.Dummy):
                        found.setdefault(Feature(t, place, 1 / sp.Abs(slope)), free[t])
        for a in e.args:
            visit(a)

    for expression in expressions:
        visit(expression)
    return tuple(sorted(found, key=lambda f: found[f]))
