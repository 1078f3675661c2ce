"""Numbers for decisions: expressions evaluated with numpy at points drawn from the symbols' domains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy import special

from numerics.program import Steady
from numerics.rewrite.errors import RewriteError
from replica.nodes import Hazard, Log2Cosh, LogH, Sigmoid, Softplus

Array = NDArray[np.float64]


def _softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def _hazard(x: Array) -> Array:
    return np.exp(-(x**2) / 2 - special.log_ndtr(-x)) / np.sqrt(2 * np.pi)


FUNCTIONS: dict[type, Callable[..., Array]] = {
    LogH: lambda x: special.log_ndtr(-x), Hazard: _hazard, Softplus: _softplus, Sigmoid: special.expit,
    Log2Cosh: lambda x: np.logaddexp(x, -x), sp.exp: np.exp, sp.log: np.log, sp.tanh: np.tanh, sp.sin: np.sin, sp.cos: np.cos,
    sp.tan: np.tan, sp.sinh: np.sinh, sp.cosh: np.cosh, sp.atan: np.arctan, sp.asin: np.arcsin, sp.acos: np.arccos,
    sp.asinh: np.arcsinh, sp.erf: special.erf, sp.erfc: special.erfc, sp.loggamma: special.gammaln, sp.gamma: special.gamma,
    sp.factorial: lambda x: special.gamma(x + 1), sp.Abs: np.abs, sp.sign: np.sign,
    sp.Heaviside: lambda x, _half=0.5: np.heaviside(x, 0.5), Steady: lambda x: x,
}


def evaluate(expr: sp.Basic, values: Mapping[sp.Basic, Array]) -> Array:
    """Double-precision values of an expression without averages; parts found in `values` are taken from there.

    Raises:
        RewriteError: a function without a numerical rule.
    """
    done: dict[sp.Basic, Array] = {}

    def visit(e: sp.Basic) -> Array:
        if e in values:
            return values[e]
        if e not in done:
            done[e] = _rule(e)(*map(visit, _arguments(e)))
        return done[e]

    with np.errstate(all="ignore"):
        return np.asarray(visit(expr))


def along(expr: sp.Basic, variable: sp.Symbol, values: Mapping[sp.Basic, Array]) -> Callable[[Array], Array]:
    """`evaluate` as a function of one symbol, for many calls: the other parts are looked up, and what needs only them computed, once."""
    slots: dict[sp.Basic, int] = {variable: 0}
    held: list[Array] = [np.empty(0)]  # one for each slot: what does not move, places for the rest
    steps: list[tuple[int, Callable[..., Array], tuple[int, ...]]] = []

    def visit(e: sp.Basic) -> int:
        if e not in slots:
            if e in values or variable not in e.free_symbols:
                slots[e] = len(held)
                held.append(evaluate(e, values))
            else:
                inputs = tuple(map(visit, _arguments(e)))
                slots[e] = len(held)
                held.append(np.empty(0))
                steps.append((slots[e], _rule(e), inputs))
        return slots[e]

    result = visit(expr)

    def function(w: Array) -> Array:
        found = [w, *held[1:]]
        with np.errstate(all="ignore"):
            for slot, rule, inputs in steps:
                found[slot] = rule(*[found[i] for i in inputs])
        return np.asarray(found[result])

    return function


def _arguments(e: sp.Basic) -> tuple[sp.Basic, ...]:
    """What the rule of a node is given: its arguments; of a Piecewise, values and conditions in turn; of a number, nothing."""
    if e.is_number:
        return ()
    return tuple(part for pair in e.args for part in pair.args) if isinstance(e, sp.Piecewise) else e.args


def _rule(e: sp.Basic) -> Callable[..., Array]:
    """How the value of a node follows from those of its arguments."""
    if e in (sp.true, sp.false) or e.is_number:
        number = np.asarray(bool(e) if e in (sp.true, sp.false) else float(e))
        return lambda: number
    if e.is_Add:
        return _folded(np.add)
    if e.is_Mul:
        return _folded(np.multiply)
    if e.is_Pow:
        return np.power
    if isinstance(e, sp.Max | sp.Min):
        return _folded(np.maximum if isinstance(e, sp.Max) else np.minimum)
    if isinstance(e, sp.core.relational.Relational):
        return {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[e.rel_op]
    if isinstance(e, sp.And | sp.Or):
        return _folded(np.logical_and if isinstance(e, sp.And) else np.logical_or)
    if isinstance(e, sp.Piecewise):
        return _chosen
    if type(e) in FUNCTIONS:
        return FUNCTIONS[type(e)]
    raise RewriteError(f"no numbers for {type(e).__name__} in {e}; a loss or density is made of elementary functions")


def _folded(two: Callable[..., Array]) -> Callable[..., Array]:
    """A rule of two numbers as one of any number of them, from the left."""
    return lambda *args: reduce(two, args)


def _chosen(*parts: Array) -> Array:
    """The value of a Piecewise: the first whose condition holds."""
    result = np.asarray(np.nan)
    for value, condition in zip(parts[-2::-2], parts[::-2], strict=True):
        result = np.where(condition, value, result)
    return result
