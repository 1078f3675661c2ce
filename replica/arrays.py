"""SymPy expressions at NumPy arrays, node by node: for samplers, which need numbers and no speed.

No text is generated and nothing is compiled, so a symbol's name never matters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any

import numpy as np
import sympy as sp

from replica.nodes import Hazard, Log2Cosh, LogH, Sigmoid, Softplus

_erfc = np.vectorize(math.erfc, otypes=[float])
_exact_erf = np.vectorize(math.erf, otypes=[float])
_FAR, _STEP, _MANY = 6.5, 2.0**-10, 4096  # erf: 1 - erf(6.5) < 4e-20; a step of the table; arrays from this size on use it


@cache
def _erf_table() -> tuple[np.ndarray, np.ndarray]:
    grid = np.arange(-_FAR, _FAR + 2 * _STEP, _STEP)
    return _exact_erf(grid), 2 / math.sqrt(math.pi) * np.exp(-(grid**2)) * _STEP


def _erf(x: np.ndarray) -> np.ndarray:
    """erf, of large arrays by cubic interpolation between exact values and slopes, to 3e-14."""
    x = np.asarray(x, float)
    if x.size < _MANY:
        return _exact_erf(x)
    values, slopes = _erf_table()
    place = (np.clip(x, -_FAR, _FAR) + _FAR) / _STEP
    cell = np.nan_to_num(place).astype(int)
    t = place - cell
    a, b = values[cell], values[cell + 1]
    return a + t * (
        slopes[cell] + t * (3 * (b - a) - 2 * slopes[cell] - slopes[cell + 1] + t * (2 * (a - b) + slopes[cell] + slopes[cell + 1]))
    )


def log_tail(x: np.ndarray) -> np.ndarray:
    """log H(x); beyond x = 25 by its asymptotic series, whose first dropped term is below 1e-9 there."""
    x = np.asarray(x, float)
    far = x > 25
    u = 1 / np.square(np.where(far, x, 25.0))
    tail = -np.square(x) / 2 - np.log(np.where(far, x, 1.0) * math.sqrt(2 * math.pi)) + np.log1p(-u * (1 - u * (3 - u * (15 - 105 * u))))
    return np.where(far, tail, np.log(_erfc(np.where(far, 0.0, x) / math.sqrt(2)) / 2))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -np.asarray(x, float)))


_FUNCTIONS: dict[type, Callable[..., Any]] = {
    sp.exp: np.exp,
    sp.log: np.log,
    sp.Abs: np.abs,
    sp.sign: np.sign,
    sp.erf: _erf,
    sp.erfc: _erfc,
    sp.tanh: np.tanh,
    sp.cosh: np.cosh,
    sp.sinh: np.sinh,
    sp.sin: np.sin,
    sp.cos: np.cos,
    sp.atan: np.arctan,
    sp.loggamma: np.vectorize(math.lgamma, otypes=[float]),
    sp.Heaviside: lambda x, half: np.heaviside(x, half),
    LogH: log_tail,
    Hazard: lambda x: np.exp(-np.square(x) / 2 - log_tail(x)) / math.sqrt(2 * math.pi),
    Softplus: _softplus,
    Sigmoid: _sigmoid,
    Log2Cosh: lambda x: np.logaddexp(x, -np.asarray(x, float)),
    sp.Pow: lambda a, b: np.power(np.asarray(a, float), b),
    sp.Add: lambda *a: reduce(np.add, a),
    sp.Mul: lambda *a: reduce(np.multiply, a),
    sp.Max: lambda *a: reduce(np.maximum, a),
    sp.Min: lambda *a: reduce(np.minimum, a),
    sp.And: lambda *a: reduce(np.logical_and, a),
    sp.Or: lambda *a: reduce(np.logical_or, a),
    sp.StrictLessThan: np.less,
    sp.LessThan: np.less_equal,
    sp.StrictGreaterThan: np.greater,
    sp.GreaterThan: np.greater_equal,
    sp.Equality: np.equal,
    sp.Unequality: np.not_equal,
}


def evaluate(expr: sp.Basic, at: Mapping[sp.Symbol, Any]) -> np.ndarray:
    """The value of `expr` with arrays for its symbols; shapes broadcast as in NumPy.

    Raises:
        ValueError: if a symbol has no value, or a function is not known here.
    """
    shape = np.broadcast_shapes(*(np.shape(value) for value in at.values()))
    with np.errstate(all="ignore"):  # branches of where() that are not taken may overflow
        return np.broadcast_to(np.asarray(_walk(expr, at), float), shape).copy()


def _walk(expr: sp.Basic, at: Mapping[sp.Symbol, Any]) -> Any:
    if expr in at:
        return at[expr]
    if expr in (sp.true, sp.false):
        return bool(expr)
    if isinstance(expr, sp.Expr) and (expr.is_Number or expr.is_NumberSymbol):
        return float(expr)
    if isinstance(expr, sp.Piecewise):
        branches = [(_walk(value, at), _walk(condition, at)) for value, condition in expr.args]
        chosen: Any = np.nan
        for value, condition in reversed(branches):
            chosen = np.where(condition, value, chosen)
        return chosen
    rule = _FUNCTIONS.get(type(expr)) or _FUNCTIONS.get(expr.func)
    if rule is None:
        raise ValueError(f"{expr} has no value here" if expr.is_Symbol else f"the function {type(expr).__name__} cannot be drawn from")
    return rule(*(_walk(argument, at) for argument in expr.args))
