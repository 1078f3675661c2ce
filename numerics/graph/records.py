"""The graph: hash-consed records (op, args) with the set of loop variables each depends on.

Equal records are the same integer, so common subexpressions are shared by construction; arguments are smaller integers
than what uses them, so numerical order is an order of evaluation.  Constructors fold locally (0, 1, signs, exact
rationals) and pull signs outwards, so that partners under parity meet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

ODD = frozenset({"tanh", "sinh", "erf", "sin", "asin", "atan", "tan", "sign"})
EVEN = frozenset({"abs", "cosh", "cos", "log2cosh"})
POSITIVE = frozenset({"exp", "sqrt", "abs", "hazard", "cosh", "tailp", "sigmoid", "softplus", "erfc"})
COST = {
    "exp": 16,
    "log": 20,
    "log1p": 16,
    "sqrt": 8,
    "inv": 6,
    "tail": 32,
    "gap": 32,
    "logh_": 26,
    "tanh_": 20,
    "erf_": 14,
    "logh": 70,
    "hazard": 60,
    "tailp": 50,
    "softplus": 36,
    "sigmoid": 24,
    "log2cosh": 36,
    "tanh": 36,
    "erf": 60,
    "erfc": 50,
    "red": 100,
    "redmax": 100,
    "sin": 30,
    "cos": 30,
    "tan": 30,
    "acos": 30,
    "asin": 30,
    "atan": 30,
    "lgamma": 60,
    "digamma": 60,
    "pow": 60,
    "cosh": 24,
    "sinh": 40,
}
WEIGHTS = frozenset({"exp", "tailp"})
EXPENSIVE = frozenset(op for op, cost in COST.items() if cost >= 6)


class Graph:
    """Records by number: `op`, `args`, `mask` (bit l set if it depends on loop l), `constant` (no parameter below it)."""

    def __init__(self) -> None:
        self.op: list[str] = []
        self.args: list[tuple] = []
        self.mask: list[int] = []
        self.constant: list[bool] = []
        self._known: dict[tuple, int] = {}
        self.zero, self.one = self.const(0), self.const(1)

    def _make(self, op: str, args: tuple, mask: int, constant: bool) -> int:
        key = (op, args)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.op)
            self.op.append(op)
            self.args.append(args)
            self.mask.append(mask)
            self.constant.append(constant)
        return found

    def _record(self, op: str, *args: int) -> int:
        mask, constant = 0, True
        for a in args:
            mask |= self.mask[a]
            constant = constant and self.constant[a]
        return self._make(op, args, mask, constant)

    def inputs(self, r: int) -> tuple[int, ...]:
        """The records that record `r` reads."""
        op = self.op[r]
        if op in ("red", "redmax"):
            return self.args[r][1:]
        return () if op in ("const", "named", "param", "node") else self.args[r]

    def has(self, op: str, *args: int) -> bool:
        return (op, args) in self._known

    def value(self, r: int) -> Fraction | None:
        """The exact number, if the record is one."""
        return self.args[r][0] if self.op[r] == "const" else None

    # leaves
    def const(self, number: int | Fraction) -> int:
        return self._make("const", (Fraction(number),), 0, True)

    def named(self, name: str) -> int:
        """pi, e, euler_gamma or inf."""
        return self._make("named", (name,), 0, True)

    def param(self, i: int) -> int:
        return self._make("param", (i,), 0, False)

    def node(self, loop: int) -> int:
        return self._make("node", (loop,), 1 << loop, False)

    # arithmetic
    def neg(self, a: int) -> int:
        if self.op[a] == "neg":
            return self.args[a][0]
        number = self.value(a)
        if number is not None:
            return self.const(-number)
        if self.op[a] == "mul":
            first = self.value(self.args[a][0])
            if first is not None and first < 0:
                return self._record("mul", self.const(-first), self.args[a][1]) if first != -1 else self.args[a][1]
        return self._record("neg", a)

    def _split(self, a: int) -> tuple[bool, int]:
        return (True, self.args[a][0]) if self.op[a] == "neg" else (False, a)

    def add(self, a: int, b: int) -> int:
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.const(x + y)
        if a == self.zero:
            return b
        if b == self.zero:
            return a
        (minus_a, a), (minus_b, b) = self._split(a), self._split(b)
        if a == b:
            if minus_a != minus_b:
                return self.zero
            double = self.mul(self.const(2), a)
            return self.neg(double) if minus_a else double
        if a > b:
            a, b, minus_a, minus_b = b, a, minus_b, minus_a
        if minus_a and self.op[a] != "const":
            return self.neg(self._record("add", a, b if minus_b else self._record("neg", b) if self.value(b) is None else self.neg(b)))
        return self._record("add", self.neg(a) if minus_a else a, self.neg(b) if minus_b else b)

    def sub(self, a: int, b: int) -> int:
        return self.add(a, self.neg(b))

    def mul(self, a: int, b: int) -> int:
        if a == self.zero or b == self.zero:
            return self.zero
        (minus_a, a), (minus_b, b) = self._split(a), self._split(b)
        if minus_a != minus_b:
            return self.neg(self.mul(a, b))
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.const(x * y)
        if y is not None:
            a, b, x = b, a, y
        if x is not None:
            if x == 1:
                return b
            if x < 0:
                return self.neg(self.mul(self.const(-x), b))
            if self.op[b] == "mul":
                inner = self.value(self.args[b][0])
                if inner is not None:
                    return self.mul(self.const(x * inner), self.args[b][1])
            return self._record("mul", a, b)
        if a == b and self.op[a] == "sqrt":
            return self.args[a][0]
        for p, q in ((a, b), (b, a)):  # a scaled factor scales the product
            if self.op[p] == "mul":
                inner = self.value(self.args[p][0])
                if inner is not None:
                    return self.mul(self.const(inner), self.mul(self.args[p][1], q))
            if self.op[p] == "inv" and self.args[p][0] == q:
                return self.one
        return self._record("mul", *sorted((a, b)))

    def inv(self, a: int) -> int:
        number = self.value(a)
        if number is not None and number != 0:
            return self.const(1 / number)
        if self.op[a] == "inv":
            return self.args[a][0]
        if self.op[a] == "neg":
            return self.neg(self.inv(self.args[a][0]))
        if self.op[a] == "mul":
            first = self.value(self.args[a][0])
            if first is not None:
                return self.mul(self.const(1 / first), self.inv(self.args[a][1]))
        return self._record("inv", a)

    def powi(self, a: int, n: int) -> int:
        """a**n by squaring."""
        if n < 0:
            return self.inv(self.powi(a, -n))
        result, square = self.one, a
        while n:
            if n & 1:
                result = self.mul(result, square)
            n >>= 1
            if n:
                square = self.mul(square, square)
        return result

    # choices
    def compare(self, op: str, a: int, b: int) -> int:
        """lt, le, eq or ne."""
        return self._record(op, a, b)

    def sel(self, condition: int, yes: int, no: int) -> int:
        if yes == no:
            return yes
        known = self._decided(condition)
        if known is not None:
            return yes if known else no
        (minus_yes, a), (minus_no, b) = self._split(yes), self._split(no)
        if minus_yes and minus_no:
            return self.neg(self.sel(condition, a, b))
        return self._record("sel", condition, yes, no)

    def _decided(self, condition: int) -> bool | None:
        """What a comparison of two numbers says, else None."""
        if self.op[condition] in ("lt", "le", "eq", "ne"):
            a, b = (self.value(r) for r in self.args[condition])
            if a is not None and b is not None:
                return {"lt": a < b, "le": a <= b, "eq": a == b, "ne": a != b}[self.op[condition]]
        return None

    def maximum(self, a: int, b: int) -> int:
        """The larger one; NaN in `b` survives, so a number goes first."""
        if self.value(b) is not None:
            a, b = b, a
        return self.sel(self.compare("lt", b, a), a, b)

    def minimum(self, a: int, b: int) -> int:
        if self.value(b) is not None:
            a, b = b, a
        return self.sel(self.compare("lt", a, b), a, b)

    # functions and sums
    def fn(self, op: str, *args: int) -> int:
        a = args[0]
        if op in ODD and self.op[a] == "neg":
            return self.neg(self.fn(op, self.args[a][0]))
        if op in EVEN and self.op[a] == "neg":
            return self.fn(op, self.args[a][0])
        number = self.value(a)
        if op == "abs":
            if number is not None:
                return self.const(abs(number))
            if self.op[a] in POSITIVE:
                return a
            if self.op[a] == "mul" and self.value(self.args[a][0]) is not None:
                return self.mul(self.args[a][0], self.fn("abs", self.args[a][1]))
            if self.op[a] == "mul" and self.args[a][0] == self.args[a][1]:
                return a
        elif op == "sign" and number is not None:
            return self.const((number > 0) - (number < 0))
        elif op == "sqrt" and number is not None and number >= 0:
            p, q = math.isqrt(number.numerator), math.isqrt(number.denominator)
            if p * p == number.numerator and q * q == number.denominator:
                return self.const(Fraction(p, q))
        elif op == "exp":
            if number == 0:
                return self.one
            if self.op[a] == "log":
                return self.args[a][0]
            if self.op[a] == "logh":
                return self.fn("tailp", self.args[a][0])
        elif op == "log":
            if number == 1:
                return self.zero
            if self.op[a] == "exp":
                return self.args[a][0]
        elif number == 0 and op in ("tanh", "sinh", "erf", "sin", "asin", "atan", "tan"):
            return self.zero
        return self._record(op, *args)

    def factors(self, r: int) -> tuple[int, ...]:
        """`r` as a product; a sign stays with the first factor."""
        if self.op[r] != "mul":
            return (r,)
        found, stack = [], [r]
        while stack:
            a = stack.pop()
            if self.op[a] == "mul":
                stack.extend(self.args[a])
            else:
                found.append(a)
        return tuple(sorted(found))

    def product(self, factors: Iterable[int]) -> int:
        """Product in a fixed order, so that equal sets of factors are one record."""
        total = self.one
        for f in factors:
            total = self.mul(total, f)
        return total

    def red(self, loop: int, body: int) -> int:
        """sum_j w_j body(x_j) over loop `loop`.

        Factors that do not depend on the loop leave the sum.  Exponentials and tails are kept apart as a common weight: sums and
        their derivatives share it.
        """
        if body == self.zero:
            return self.zero
        if self.op[body] == "neg":
            return self.neg(self.red(loop, self.args[body][0]))
        outside: list[int] = []
        weight: list[int] = []
        inside: list[int] = []
        for f in self.factors(body):
            if not self.mask[f] >> loop & 1:
                outside.append(f)
            else:
                (weight if self.op[f] in WEIGHTS else inside).append(f)
        return self.mul(self.product(outside), self.weighted(loop, self.product(weight), self.product(inside)))

    def weighted(self, loop: int, weight: int, body: int) -> int:
        """sum_j w_j weight(x_j) body(x_j), as it stands."""
        if self.op[body] == "neg":
            return self.neg(self.weighted(loop, weight, self.args[body][0]))
        return self._make("red", (loop, weight, body), (self.mask[weight] | self.mask[body]) & ~(1 << loop), False)

    def redmax(self, loop: int, body: int) -> int:
        """max_j body(x_j): a shift of exponents, whose derivative is defined as zero."""
        if not self.mask[body] >> loop & 1:
            return body
        return self._make("redmax", (loop, body), self.mask[body] & ~(1 << loop), False)

    def affine(self, r: int, loop: int) -> tuple[int, int] | None:
        """(a, b) with r = a + b x_loop, or None."""
        if not self.mask[r] >> loop & 1:
            return r, self.zero
        op, args = self.op[r], self.args[r]
        if op == "node":
            return self.zero, self.one
        if op == "neg":
            inner = self.affine(args[0], loop)
            return inner and (self.neg(inner[0]), self.neg(inner[1]))
        if op == "add":
            left = self.affine(args[0], loop)
            right = left and self.affine(args[1], loop)
            return (self.add(left[0], right[0]), self.add(left[1], right[1])) if left and right else None
        if op == "mul":
            for scale, rest in (args, args[::-1]):
                if not self.mask[scale] >> loop & 1:
                    inner = self.affine(rest, loop)
                    return inner and (self.mul(scale, inner[0]), self.mul(scale, inner[1]))
        return None
