"""The functions that a formula may call: each builds SymPy from its arguments and knows its value at numbers.

Forms that overflow or cancel as written are replaced by the nodes that do not: log(1 + exp(x)), log(H(x)), 1/(1 + exp(-x)), log(2*cosh(x)).
Functions that ask which of two is larger decide that for numbers as floats and leave it open for symbols: SymPy would try to prove it,
which takes seconds for a formula of a line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from replica.nodes import Log2Cosh, LogH, Sigmoid, Softplus


@dataclass(frozen=True)
class Function:
    """How a listed function is built, its value at numbers (may raise ArithmeticError or ValueError), and how many arguments it takes."""

    build: Callable[..., sp.Expr]
    number: Callable[..., float]
    fewest: int = 1
    most: int = 1


def log(x: sp.Expr) -> sp.Expr:
    """log x, term by term where every factor of x is known to be positive."""
    logs = [_known(factor) for factor in sp.Mul.make_args(x)]
    if all(term is not None for term in logs):
        return sp.Add(*logs)
    return sp.log(x)


def divide(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """a/b, with exp(x)/(1 + exp(x)) and 1/(1 + exp(x)) as sigmoids."""
    exponent = _one_plus_exp(b)
    if exponent is None:
        return a / b
    return Sigmoid(exponent) if a == sp.exp(exponent) else a * Sigmoid(-exponent)


def _one_plus_exp(x: sp.Expr) -> sp.Expr | None:
    """t where x = 1 + exp(t)."""
    rest = x - 1
    return rest.exp if isinstance(rest, sp.exp) else None


def _known(x: sp.Expr) -> sp.Expr | None:
    """log x for the positive forms that are written often, else None."""
    if x.is_Number:
        return sp.log(x) if x.is_positive else None
    if isinstance(x, sp.exp):
        return x.exp
    if isinstance(x, sp.cosh):
        return Log2Cosh(x.args[0]) - sp.log(2)
    if isinstance(x, sp.erfc):
        return LogH(sp.sqrt(2) * x.args[0]) + sp.log(2)
    if isinstance(x, Sigmoid):
        return -Softplus(-x.args[0])
    if x.is_Pow and x.exp.is_Rational:
        inside = _known(x.base)
        return None if inside is None else x.exp * inside
    return _known_sum(x) if x.is_Add else None


def _known_sum(x: sp.Expr) -> sp.Expr | None:
    exponent = _one_plus_exp(x)
    if exponent is not None:
        return Softplus(exponent)
    missing = 1 - x
    if isinstance(missing, Sigmoid):
        return -Softplus(missing.args[0])
    if isinstance(missing, sp.exp) and isinstance(missing.exp, LogH):
        return LogH(-missing.exp.args[0])
    if len(x.args) == 2 and all(isinstance(a, sp.exp) for a in x.args) and x.args[0].exp == -x.args[1].exp:
        return Log2Cosh(x.args[0].exp)
    return None


def _sign_of(x: sp.Expr) -> int | None:
    """-1, 0 or 1 for a number, None for an expression."""
    if not x.is_number:
        return None
    value = float(x)
    return (value > 0) - (value < 0)


def absolute(x: sp.Expr) -> sp.Expr:
    known = _sign_of(x)
    return sp.Abs(x) if known is None else -x if known < 0 else x


def sign(x: sp.Expr) -> sp.Expr:
    known = _sign_of(x)
    return sp.sign(x) if known is None else sp.Integer(known)


def step(x: sp.Expr) -> sp.Expr:
    """Heaviside with the value 1/2 at zero."""
    known = _sign_of(x)
    return sp.Heaviside(x, sp.Rational(1, 2)) if known is None else sp.Rational(1 + known, 2)


def largest(*given: sp.Expr) -> sp.Expr:
    return _extreme(sp.Max, max, given)


def smallest(*given: sp.Expr) -> sp.Expr:
    return _extreme(sp.Min, min, given)


def _extreme(node: type[sp.Expr], choose: Callable[..., sp.Expr], given: tuple[sp.Expr, ...]) -> sp.Expr:
    flat = [inner for x in given for inner in (x.args if isinstance(x, node) else (x,))]
    if any(x.is_extended_real is False for x in flat):
        raise ArithmeticError
    numbers, rest = [x for x in flat if x.is_number], [x for x in flat if not x.is_number]
    return node(*rest, *([choose(numbers, key=float)] if numbers else []), evaluate=False)


def where(condition: sp.Basic, yes: sp.Expr, no: sp.Expr) -> sp.Expr:
    """`yes` where the condition holds, else `no`."""
    if condition in (sp.true, sp.false):
        return yes if condition == sp.true else no
    return yes if yes == no else sp.Piecewise((yes, condition), (no, True), evaluate=False)


def compare(relation: type[sp.Basic], left: sp.Expr, right: sp.Expr) -> sp.Basic:
    """left < right and the like, decided where the difference is a number."""
    if left.is_extended_real is False or right.is_extended_real is False:
        raise ArithmeticError
    difference = sp.S.Zero if left == right else left - right
    if difference.is_number:
        return sp.true if relation(sp.Float(float(difference)), 0) else sp.false
    return relation(left, right, evaluate=False)


def _tail(x: float) -> float:
    return math.erfc(x / math.sqrt(2)) / 2


FUNCTIONS: dict[str, Function] = {
    "exp": Function(sp.exp, math.exp),
    "log": Function(log, math.log),
    "log1p": Function(lambda x: log(1 + x), math.log1p),
    "sqrt": Function(sp.sqrt, math.sqrt),
    "abs": Function(absolute, abs),
    "sign": Function(sign, lambda x: float((x > 0) - (x < 0))),
    "max": Function(largest, max, 2, 8),
    "min": Function(smallest, min, 2, 8),
    "erf": Function(sp.erf, math.erf),
    "erfc": Function(sp.erfc, math.erfc),
    "tanh": Function(sp.tanh, math.tanh),
    "cosh": Function(sp.cosh, math.cosh),
    "sinh": Function(sp.sinh, math.sinh),
    "sin": Function(sp.sin, math.sin),
    "cos": Function(sp.cos, math.cos),
    "atan": Function(sp.atan, math.atan),
    "heaviside": Function(step, lambda x: 0.5 * ((x > 0) - (x < 0)) + 0.5),
    "relu": Function(lambda x: largest(sp.S.Zero, x), lambda x: max(0.0, x)),
    "sigmoid": Function(Sigmoid, lambda x: 1 / (1 + math.exp(-x)) if x > -700 else 0.0),
    "Phi": Function(lambda x: sp.exp(LogH(-x)), lambda x: _tail(-x)),
    "H": Function(lambda x: sp.exp(LogH(x)), _tail),
}
