"""Controls that are solved for: a capacity is the alpha at which the entropy vanishes.

Such a control becomes one more unknown, and the condition one more equation of the same system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from replica.families.model import Underivable
from replica.symbols import Domain, OrderParameter
from replica.theory import Start, Theory


def with_solved(theory: Theory, conditions: Mapping[str, tuple[str, float]]) -> Theory:
    """The theory with every control of `conditions` (name -> observable, value) among its unknowns."""
    for name, (observable, value) in conditions.items():
        theory = _solve_for(theory, name, observable, value)
    return theory


def _solve_for(theory: Theory, name: str, observable: str, value: float) -> Theory:
    quantities = {**theory.order_parameters, **theory.observables}
    if observable not in quantities:
        raise Underivable(f"controls.{name}.solve: this theory has no observable '{observable}' (has: {' '.join(quantities)})")
    control = next(c for c in theory.controls if c.name == name)
    domain = Domain(control.domain.lower, control.domain.upper)  # open: the solver never steps on its ends
    unknown = OrderParameter(control.symbol, f"{control.meaning or name}, where {observable} = {value:g}", domain)
    excess = quantities[observable] - sp.Float(value, 30) if value else quantities[observable]
    system, begin, kept = theory.system, {control.symbol: sp.Float(control.value)}, {control.symbol: control.symbol}
    return replace(
        theory,
        controls=tuple(c for c in theory.controls if c is not control),
        system=replace(
            system,
            unknowns=(*system.unknowns, unknown),
            equations=(*system.equations, control.symbol + excess),
            starts=tuple(begun(s, begin) for s in system.starts),
            refined=tuple(begun(s, kept) for s in system.refined),
            merged=None if system.merged is None else begun(system.merged, kept),
            solved=(*system.solved, control),
        ),
        order_parameters={**theory.order_parameters, name: control.symbol},
    )


def begun(start: Start, values: Mapping[sp.Symbol, sp.Expr]) -> Start:
    """A start of the theory with more unknowns, which begin at `values`."""
    begin = dict(values)
    easy = tuple({c: v.xreplace(begin) for c, v in way.items()} for way in start.easy)
    return replace(start, values={u: v.xreplace(begin) for u, v in start.values.items()} | begin, easy=easy)
