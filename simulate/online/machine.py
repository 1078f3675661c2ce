"""Formulas as little programs for a register machine: numbers in arrays that a compiled loop walks, so that no text is generated or run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numba import njit
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from replica.nodes import Log2Cosh, LogH, Sigmoid, Softplus
from simulate.instance import Unsupported
from simulate.learn.tape import almost_everywhere, stable

(
    ADD, MUL, POWER, MAX, MIN, LESS, LESS_EQUAL, AND, OR, NOT, WHERE, EXP, LOG, SQRT, TANH, COSH, SINH, SIN, COS, ATAN, ERF, ERFC, ABS,
    SIGN, STEP, SOFTPLUS, SIGMOID, LOG2COSH, LOGH,
) = range(29)  # fmt: skip
_UNARY: dict[Any, int] = {
    sp.exp: EXP, sp.log: LOG, sp.tanh: TANH, sp.cosh: COSH, sp.sinh: SINH, sp.sin: SIN, sp.cos: COS, sp.atan: ATAN, sp.erf: ERF,
    sp.erfc: ERFC, sp.Abs: ABS, sp.sign: SIGN, sp.Heaviside: STEP, Softplus: SOFTPLUS, Sigmoid: SIGMOID, Log2Cosh: LOG2COSH, LogH: LOGH,
    sp.Not: NOT,
}  # fmt: skip
_PAIRWISE: dict[Any, int] = {sp.Add: ADD, sp.Mul: MUL, sp.Max: MAX, sp.Min: MIN, sp.And: AND, sp.Or: OR}


@dataclass(frozen=True)
class Program:
    """Rows (operation, a, b, c) of registers; arguments come first, then `constants`, then one register per row.

    Args:
        rows: (n, 4) integers; constants: numbers; arguments: how many; result: register of the value.
    """

    rows: np.ndarray
    constants: np.ndarray
    arguments: int
    result: int

    @property
    def packed(self) -> tuple[np.ndarray, np.ndarray, int, int]:
        return self.rows, self.constants, self.arguments, self.result


def program(expression: sp.Expr, arguments: Sequence[sp.Symbol]) -> Program:
    """The expression as a program of the arguments.

    Raises:
        Unsupported: a function that is not known, or a symbol that is no argument.
    """
    writer = _Writer(arguments)
    result = writer(almost_everywhere(stable(sp.sympify(expression, strict=True))))
    count, numbers = len(arguments), list(writer.constants.values())
    shift = [count + len(numbers) + n for n in range(len(writer.rows))]

    def place(reference: tuple[str, int]) -> int:
        kind, number = reference
        return number if kind == "argument" else count + number if kind == "constant" else shift[number]

    rows = np.array([[row[0], *(place(part) for part in row[1:]), *[0] * (4 - len(row))] for row in writer.rows], np.int64).reshape(-1, 4)
    return Program(rows, np.array(numbers, float), count, place(result))


class _Writer:
    def __init__(self, arguments: Sequence[sp.Symbol]) -> None:
        self.known: dict[sp.Basic, tuple[str, int]] = {symbol: ("argument", n) for n, symbol in enumerate(arguments)}
        self.constants: dict[tuple[str, int], float] = {}
        self.rows: list[tuple] = []

    def __call__(self, e: sp.Basic) -> tuple[str, int]:
        if e not in self.known:
            self.known[e] = self._write(e)
        return self.known[e]

    def _number(self, value: float) -> tuple[str, int]:
        reference = ("constant", len(self.constants))
        self.constants[reference] = value
        return reference

    def _row(self, *parts: Any) -> tuple[str, int]:
        self.rows.append(parts)
        return ("row", len(self.rows) - 1)

    def _write(self, e: sp.Basic) -> tuple[str, int]:
        if isinstance(e, BooleanTrue | BooleanFalse):
            return self._number(float(bool(e)))
        if isinstance(e, sp.Expr) and e.is_number:
            return self._number(float(e))
        if isinstance(e, sp.Pow):
            return self._row(SQRT, self(e.base)) if e.exp == sp.Rational(1, 2) else self._row(POWER, self(e.base), self(e.exp))
        if isinstance(e, sp.Piecewise):
            found = self(e.args[-1][0]) if e.args[-1][1] == sp.true else self._number(math.nan)
            for value, condition in reversed(e.args[: len(e.args) - (e.args[-1][1] == sp.true)]):
                found = self._row(WHERE, self(condition), self(value), found)
            return found
        if isinstance(e, sp.StrictLessThan | sp.LessThan | sp.StrictGreaterThan | sp.GreaterThan):
            low, high = (e.lhs, e.rhs) if isinstance(e, sp.StrictLessThan | sp.LessThan) else (e.rhs, e.lhs)
            strict = isinstance(e, sp.StrictLessThan | sp.StrictGreaterThan)
            return self._row(LESS if strict else LESS_EQUAL, self(low), self(high))
        kind = type(e) if type(e) in _UNARY or type(e) in _PAIRWISE else e.func
        if kind in _UNARY:
            return self._row(_UNARY[kind], self(e.args[0]))
        if kind in _PAIRWISE:
            found = self(e.args[0])
            for part in e.args[1:]:
                found = self._row(_PAIRWISE[kind], found, self(part))
            return found
        raise Unsupported(f"{e} cannot be evaluated in one-pass learning")


@njit(error_model="numpy", nogil=True)
def evaluate(code, registers):
    """The value of a packed program; its arguments stand in the first registers."""
    rows, constants, arguments, result = code
    for n in range(len(constants)):
        registers[arguments + n] = constants[n]
    place = arguments + len(constants)
    for n in range(len(rows)):
        op, a, b = rows[n, 0], registers[rows[n, 1]], registers[rows[n, 2]]
        if op == ADD:
            x = a + b
        elif op == MUL:
            x = a * b
        elif op == POWER:
            x = a * a if b == 2.0 else 1.0 / a if b == -1.0 else a**b
        elif op == MAX:
            x = max(a, b)
        elif op == MIN:
            x = min(a, b)
        elif op == LESS:
            x = 1.0 if a < b else 0.0
        elif op == LESS_EQUAL:
            x = 1.0 if a <= b else 0.0
        elif op == AND:
            x = a * b
        elif op == OR:
            x = max(a, b)
        elif op == NOT:
            x = 1.0 - a
        elif op == WHERE:
            x = b if a != 0.0 else registers[rows[n, 3]]
        elif op == EXP:
            x = math.exp(a)
        elif op == LOG:
            x = math.log(a)
        elif op == SQRT:
            x = math.sqrt(a)
        elif op == TANH:
            x = math.tanh(a)
        elif op == COSH:
            x = math.cosh(a)
        elif op == SINH:
            x = math.sinh(a)
        elif op == SIN:
            x = math.sin(a)
        elif op == COS:
            x = math.cos(a)
        elif op == ATAN:
            x = math.atan(a)
        elif op == ERF:
            x = math.erf(a)
        elif op == ERFC:
            x = math.erfc(a)
        elif op == ABS:
            x = abs(a)
        elif op == SIGN:
            x = 1.0 if a > 0.0 else -1.0 if a < 0.0 else 0.0
        elif op == STEP:
            x = 1.0 if a > 0.0 else 0.0 if a < 0.0 else 0.5
        elif op == SOFTPLUS:
            x = max(a, 0.0) + math.log1p(math.exp(-abs(a)))
        elif op == SIGMOID:
            x = 1.0 / (1.0 + math.exp(-a))
        elif op == LOG2COSH:
            x = abs(a) + math.log1p(math.exp(-2.0 * abs(a)))
        else:  # log H; far tails do not occur in training
            x = math.log(0.5 * math.erfc(a / math.sqrt(2.0)))
        registers[place + n] = x
    return registers[result]
