"""Names of kernel text in SciPy's double-precision functions: an independent check of the compiled ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special


def _log_sigmoid_parts(x: float) -> float:
    return float(np.logaddexp(0.0, x))


def namespace(digits: int) -> tuple[Mapping[str, Any], Callable[[Any], float]]:
    """Names for kernel text, and the conversion of numbers and decimal strings.  `digits` may not exceed 16."""
    if digits > 16:
        raise ValueError(f"numpy has 16 digits, not {digits}; use mpmath or flint")
    functions: dict[str, Callable] = {
        "exp": np.exp,
        "log": np.log,
        "log1p": np.log1p,
        "sqrt": np.sqrt,
        "abs": abs,
        "sin": np.sin,
        "cos": np.cos,
        "tan": np.tan,
        "acos": np.arccos,
        "asin": np.arcsin,
        "atan": np.arctan,
        "tanh": np.tanh,
        "cosh": np.cosh,
        "sinh": np.sinh,
        "erf": special.erf,
        "erfc": special.erfc,
        "lgamma": special.gammaln,
        "digamma": special.digamma,
        "pow": np.power,
        "steady": lambda x: x,
        "sign": np.sign,
        "logh": lambda x: special.log_ndtr(-x),
        "hazard": lambda x: math.sqrt(2 / math.pi) / special.erfcx(x / math.sqrt(2)),
        "gap": _gap,
        "tailp": lambda x: special.ndtr(-x),
        "softplus": _log_sigmoid_parts,
        "sigmoid": special.expit,
        "log2cosh": lambda x: np.logaddexp(x, -x),
        "tail": lambda x: special.erfcx(x / math.sqrt(2)) / 2,
        "gap_": lambda x, _: _gap(x),
        "logh_": lambda x, *_: special.log_ndtr(-x),
        "tanh_": lambda x, _: np.tanh(x),
        "erf_": lambda x, _: special.erf(x),
    }
    shared = {
        "view": lambda array, first, last: np.array(array[first:last]),
        "sel": lambda condition, yes, no: yes if condition else no,
        "imax": max,
        "okey": lambda x: x,
        "unkey": lambda x: x,
        "keymin": lambda: -math.inf,
        "rational": lambda p, q: p / q,
        "named": lambda name: {"pi": math.pi, "e": math.e, "euler_gamma": float(np.euler_gamma), "inf": math.inf}[name],
    }
    return {
        **{f"f_{k}": v for k, v in functions.items()},
        **{f"c_{k}": v for k, v in functions.items()},
        "c_sel": shared["sel"],
        **shared,
    }, float


def _gap(x: float) -> float:
    hazard = math.sqrt(2 / math.pi) / special.erfcx(x / math.sqrt(2))
    return float(hazard - x if x < 30 else (1 - 2 / x**2 + 10 / x**4 - 74 / x**6) / x)
