"""Numbers for decisions: expressions evaluated with numpy at points drawn from the symbols' domains."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
            done[e] = compute(e)
        return done[e]

    def compute(e: sp.Basic) -> Array:
        if e in (sp.true, sp.false):
            return np.asarray(bool(e))
        if e.is_number:
            return np.asarray(float(e))
        args = [visit(a) for a in e.args] if not isinstance(e, sp.Piecewise) else []
        if e.is_Add:
            return sum(args[1:], args[0])
        if e.is_Mul:
            return np.prod(np.broadcast_arrays(*args), axis=0)
        if e.is_Pow:
            return np.power(*args)
        if isinstance(e, sp.Max | sp.Min):
            return (np.maximum if isinstance(e, sp.Max) else np.minimum).reduce(np.broadcast_arrays(*args))
        if isinstance(e, sp.core.relational.Relational):
            return np.asarray({"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[e.rel_op](*args))
        if isinstance(e, sp.And | sp.Or):
            return (np.logical_and if isinstance(e, sp.And) else np.logical_or).reduce(np.broadcast_arrays(*args))
        if isinstance(e, sp.Piecewise):
            result = np.asarray(np.nan)
            for value, condition in reversed(e.args):
                result = np.where(visit(condition), visit(value), result)
            return result
        if type(e) in FUNCTIONS:
            return FUNCTIONS[type(e)](*args)
        raise RewriteError(f"no numbers for {type(e).__name__} in {e}; a loss or density is made of elementary functions")

    with np.errstate(all="ignore"):
        return np.asarray(visit(expr))
