"""SymPy expressions as array programs: a list of operations walked over NumPy or torch arrays; no text is generated or run.

Only the functions of the spec language and the nodes of replica.nodes are known; anything else is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import sympy as sp
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from replica.nodes import Softplus

Array = Any  # numpy.ndarray or torch.Tensor


class Tape:
    """`outputs` as functions of `arguments`, evaluated together.

    Args:
        outputs: expressions; a derivative of a step may contain DiracDelta, which counts as 0 (almost everywhere).
        arguments: symbols, in the order of the arrays given at call time.
        operations: name -> array function, from `numpy_operations()` or `torch_operations()`.

    Raises:
        ValueError: a symbol that is no argument, or a function that is not known.
    """

    def __init__(self, outputs: Sequence[sp.Expr], arguments: Sequence[sp.Symbol], operations: Mapping[str, Callable]) -> None:
        self._operations = operations
        self._slots: dict[sp.Basic, int] = {symbol: i for i, symbol in enumerate(arguments)}
        self._program: list[tuple[Callable, tuple[int, ...]]] = []
        self._arguments = len(arguments)
        self._outputs = tuple(self._slot(almost_everywhere(sp.sympify(e))) for e in outputs)

    def __call__(self, *arrays: Array) -> tuple[Array, ...]:
        """Values of the outputs, each of the common shape of the arrays."""
        values = list(arrays)
        for function, slots in self._program:
            values.append(function(*(values[s] for s in slots)))
        zero = reduce(lambda a, b: a + b, (0.0 * a for a in arrays))
        return tuple(values[s] if getattr(values[s], "shape", ()) == zero.shape else zero + values[s] for s in self._outputs)

    def _slot(self, e: sp.Basic) -> int:
        if e not in self._slots:
            function, parts = self._operation(e)
            slots = tuple(self._slot(part) for part in parts)
            self._program.append((function, slots))
            self._slots[e] = self._arguments + len(self._program) - 1
        return self._slots[e]

    def _operation(self, e: sp.Basic) -> tuple[Callable, tuple[sp.Basic, ...]]:
        name = type(e).__name__
        if isinstance(e, (BooleanTrue, BooleanFalse)):
            truth = bool(e)
            return (lambda: truth), ()
        if isinstance(e, sp.Symbol):
            raise ValueError(f"the expression depends on {e.name!r}, which is not one of the given arrays")
        if isinstance(e, sp.Expr) and e.is_number and not e.has(sp.Function):
            number = float(e)
            return (lambda: number), ()
        if isinstance(e, sp.Pow):
            return self._power(e)
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e)
        if name in self._operations:
            function = self._operations[name]
            if len(e.args) > 2:  # sums, products, extremes and logic of many parts, pairwise
                return (lambda *xs: reduce(function, xs)), e.args
            return function, e.args
        raise ValueError(f"{name!r} cannot be evaluated on arrays (known: {', '.join(sorted(self._operations))})")

    def _power(self, e: sp.Pow) -> tuple[Callable, tuple[sp.Basic, ...]]:
        base, exponent = e.args
        if base is sp.E:
            return self._operations["exp"], (exponent,)
        if exponent == 2:
            return (lambda x: x * x), (base,)
        if exponent == sp.Rational(1, 2):
            return self._operations["sqrt"], (base,)
        if exponent == -1:
            return (lambda x: 1.0 / x), (base,)
        if exponent.is_number:
            power = float(exponent)
            return (lambda x: x**power), (base,)
        return (lambda x, p: x**p), (base, exponent)

    def _piecewise(self, e: sp.Piecewise) -> tuple[Callable, tuple[sp.Basic, ...]]:
        where = self._operations["where"]
        parts = tuple(part for pair in e.args for part in pair)

        def choose(*values):
            result = values[-2] if values[-1] is True else where(values[-1], values[-2], float("nan"))
            for value, condition in zip(values[-4::-2], values[-3::-2], strict=True):
                result = value if condition is True else where(condition, value, result)
            return result

        return choose, parts


def almost_everywhere(e: sp.Expr) -> sp.Expr:
    """`e` with the point masses of differentiated steps removed."""
    return e.replace(sp.DiracDelta, lambda *_: sp.S.Zero) if e.has(sp.DiracDelta) else e


def stable(e: sp.Expr) -> sp.Expr:
    """`e` with log(1 + exp(x)) written as a node that neither overflows nor loses its derivative."""
    wild = sp.Wild("x")
    return e.replace(sp.log(1 + sp.exp(wild)), Softplus(wild))


def numpy_operations() -> dict[str, Callable]:
    """The operations on NumPy arrays."""
    import numpy as np
    from scipy import special

    def softplus(x):
        return np.logaddexp(0.0, x)

    return _operations(
        np, np.where, np.sign, softplus, special.expit, special.log_ndtr, special.erfcx, special.erf, special.erfc, special.gammaln,
        np.arctan, np.abs,
    )


def torch_operations() -> dict[str, Callable]:
    """The operations on torch tensors; the import of torch happens here."""
    import torch

    def wide(x):  # two bare numbers would otherwise meet in single precision
        return x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64)

    def lift(function):
        return lambda x: function(wide(x))

    class Lifted:
        exp, log, sqrt, tanh, cosh, sinh, sin, cos = (
            staticmethod(lift(getattr(torch, name))) for name in ("exp", "log", "sqrt", "tanh", "cosh", "sinh", "sin", "cos")
        )
        log1p = staticmethod(lift(torch.log1p))

    def softplus(x):
        return torch.clamp(x, min=0) + torch.log1p(torch.exp(-torch.abs(x)))

    return _operations(
        Lifted, lambda c, a, b: torch.where(c, wide(a), wide(b)), lift(torch.sign), lift(softplus), lift(torch.sigmoid),
        lift(torch.special.log_ndtr), lift(torch.special.erfcx), lift(torch.erf), lift(torch.erfc), lift(torch.lgamma), lift(torch.atan),
        lift(torch.abs),
    )


def _operations(np, where, sign, softplus, sigmoid, log_ndtr, erfcx, erf, erfc, gammaln, arctan, absolute) -> dict[str, Callable]:
    known: dict[str, Callable] = {name: getattr(np, name) for name in ("exp", "log", "sqrt", "tanh", "cosh", "sinh", "sin", "cos")}
    known |= {
        "Add": lambda a, b: a + b,
        "Mul": lambda a, b: a * b,
        "And": lambda a, b: a & b,
        "Or": lambda a, b: a | b,
        "Not": lambda a: ~a,
        "Max": lambda a, b: where(a > b, a, b),
        "Min": lambda a, b: where(a < b, a, b),
        "StrictLessThan": lambda a, b: a < b,
        "LessThan": lambda a, b: a <= b,
        "StrictGreaterThan": lambda a, b: a > b,
        "GreaterThan": lambda a, b: a >= b,
        "Equality": lambda a, b: a == b,
        "Unequality": lambda a, b: a != b,
        "Heaviside": lambda x, at_zero=0.5: where(x > 0, 1.0, where(x < 0, 0.0, at_zero)),
        "Abs": absolute,
        "sign": sign,
        "erf": erf,
        "erfc": erfc,
        "atan": arctan,
        "loggamma": gammaln,
        "factorial": lambda x: np.exp(gammaln(x + 1)),
        "gamma": lambda x: np.exp(gammaln(x)),
        "LogH": lambda x: log_ndtr(-x),
        "Hazard": lambda x: 0.7978845608028654 / erfcx(0.7071067811865476 * x),
        "Softplus": softplus,
        "Sigmoid": sigmoid,
        "Log2Cosh": lambda x: absolute(x) + np.log1p(np.exp(-2.0 * absolute(x))),
        "where": where,
    }
    return known
