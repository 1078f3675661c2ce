"""The solution of a theory with one step of replica symmetry breaking less, in the unknowns of one with a step more."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import sympy as sp

from numerics.outcome import any_step
from numerics.problem import Problem
from numerics.solution import Solution
from numerics.status import Status
from replica.theory import Start

CLOSED = "levels become one: this is the solution with one step of replica symmetry breaking less"


def refined(problem: Problem, start: Start, point: Mapping[str, float], coarse: Solution) -> np.ndarray:
    """Unknowns of a start that is given in those of the coarser theory."""
    values = _values(problem, start, point, coarse)
    return np.array([values[u.symbol] for u in problem.theory.system.unknowns])


def closed(problem: Problem, point: Mapping[str, float], coarse: Solution) -> Solution | None:
    """The coarser theory's solution as one of this theory, at the end of its domain, where complexity vanishes.

    None where that does not have all of this theory's observables.
    """
    theory, start = problem.theory, problem.theory.system.merged
    assert start is not None
    observed = {name: 0.0 for name in theory.observables if name.startswith("complexity")} | dict(coarse.observables)
    if not theory.observables.keys() <= observed.keys():
        return None
    values = _values(problem, start, point, coarse)
    numbers = {**point, **{symbol.name: value for symbol, value in values.items()}}

    def named(expressions: Mapping[str, sp.Expr]) -> dict[str, float]:
        return {name: _number(e, numbers) for name, e in expressions.items()}

    return dataclasses.replace(
        coarse,
        at=dict(point),
        status=Status.AT_END,
        order_parameters=named(theory.order_parameters),
        conjugates=named(theory.conjugates),
        observables={name: observed[name] for name in theory.observables},
        unknowns={u.name: values[u.symbol] for u in theory.system.unknowns},
        start=start.name,
        note=CLOSED + any_step(problem),
    )


def _values(problem: Problem, start: Start, point: Mapping[str, float], coarse: Solution) -> dict[sp.Symbol, float]:
    numbers = {**point, **{name: float(value) for name, value in coarse.unknowns.items()}}
    return {symbol: _number(e, numbers) for symbol, e in start.values.items()}


def _number(e: sp.Expr, numbers: Mapping[str, float]) -> float:
    whole = sp.sympify(e, strict=True)
    return float(sp.N(whole.xreplace({s: sp.Float(numbers[str(s)]) for s in whole.free_symbols})))
