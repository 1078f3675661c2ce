"""Names of kernel text in mpmath: any precision, every constant exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath

Number = Any


def table(context: mpmath.MPContext) -> dict[str, Callable]:
    """Meaning of the names in kernel text, at the precision of `context`."""
    m = context

    def half_erfc(x: Number) -> Number:
        return m.erfc(x / m.sqrt(2)) / 2

    def log_tail(x: Number) -> Number:
        return m.log(half_erfc(x)) if x > 0 else m.log1p(-half_erfc(-x))

    def hazard(x: Number) -> Number:
        return m.npdf(x) / half_erfc(x)

    def gap(x: Number) -> Number:
        with m.extraprec(max(0, 2 * m.mag(x)) + 10 if x > 1 else 10):
            return hazard(x) - x

    def softplus(x: Number) -> Number:
        return max(x, m.zero) + m.log1p(m.exp(-abs(x)))

    functions: dict[str, Callable] = {
        "exp": m.exp,
        "log": m.log,
        "log1p": m.log1p,
        "sqrt": m.sqrt,
        "abs": m.fabs,
        "sin": m.sin,
        "cos": m.cos,
        "tan": m.tan,
        "acos": m.acos,
        "asin": m.asin,
        "atan": m.atan,
        "tanh": m.tanh,
        "cosh": m.cosh,
        "sinh": m.sinh,
        "erf": m.erf,
        "erfc": m.erfc,
        "lgamma": m.loggamma,
        "digamma": m.digamma,
        "pow": m.power,
        "steady": lambda x: x,
        "sign": m.sign,
        "logh": log_tail,
        "hazard": hazard,
        "gap": gap,
        "tailp": half_erfc,
        "softplus": softplus,
        "sigmoid": lambda x: 1 / (1 + m.exp(-x)),
        "log2cosh": lambda x: softplus(2 * abs(x)) - abs(x),
        "tail": lambda x: m.exp(x * x / 2) * half_erfc(x),
        "gap_": lambda x, _: gap(x),
        "logh_": lambda x, *_: log_tail(x),
        "tanh_": lambda x, _: m.tanh(x),
        "erf_": lambda x, _: m.erf(x),
    }
    shared: dict[str, Callable] = {
        "view": lambda array, first, last: list(array[first:last]),
        "sel": _select,
        "imax": max,
        "okey": lambda x: x,
        "unkey": lambda x: x,
        "keymin": lambda: m.ninf,
        "rational": lambda p, q: m.mpf(p) / q,
        "named": lambda name: {"pi": +m.pi, "e": +m.e, "euler_gamma": +m.euler, "inf": m.inf}[name],
    }
    return {**{f"f_{k}": v for k, v in functions.items()}, **{f"c_{k}": v for k, v in functions.items()}, "c_sel": _select, **shared}


def _select(condition: bool, yes: Number, no: Number) -> Number:
    return yes if condition else no


def context(digits: int) -> mpmath.MPContext:
    """A context of its own: the precision of other users of mpmath is not touched."""
    own = mpmath.MPContext()
    own.dps = digits
    return own


def constants(lines: tuple[str, ...], digits: int, convert: Callable[[Number], Number]) -> dict[str, Number]:
    """Values of exact constants, in the order of their lines."""
    names = table(context(digits))
    space: dict[str, Any] = dict(names)
    exec("\n".join(lines), space)  # our own text: see numerics.graph.printer.Constants
    return {line.split(" = ", 1)[0]: convert(space[line.split(" = ", 1)[0]]) for line in lines}


def namespace(digits: int) -> tuple[Mapping[str, Any], Callable[[Any], Number]]:
    """Names for kernel text, and the conversion of numbers and decimal strings."""
    own = context(digits)
    return table(own), own.mpf
