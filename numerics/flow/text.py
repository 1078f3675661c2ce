"""A flow as the text of numba functions: loops over indices, kernels as functions of scalars.  No name of a user enters the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy as sp

from replica.nodes import Log2Cosh, Moment, Sigmoid, Softplus
from replica.nodes.moments import Angle
from replica.theory import Array, Definition, Flow, Kernel

_CALLS = {
    "exp": "exp", "log": "log", "tanh": "tanh", "cosh": "cosh", "sinh": "sinh", "sin": "sin", "cos": "cos", "atan": "atan", "erf": "erf",
    "erfc": "erfc", "Abs": "abs", "sign": "sign", "Heaviside": "step",
}
_NODES = {Sigmoid: "sigmoid", Softplus: "softplus", Log2Cosh: "log2cosh"}
_HEAD = """from math import atan, cos, cosh, erf, erfc, exp, log, sin, sinh, sqrt, tanh

from numba import njit

from numerics.flow.march import march
from numerics.flow.support import angle, factor, inverse, log2cosh, rsqrt, sigmoid, sign, softplus, step
from numerics.methods.raw import PART


"""
_TAIL = """
@njit(**PART)
def entry(table, tolerance):
    return march(rates, results, table, tolerance)
"""


class Unprintable(ValueError):
    """A function that compiled flows do not know."""


@dataclass(frozen=True)
class Layout:
    """Where every array lives: "x" (state), "p" (parameters) or "w" (scratch), and the order of sizes and offsets in the integer table.

    Args:
        sizes: symbols of axes; scalars: parameters without axes, controls last.
    """

    state: tuple[Array, ...]
    parameters: tuple[Array, ...]
    scratch: tuple[Array, ...]
    nodes: tuple[Array, ...]
    scalars: tuple[sp.Symbol, ...]
    sizes: tuple[sp.Symbol, ...]
    results: tuple[str, ...]

    @property
    def places(self) -> dict[sp.IndexedBase, tuple[str, Array]]:
        """base -> (memory, array)."""
        groups = (("x", self.state), ("p", (*self.parameters, *self.nodes)), ("w", self.scratch))
        return {array.base: (memory, array) for memory, arrays in groups for array in arrays}


def layout(flow: Flow, controls: Sequence[sp.Symbol], results: Iterable[str]) -> Layout:
    """The layout of a flow; what moves comes first in the state."""
    moving = {definition.target.base for definition in flow.equations}
    state = tuple(sorted(flow.unknowns, key=lambda array: array.base not in moving))
    scalars = dict.fromkeys(key for phase in flow.phases for key in phase.values if isinstance(key, sp.Symbol))
    nodes: list[Array] = []
    for rule in flow.nodes:
        wide = type(rule.axis)(rule.dimension, "normal", rule.dimension)
        nodes += [Array(rule.points, (rule.axis, wide)), Array(rule.weights, (rule.axis,))]
    sizes = (*(axis.symbol for axis in flow.axes), *(rule.axis.symbol for rule in flow.nodes))
    return Layout(state, flow.parameters, flow.scratch, tuple(nodes), (*scalars, *controls), sizes, tuple(results))


def source(flow: Flow, plan: Layout, results: Sequence[sp.Expr]) -> str:
    """The module: kernels, `rates(x, p, w, n, out)`, `results(x, p, w, n, out)` and the entry."""
    names = {kernel.name: f"kernel_{number}" for number, kernel in enumerate(flow.kernels)}
    parts = [_kernel(names[kernel.name], kernel) for kernel in flow.kernels]
    rates = _Body(plan, names)
    for definition in (*flow.program, *flow.equations):
        rates.define(definition)
    read = _Body(plan, names)
    for definition in flow.readout:
        read.define(definition)
    for number, value in enumerate(results):
        read.line(f"out[{number}] = {read.value(value)}")
    parts += [_function("rates", rates), _function("results", read)]
    return _HEAD + "\n\n".join(parts) + "\n" + _TAIL


def _function(name: str, body: _Body) -> str:
    return "\n".join(["@njit(**PART)", f"def {name}(x, p, w, n, out):", *body.head(), *body.lines, "    return 0\n"])


def _kernel(name: str, kernel: Kernel) -> str:
    """A function of the kernel's arguments."""
    renamed = {symbol: sp.Symbol(f"a{number}", real=True) for number, symbol in enumerate(kernel.arguments)}
    prefixes = sp.numbered_symbols("t", real=True)
    steps, (value,) = sp.cse(kernel.value.xreplace(renamed), symbols=prefixes, order="none")
    printer = _Body(None, {})
    lines = [f"    {symbol} = {printer.value(expression)}" for symbol, expression in steps]
    arguments = ", ".join(str(symbol) for symbol in renamed.values())
    return "\n".join(["@njit(**PART)", f"def {name}({arguments}):", *lines, f"    return {printer.value(value)}\n"])


class _Body:
    """Lines of a function body, written as definitions come."""

    def __init__(self, plan: Layout | None, kernels: dict[str, str]) -> None:
        self.plan, self.kernels = plan, kernels
        self.lines: list[str] = []
        self.depth, self.count = 1, 0
        self.places = plan.places if plan is not None else {}
        self.symbols: dict[sp.Symbol, str] = {}
        if plan is not None:
            self.symbols |= {size: f"n[{number}]" for number, size in enumerate(plan.sizes)}
            self.symbols = {size: f"size_{number}" for number, size in enumerate(plan.sizes)}
            self.symbols |= {symbol: f"scalar_{number}" for number, symbol in enumerate(plan.scalars)}
        self.offsets = {base: f"at_{number}" for number, base in enumerate(self.places)}

    def head(self) -> list[str]:
        """Sizes, offsets and scalars as local names."""
        assert self.plan is not None
        first = len(self.plan.sizes)
        lines = [f"    size_{number} = n[{number}]" for number in range(first)]
        lines += [f"    {name} = n[{first + number}]" for number, name in enumerate(self.offsets.values())]
        begin = first + len(self.offsets)
        return lines + [f"    scalar_{number} = p[n[{begin}] + {number}]" for number in range(len(self.plan.scalars))]

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def define(self, definition: Definition) -> None:
        """Loops over the ranges and the assignment."""
        before, target = self.depth, definition.target
        ranges = definition.ranges if not definition.factor else definition.ranges[: len(definition.ranges) - 2]
        guard = definition.where
        opened = []
        for index, low, high in ranges:
            self._loop(index, low, high)
            opened.append(index)
            if guard is not None and guard.free_symbols & set(opened):
                self.line(f"if {self.value(guard)} != 0.0:")
                self.depth += 1
                guard = None
        memory, place = self._address(target)
        if definition.factor:
            base, starts = definition.value.base, {index: sp.S.One for index, _, _ in definition.ranges[len(ranges) :]}
            _, origin = self._address(base[tuple(sp.sympify(i).xreplace(starts) for i in definition.value.indices)])
            _, place = self._address(target.base[tuple(sp.sympify(i).xreplace(starts) for i in target.indices)])
            size = self._integer(self.places[base][1].axes[-1].symbol)
            self.line(f"{'factor' if definition.factor > 0 else 'inverse'}(w, {origin}, {place}, {size})")
        else:
            value = self.value(definition.value)
            where = "out" if memory == "x" else memory
            self.line(f"{where}[{place}] = {value}")
            if definition.symmetric:
                *outer, one, other = target.indices
                self.line(f"{where}[{self._address(target.base[(*outer, other, one)])[1]}] = {where}[{place}]")
        for index in opened:
            del self.symbols[index]
        self.depth = before

    def _loop(self, index: sp.Symbol, low: sp.Expr, high: sp.Expr) -> None:
        self.count += 1
        name = f"i{self.count}"
        self.line(f"for {name} in range({self._integer(low)}, {self._integer(high)} + 1):")
        self.symbols[index] = name
        self.depth += 1

    def _integer(self, expression: sp.Expr) -> str:
        if isinstance(expression, sp.Integer):
            return str(expression)
        if isinstance(expression, sp.Symbol):
            return self.symbols[expression]
        sign = " + ".join(f"({self._integer(a)})" for a in expression.args) if expression.is_Add else None
        if sign is None:
            sign = "*".join(f"({self._integer(a)})" for a in expression.args)
        return sign

    def _address(self, element: sp.Indexed) -> tuple[str, str]:
        memory, array = self.places[element.base]
        text = ""
        for axis, index in zip(array.axes, element.indices, strict=True):
            place = self._integer(sp.sympify(index) - 1)
            text = place if not text else f"({text})*({self._integer(axis.symbol)}) + {place}"
        offset = self.offsets[element.base]
        return memory, f"{offset} + {text}" if text else offset

    def value(self, e: sp.Expr) -> str:
        """The expression; sums are accumulated in lines before it."""
        if isinstance(e, sp.Sum):
            return self._sum(e)
        if isinstance(e, sp.Indexed):
            memory, place = self._address(e)
            return f"{memory}[{place}]"
        if isinstance(e, Moment):
            return f"{self.kernels[e.name]}({', '.join(self.value(a) for a in e.arguments)})"
        if isinstance(e, sp.KroneckerDelta):
            one, other = (self._integer(a) for a in e.args)
            return f"(1.0 if {one} == {other} else 0.0)"
        if isinstance(e, sp.Symbol):
            return self.symbols.get(e, e.name)
        if e.is_Number or e.is_NumberSymbol:
            return f"({float(e)!r})"
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e)
        return self._call(e)

    def _call(self, e: sp.Expr) -> str:
        parts = [self.value(a) for a in e.args]
        if e.is_Add:
            return f"({' + '.join(parts)})"
        if e.is_Mul:
            return f"({'*'.join(parts)})"
        if isinstance(e, sp.Pow):
            return self._power(parts[0], e.exp, parts[1])
        if isinstance(e, Angle):
            return f"angle({parts[0]}*rsqrt({parts[1]})*rsqrt({parts[2]}))"
        if isinstance(e, sp.Max | sp.Min):
            name = "max" if isinstance(e, sp.Max) else "min"
            return f"{name}({', '.join(parts)})"
        if type(e) in _NODES:
            return f"{_NODES[type(e)]}({parts[0]})"
        if type(e).__name__ in _CALLS:
            return f"{_CALLS[type(e).__name__]}({parts[0]})"
        raise Unprintable(f"{type(e).__name__} has no compiled form in a flow (known: {' '.join(_CALLS)})")

    @staticmethod
    def _power(base: str, exponent: sp.Expr, text: str) -> str:
        if exponent.is_Integer and 0 < abs(int(exponent)) <= 4:
            product = "*".join([base] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"(1.0/({product}))"
        if exponent == sp.Rational(1, 2):
            return f"sqrt(max({base}, 0.0))"
        if exponent == -sp.Rational(1, 2):
            return f"rsqrt({base})"
        return f"({base})**({text})"

    def _piecewise(self, e: sp.Piecewise) -> str:
        text = self.value(e.args[-1][0])
        for value, condition in reversed(e.args[:-1]):
            text = f"({self.value(value)} if {self._condition(condition)} else {text})"
        return text

    def _condition(self, condition: sp.Basic) -> str:
        if isinstance(condition, sp.And | sp.Or):
            word = " and " if isinstance(condition, sp.And) else " or "
            return "(" + word.join(self._condition(c) for c in condition.args) + ")"
        if isinstance(condition, sp.core.relational.Relational) and condition.rel_op in ("<", "<=", ">", ">="):
            return f"({self.value(condition.lhs)} {condition.rel_op} {self.value(condition.rhs)})"
        raise Unprintable(f"the condition {condition} has no compiled form in a flow")

    def _sum(self, e: sp.Sum) -> str:
        self.count += 1
        name, before = f"sum_{self.count}", self.depth
        self.line(f"{name} = 0.0")
        for index, low, high in e.limits:
            self._loop(index, low, high)
        self.line(f"{name} += {self.value(e.function)}")
        for index, _, _ in e.limits:
            del self.symbols[index]
        self.depth = before
        return name
