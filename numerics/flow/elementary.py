"""Elementary functions in LLVM code: square roots, angles and exponentials in place, the rest from the mathematical library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from llvmlite import ir

_DOUBLE, _INT = ir.DoubleType(), ir.IntType(64)
# asin(s) = s + s t P(t), t = s^2 <= 1/4, and atan(r) = r + r t P(t), t = r^2 <= tan(pi/8)^2: interpolation at Chebyshev nodes,
# good to 1e-17; a quotient of shorter polynomials would wait for its division
_ASIN = (0.16666666666666669, 0.07499999999998433, 0.04464285714635543, 0.030381944138531247, 0.02237217294214989, 0.017352392720869973,
         0.013971212973552933, 0.011479177415184906, 0.01032281435018578, 0.005457506718640358, 0.01740087944269402,
         -0.014851887071247204, 0.028757851367421566)  # fmt: skip
_ATAN = (-0.3333333333333333, 0.1999999999999552, -0.14285714284666542, 0.11111111015256361, -0.09090904578123903, 0.07692183190826087,
         -0.06664511447381948, 0.0585814891280221, -0.0508544973794026, 0.03923165829558719, -0.01917688711906226)  # fmt: skip
# exp(x) = 2^n exp(r), |r| <= log(2)/2, by the Taylor polynomial of order 13; log(2) in two parts, the first with zeros at its end
_HALF_TURN = 1.5 * 2.0**52  # added to a number below 2^51 it leaves the nearest integer in the last bits
_LOG2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
_TAYLOR = tuple(1.0 / math.factorial(k) for k in range(14))
_LOWEST, _HIGHEST = -708.0, 709.782712893384


def _c(value: float) -> ir.Constant:
    return ir.Constant(_DOUBLE, value)


def _i(value: int) -> ir.Constant:
    return ir.Constant(_INT, value)


def splat(kind: ir.Type, value: float) -> ir.Constant:
    """A constant of a number's type or of a vector's."""
    return ir.Constant(kind, [_c(value)] * kind.count if isinstance(kind, ir.VectorType) else value)


class Elementary:
    """Functions of one module."""

    def __init__(self, module: ir.Module) -> None:
        self.module = module

    def _outside(self, name: str, kind: ir.Type, count: int) -> ir.Function:
        found = self.module.globals.get(name)
        return found if found is not None else ir.Function(self.module, ir.FunctionType(kind, [kind] * count), name)

    def call(self, builder: ir.IRBuilder, name: str, *args: ir.Value) -> ir.Value:
        """A function of the mathematical library, or an intrinsic, which takes vectors too."""
        kind = args[0].type
        if isinstance(kind, ir.VectorType):
            name = name.replace(".f64", f".v{kind.count}f64")
        return builder.call(self._outside(name, kind, len(args)), args)

    def root(self, builder: ir.IRBuilder, v: ir.Value, inverse: bool) -> ir.Value:
        """sqrt(v), or 1/sqrt(v); zero for v <= 0, which rounding makes of a variance that vanishes."""
        zero, one = splat(v.type, 0.0), splat(v.type, 1.0)
        positive = builder.fcmp_ordered(">", v, zero)
        root = self.call(builder, "llvm.sqrt.f64", builder.select(positive, v, one))
        found = builder.fdiv(one, root) if inverse else root
        return builder.select(positive, found, zero)

    def angle(self, builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        """asin(x), x beyond [-1, 1] by rounding taken to its end; without branches."""
        one, middle = splat(x.type, 1.0), splat(x.type, 0.5)
        size = self.call(builder, "llvm.fabs.f64", x)
        size = builder.select(builder.fcmp_ordered(">", size, one), one, size)
        small = builder.fcmp_ordered("<", size, middle)
        half = builder.fmul(middle, builder.fsub(one, size))
        t = builder.select(small, builder.fmul(size, size), half)
        s = builder.select(small, size, self.call(builder, "llvm.sqrt.f64", half))
        r = builder.fadd(s, builder.fmul(builder.fmul(s, t), self._polynomial(builder, _ASIN, t)))
        far = builder.fsub(splat(x.type, math.pi / 2), builder.fadd(r, r))
        return self.call(builder, "llvm.copysign.f64", builder.select(small, r, far), x)

    def narrow(self, builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        """asin(x), |x| <= 1/2."""
        t = builder.fmul(x, x)
        return builder.fadd(x, builder.fmul(builder.fmul(x, t), self._polynomial(builder, _ASIN, t)))

    def both(self, builder: ir.IRBuilder, v: ir.Value, w: ir.Value) -> ir.Value:
        """The product of two variances, which that of two negative ones is not."""
        zero = splat(v.type, 0.0)
        return builder.fmul(v, builder.select(builder.fcmp_ordered(">", v, zero), w, zero))

    def correlation(self, builder: ir.IRBuilder, c: ir.Value, v: ir.Value) -> ir.Value:
        """c/sqrt(v), zero for v <= 0; one if c^2 = v, which a product with 1/sqrt(v) may miss."""
        positive = builder.fcmp_ordered(">", v, splat(v.type, 0.0))
        root = self.call(builder, "llvm.sqrt.f64", builder.select(positive, v, splat(v.type, 1.0)))
        return builder.select(positive, builder.fdiv(c, root), splat(v.type, 0.0))

    def turn(self, builder: ir.IRBuilder, y: ir.Value, x: ir.Value) -> ir.Value:
        """The angle between the first axis and (x, y), x >= 0; without branches."""
        size = self.call(builder, "llvm.fabs.f64", y)
        steep = builder.fcmp_ordered(">", size, x)
        low, high = builder.select(steep, x, size), builder.select(steep, size, x)
        far = builder.fcmp_ordered(">", low, builder.fmul(splat(x.type, math.sqrt(2) - 1), high))
        top = builder.select(far, builder.fsub(low, high), low)
        bottom = builder.select(far, builder.fadd(low, high), high)
        bottom = builder.select(builder.fcmp_ordered(">", bottom, splat(x.type, 0.0)), bottom, splat(x.type, 1.0))
        r = builder.fdiv(top, bottom)
        t = builder.fmul(r, r)
        found = builder.fadd(r, builder.fmul(builder.fmul(r, t), self._polynomial(builder, _ATAN, t)))
        found = builder.fadd(found, builder.select(far, splat(x.type, math.pi / 4), splat(x.type, 0.0)))
        found = builder.select(steep, builder.fsub(splat(x.type, math.pi / 2), found), found)
        return self.call(builder, "llvm.copysign.f64", found, y)

    def minor(self, builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value, d: ir.Value) -> ir.Value:
        """a b - c d to a unit of its last digit, zero where the products are equal (W. Kahan's way with fused products)."""
        product = builder.fmul(c, d)
        rest = builder.fma(builder.fneg(c), d, product)
        return builder.fadd(builder.fma(a, b, builder.fneg(product)), rest)

    def over(self, builder: ir.IRBuilder, c: ir.Value, v: ir.Value) -> ir.Value:
        """c/v, or zero for v <= 0."""
        positive = builder.fcmp_ordered(">", v, splat(v.type, 0.0))
        found = builder.fdiv(c, builder.select(positive, v, splat(v.type, 1.0)))
        return builder.select(positive, found, splat(v.type, 0.0))

    def exponential(self, builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        """exp(x) to one unit of the last digit, zero below -708; without branches, so that loops take several at once."""
        low, high = builder.fcmp_ordered("<", x, _c(_LOWEST)), builder.fcmp_ordered(">", x, _c(_HIGHEST))
        inside = builder.select(low, _c(_LOWEST), builder.select(high, _c(_HIGHEST), x))
        marked = builder.fadd(builder.fmul(inside, _c(1.0 / math.log(2.0))), _c(_HALF_TURN))
        whole = builder.fsub(marked, _c(_HALF_TURN))
        r = builder.fsub(builder.fsub(inside, builder.fmul(whole, _c(_LOG2[0]))), builder.fmul(whole, _c(_LOG2[1])))
        bits = builder.bitcast(marked, _INT)
        half = builder.ashr(builder.shl(bits, _i(12)), _i(13))  # n/2 rounded down: 2^n itself may be too large
        rest = builder.sub(builder.ashr(builder.shl(bits, _i(12)), _i(12)), half)
        found = self._polynomial(builder, _TAYLOR, r)
        for power in (half, rest):
            found = builder.fmul(found, builder.bitcast(builder.shl(builder.add(power, _i(1023)), _i(52)), _DOUBLE))
        return builder.select(low, _c(0.0), builder.select(high, _c(math.inf), found))

    @staticmethod
    def _polynomial(builder: ir.IRBuilder, coefficients: Sequence[float], t: ir.Value) -> ir.Value:
        found: ir.Value = splat(t.type, coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            found = builder.fadd(splat(t.type, coefficient), builder.fmul(found, t), flags=("contract",))
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
        return builder.fdiv(_c(1.0), builder.fadd(_c(1.0), self.exponential(builder, builder.fneg(x))))

    def softplus(self, builder: ir.IRBuilder, x: ir.Value, scale: float = 1.0) -> ir.Value:
        """max(x, 0) + log(1 + exp(-|x|)); with scale 2, log 2 cosh x = |x| + log(1 + exp(-2 |x|))."""
        size = self.call(builder, "llvm.fabs.f64", x)
        tail = self.call(builder, "log1p", self.exponential(builder, builder.fmul(_c(-scale), size)))
        return builder.fadd(self.extreme(builder, ">", (x, _c(0.0))) if scale == 1.0 else size, tail)

    def log_tail(self, builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        """log H(x), where H does not underflow."""
        return self.call(builder, "log", builder.fmul(_c(0.5), self.call(builder, "erfc", builder.fmul(x, _c(math.sqrt(0.5))))))


def _library(name: str) -> Callable[..., ir.Value]:
    return lambda elementary, builder, *args: elementary.call(builder, name, *args)


FUNCTIONS: dict[str, Callable[..., ir.Value]] = {
    **{name: _library(name) for name in ("log", "tanh", "cosh", "sinh", "sin", "cos", "atan", "erf", "erfc")},
    "exp": lambda e, builder, x: e.exponential(builder, x),
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
