"""Names of kernel text in Arb (python-flint, optional): about ten times faster than mpmath.

Balls cover rounding only.  Midpoints are taken where a maximum shifts exponents; python-flint keeps one precision for the
process, which is set when the names are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def namespace(digits: int) -> tuple[Mapping[str, Any], Callable[[Any], Any]]:
    """Names for kernel text, and the conversion of numbers and decimal strings.

    Raises:
        ImportError: python-flint is not installed.
    """
    import flint

    arb = flint.arb
    flint.ctx.dps = digits

    root, norm = arb(2).sqrt(), (2 * arb.pi()).sqrt()
    last: list[Any] = [None, None]  # kernel text asks for several functions of one tail in a row, and tails are what takes time

    def half_erfc(x: Any) -> Any:
        key = x.mid().man_exp()
        if key != last[0]:
            last[:] = key, (x / root).erfc() / 2
        return last[1]

    def log_tail(x: Any) -> Any:
        return half_erfc(x).log() if x > -1 else (-half_erfc(-x)).log1p()

    def hazard(x: Any) -> Any:
        return (-x * x / 2).exp() / norm / half_erfc(x)

    def softplus(x: Any) -> Any:
        return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()

    def raised(x: Any, y: Any) -> Any:
        return arb(x) ** y

    functions: dict[str, Callable] = {
        "abs": abs,
        "logh": log_tail,
        "hazard": hazard,
        "gap": lambda x: hazard(x) - x,
        "tailp": half_erfc,
        "softplus": softplus,
        "sigmoid": lambda x: 1 / (1 + (-x).exp()),
        "log2cosh": lambda x: softplus(2 * abs(x)) - abs(x),
        "pow": raised,
        "steady": lambda x: x,
        "sign": lambda x: arb(int(x > 0) - int(x < 0)),
    }
    for name in (
        "exp",
        "log",
        "log1p",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "acos",
        "asin",
        "atan",
        "tanh",
        "cosh",
        "sinh",
        "erf",
        "erfc",
        "lgamma",
        "digamma",
    ):
        functions[name] = lambda x, method=name: getattr(arb(x), method)()
    shared = {
        "view": lambda array, first, last: list(array[first:last]),
        "sel": lambda condition, yes, no: yes if condition else no,
        "imax": lambda a, b: b if a is None or b > a else a,
        "okey": lambda x: arb(x).mid(),
        "unkey": lambda x: x,
        "keymin": lambda: None,
        "rational": lambda p, q: arb(p) / q,
        "named": lambda name: {"pi": arb.pi, "e": arb.const_e, "euler_gamma": arb.const_euler, "inf": arb.pos_inf}[name](),
    }
    return {
        **{f"f_{k}": v for k, v in functions.items()},
        **{f"c_{k}": v for k, v in functions.items()},
        "c_sel": shared["sel"],
        **shared,
    }, _number(arb)


def _number(arb: Any) -> Callable[[Any], Any]:
    def number(value: Any) -> Any:
        if isinstance(value, arb | int | float | str):
            return arb(value)
        return arb(str(value))

    return number
