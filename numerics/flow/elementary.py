"""Elementary functions in LLVM code: square roots and angles in place, the rest from the mathematical library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from llvmlite import ir

_DOUBLE = ir.DoubleType()
# asin(s) = s + s t P(t)/Q(t), t = s^2 <= 1/4; coefficients of fdlibm (Sun Microsystems, 1993)
_P = (1.66666666666666657415e-01, -3.25565818622400915405e-01, 2.01212532134862925881e-01, -4.00555345006794114027e-02,
      7.91534994289814532176e-04, 3.47933107596021167570e-05)  # fmt: skip
_Q = (1.0, -2.40339491173441421878e00, 2.02094576023350569471e00, -6.88283971605453293030e-01, 7.70381505559019352791e-02)


def _c(value: float) -> ir.Constant:
    return ir.Constant(_DOUBLE, value)


class Elementary:
    """Functions of one module."""

    def __init__(self, module: ir.Module) -> None:
        self.module = module

    def _outside(self, name: str, count: int) -> ir.Function:
        found = self.module.globals.get(name)
        return found if found is not None else ir.Function(self.module, ir.FunctionType(_DOUBLE, [_DOUBLE] * count), name)

    def call(self, builder: ir.IRBuilder, name: str, *args: ir.Value) -> ir.Value:
        """A function of the mathematical library, or an intrinsic."""
        return builder.call(self._outside(name, len(args)), args)

    def root(self, builder: ir.IRBuilder, v: ir.Value, inverse: bool) -> ir.Value:
        """sqrt(v), or 1/sqrt(v); zero for v <= 0, which rounding makes of a variance that vanishes."""
        positive = builder.fcmp_ordered(">", v, _c(0.0))
        root = self.call(builder, "llvm.sqrt.f64", builder.select(positive, v, _c(1.0)))
        found = builder.fdiv(_c(1.0), root) if inverse else root
        return builder.select(positive, found, _c(0.0))

    def angle(self, builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        """asin(x), x beyond [-1, 1] by rounding taken to its end; without branches."""
        size = self.call(builder, "llvm.fabs.f64", x)
        size = builder.select(builder.fcmp_ordered(">", size, _c(1.0)), _c(1.0), size)
        small = builder.fcmp_ordered("<", size, _c(0.5))
        half = builder.fmul(_c(0.5), builder.fsub(_c(1.0), size))
        t = builder.select(small, builder.fmul(size, size), half)
        s = builder.select(small, size, self.call(builder, "llvm.sqrt.f64", half))
        ratio = builder.fdiv(self._polynomial(builder, _P, t), self._polynomial(builder, _Q, t))
        r = builder.fadd(s, builder.fmul(builder.fmul(s, t), ratio))
        far = builder.fsub(_c(math.pi / 2), builder.fadd(r, r))
        return self.call(builder, "llvm.copysign.f64", builder.select(small, r, far), x)

    @staticmethod
    def _polynomial(builder: ir.IRBuilder, coefficients: Sequence[float], t: ir.Value) -> ir.Value:
        found: ir.Value = _c(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            found = builder.fadd(_c(coefficient), builder.fmul(found, t), flags=("contract",))
        return found

    def extreme(self, builder: ir.IRBuilder, relation: str, parts: Sequence[ir.Value]) -> ir.Value:
        found = parts[0]
        for part in parts[1:]:
            found = builder.select(builder.fcmp_ordered(relation, found, part), found, part)
        return found

    def side(self, builder: ir.IRBuilder, x: ir.Value, above: float, below: float, at: float) -> ir.Value:
        low = builder.select(builder.fcmp_ordered("<", x, _c(0.0)), _c(below), _c(at))
        return builder.select(builder.fcmp_ordered(">", x, _c(0.0)), _c(above), low)

    def sigmoid(self, builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        return builder.fdiv(_c(1.0), builder.fadd(_c(1.0), self.call(builder, "exp", builder.fneg(x))))

    def softplus(self, builder: ir.IRBuilder, x: ir.Value, scale: float = 1.0) -> ir.Value:
        """max(x, 0) + log(1 + exp(-|x|)); with scale 2, log 2 cosh x = |x| + log(1 + exp(-2 |x|))."""
        size = self.call(builder, "llvm.fabs.f64", x)
        tail = self.call(builder, "log1p", self.call(builder, "exp", builder.fmul(_c(-scale), size)))
        return builder.fadd(self.extreme(builder, ">", (x, _c(0.0))) if scale == 1.0 else size, tail)

    def log_tail(self, builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        """log H(x), where H does not underflow."""
        return self.call(builder, "log", builder.fmul(_c(0.5), self.call(builder, "erfc", builder.fmul(x, _c(math.sqrt(0.5))))))


def _library(name: str) -> Callable[..., ir.Value]:
    return lambda elementary, builder, *args: elementary.call(builder, name, *args)


FUNCTIONS: dict[str, Callable[..., ir.Value]] = {
    **{name: _library(name) for name in ("exp", "log", "tanh", "cosh", "sinh", "sin", "cos", "atan", "erf", "erfc")},
    "Abs": _library("llvm.fabs.f64"),
    "Max": lambda e, builder, *args: e.extreme(builder, ">", args),
    "Min": lambda e, builder, *args: e.extreme(builder, "<", args),
    "sign": lambda e, builder, x: e.side(builder, x, 1.0, -1.0, 0.0),
    "Heaviside": lambda e, builder, x: e.side(builder, x, 1.0, 0.0, 0.5),
    "Sigmoid": lambda e, builder, x: e.sigmoid(builder, x),
    "Softplus": lambda e, builder, x: e.softplus(builder, x),
    "Log2Cosh": lambda e, builder, x: e.softplus(builder, x, 2.0),
    "LogH": lambda e, builder, x: e.log_tail(builder, x),
}
"""Name of a function or node -> its code."""
