"""Sums of angles: their arguments wait in a buffer, and eight arcsines are taken at a time.

The sums of a committee machine are short (units of the student, of the teacher) and nested, so that no loop over one index is worth a
vector; together they hold hundreds of arcsines, which are nearly all of the work.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from llvmlite import ir

from numerics.flow.elementary import Elementary, splat
from replica.nodes import Angle

WIDTH, BLOCK = 8, 32  # at a time; the buffer holds this many, and one more group that fills the last one up
_ROW = BLOCK + WIDTH
_DOUBLE, _INT = ir.DoubleType(), ir.IntType(64)
_VECTOR = ir.VectorType(_DOUBLE, WIDTH)
_NAME = "angles"


def _i(value: int) -> ir.Constant:
    return ir.Constant(_INT, value)


class AngleSum:
    """A value that is linear in angles, in the function `body` (numerics.flow.lower) at the place it has come to."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def within(self, e: sp.Basic, kind: type = sp.Basic) -> bool:
        """Whether there is an angle in an expression, in a part of it that is of this kind."""
        if isinstance(e, kind):
            return isinstance(e, Angle) or any(self.within(a) for a in self.body.written(e).args)
        return any(self.within(a, kind) for a in self.body.written(e).args)

    def total(self, e: sp.Expr) -> ir.Value:
        """The value."""
        entry, module = ir.IRBuilder(self.body.entry), self.body.function.module
        self._rows, self._count, self._sum = entry.alloca(_DOUBLE, 3 * _ROW), entry.alloca(_INT), entry.alloca(_DOUBLE)
        self._flush = module.globals[_NAME] if _NAME in module.globals else _flush(module)
        builder = self._here()
        builder.store(ir.Constant(_DOUBLE, 0.0), self._sum)
        builder.store(_i(0), self._count)
        self._add(e, ())
        builder = self._here()
        self._empty(builder)
        return builder.load(self._sum)

    def _here(self) -> ir.IRBuilder:
        return self.body.at(len(self.body.levels) - 1)

    def _add(self, e: sp.Expr, factors: tuple[sp.Expr, ...]) -> None:
        """Add e times the factors."""
        e = self.body.written(e)
        turning = [a for a in e.args if self.within(a)]
        if isinstance(e, Angle):
            c, v, w = (self.body.value(a) for a in e.args)
            scale = self.body.value(sp.Mul(*factors))
            builder = self._here()
            self._push(builder, c, self.body.elementary.both(builder, v, w), scale)
        elif turning and e.is_Add:
            for a in e.args:
                self._add(a, factors)
        elif len(turning) == 1 and e.is_Mul:
            self._add(turning[0], (*factors, *(a for a in e.args if a is not turning[0])))
        elif turning and isinstance(e, sp.Sum):
            for index, low, high in e.limits:
                self.body.open(index, low, high)
            self._add(e.function, factors)
            for _ in e.limits:
                self.body.close()
        else:
            value = self.body.value(sp.Mul(*factors, e))
            builder = self._here()
            builder.store(builder.fadd(builder.load(self._sum), value), self._sum)

    def _push(self, builder: ir.IRBuilder, c: ir.Value, v: ir.Value, scale: ir.Value) -> None:
        """Add scale * asin(c/sqrt v), now or later."""
        place = builder.load(self._count)
        for row, value in enumerate((c, v, scale)):
            builder.store(value, builder.gep(self._rows, [builder.add(place, _i(row * _ROW))], inbounds=True))
        following = builder.add(place, _i(1))
        builder.store(following, self._count)
        full, after = builder.function.append_basic_block(), builder.function.append_basic_block()
        builder.cbranch(builder.icmp_signed("==", following, _i(BLOCK)), full, after)
        emptying = ir.IRBuilder(full)
        self._empty(emptying)
        emptying.branch(after)
        self.body.levels[-1].block = after

    def _empty(self, builder: ir.IRBuilder) -> None:
        """Add all that waits."""
        part = builder.call(self._flush, [self._rows, builder.load(self._count)])
        builder.store(builder.fadd(builder.load(self._sum), part), self._sum)
        builder.store(_i(0), self._count)


def _flush(module: ir.Module) -> ir.Function:
    """Sum of the first n entries of a buffer: rows of c, v and scale."""
    function = ir.Function(module, ir.FunctionType(_DOUBLE, [_DOUBLE.as_pointer(), _INT]), _NAME)
    function.linkage = "internal"
    function.attributes.add("noinline")
    rows, count = function.args
    entry, head, body, after = (function.append_basic_block() for _ in range(4))
    builder, elementary = ir.IRBuilder(entry), Elementary(module)

    def place(at: ir.IRBuilder, row: int, index: ir.Value) -> ir.Value:
        return at.bitcast(at.gep(rows, [at.add(index, _i(row * _ROW))], inbounds=True), _VECTOR.as_pointer())

    for row, nothing in enumerate((0.0, 1.0, 0.0)):  # fills the last group up
        builder.store(splat(_VECTOR, nothing), place(builder, row, count), align=8)
    builder.branch(head)
    builder = ir.IRBuilder(head)
    index, total = builder.phi(_INT), builder.phi(_VECTOR)
    builder.cbranch(builder.icmp_signed("<", index, count), body, after)
    builder = ir.IRBuilder(body)
    c, v, scale = (builder.load(place(builder, row, index), align=8) for row in range(3))
    x = elementary.correlation(builder, c, v)
    wide = builder.fcmp_ordered(">=", elementary.call(builder, "llvm.fabs.f64", x), splat(_VECTOR, 0.5))
    # most angles are small: then one of two square roots is spared
    some = builder.icmp_unsigned("!=", builder.bitcast(wide, ir.IntType(WIDTH)), ir.Constant(ir.IntType(WIDTH), 0))
    far, near, both = (function.append_basic_block() for _ in range(3))
    builder.cbranch(some, far, near)
    parts = []
    for block, rule in ((far, elementary.angle), (near, elementary.narrow)):
        inside = ir.IRBuilder(block)
        parts.append((rule(inside, x), block))
        inside.branch(both)
    builder = ir.IRBuilder(both)
    found = builder.phi(_VECTOR)
    for part in parts:
        found.add_incoming(*part)
    following = builder.fadd(total, builder.fmul(scale, found), flags=("contract",))
    further = builder.add(index, _i(WIDTH))
    builder.branch(head)
    for phi, first, value in ((index, _i(0), further), (total, splat(_VECTOR, 0.0), following)):
        phi.add_incoming(first, entry)
        phi.add_incoming(value, both)
    builder = ir.IRBuilder(after)
    parts = [builder.extract_element(total, ir.Constant(ir.IntType(32), lane)) for lane in range(WIDTH)]
    while len(parts) > 1:
        parts = [builder.fadd(one, other) for one, other in zip(parts[::2], parts[1::2], strict=True)]
    builder.ret(parts[0])
    return function
