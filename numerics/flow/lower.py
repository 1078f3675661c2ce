"""A flow as LLVM code: loops over indices, kernels written out in place, every value computed in the outermost loop that knows its indices.

No text of a user gets here: names in the code are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sympy as sp
from llvmlite import ir

from numerics.flow.angles import AngleSum
from numerics.flow.elementary import FUNCTIONS, Elementary
from numerics.flow.layout import Layout
from numerics.flow.orthants import four_signs
from replica.nodes import Angle, FourSigns, GivenAngle, Minor, Moment, Over
from replica.theory import Definition, Flow, Kernel

_DOUBLE, _INT = ir.DoubleType(), ir.IntType(64)
_SIGNATURE = ir.FunctionType(_INT, [_DOUBLE.as_pointer()] * 3 + [_INT.as_pointer()] + [_DOUBLE.as_pointer()] * 2)
FAST = ("contract", "nsz")
LONG = (*FAST, "reassoc")  # sums over nodes may be taken in any order, several at a time


class Unprintable(ValueError):
    """A function that compiled flows do not know."""


def source(flow: Flow, plan: Layout, results: Sequence[sp.Expr], names: tuple[str, str]) -> str:
    """The module with two functions (x, p, w, n, spare, out): rates of the state, and results at it."""
    module = ir.Module(name="flow")
    kernels = {kernel.name: kernel for kernel in flow.kernels}
    rates = _Body(module, names[0], plan, kernels)
    for definition in (*flow.program, *flow.equations):
        rates.define(definition)
    rates.end()
    read = _Body(module, names[1], plan, kernels)
    for definition in flow.readout:
        read.define(definition)
    for number, value in enumerate(results):
        read.fresh()
        found = read.value(value)
        read.store("out", ir.Constant(_INT, number), found)
    read.end()
    return str(module)


@dataclass
class _Level:
    """An open loop (or the whole function, or a condition): where its code goes on, and what is known in it."""

    block: ir.Block
    index: sp.Symbol | None = None
    head: ir.Block | None = None
    after: ir.Block | None = None
    counter: ir.PhiInstr | None = None
    first: ir.Value | None = None
    memo: dict[sp.Basic, ir.Value] = field(default_factory=dict)


class _Body:
    """One function, written as definitions come."""

    def __init__(self, module: ir.Module, name: str, plan: Layout, kernels: dict[str, Kernel]) -> None:
        self.plan, self.kernels, self.places = plan, kernels, plan.places
        self.function = ir.Function(module, _SIGNATURE, name)
        self.memory = dict(zip(("x", "p", "w", "n", "spare", "out"), self.function.args, strict=True))
        self.entry = self.function.append_basic_block()
        body = self.function.append_basic_block()
        self.levels = [_Level(body)]
        self.builder = ir.IRBuilder(self.entry)
        self.elementary = Elementary(module)
        head = self.builder
        self.sizes = {size: self._whole(head, number) for number, size in enumerate(plan.sizes)}
        self.long = {array.axes[-1].symbol for array in plan.nodes}
        first = len(plan.sizes)
        self.offsets = {base: self._whole(head, first + number) for number, base in enumerate(self.places)}
        scalars = self._whole(head, first + len(self.places))
        self.factor, self.inverse = (self._whole(head, first + len(self.places) + k) for k in (1, 2))
        self.scalars = {}
        for number, symbol in enumerate(plan.scalars):
            place = head.add(scalars, ir.Constant(_INT, number))
            self.scalars[symbol] = head.load(head.gep(self.memory["p"], [place], inbounds=True))
        self.depth: dict[sp.Basic, int] = {}

    def _whole(self, builder: ir.IRBuilder, number: int) -> ir.Value:
        return builder.load(builder.gep(self.memory["n"], [ir.Constant(_INT, number)], inbounds=True))

    def end(self) -> None:
        """Close the function."""
        ir.IRBuilder(self.entry).branch(self.function.blocks[1])
        ir.IRBuilder(self.levels[0].block).ret(ir.Constant(_INT, 0))

    def fresh(self) -> None:
        """Forget what was read: memory changes between definitions."""
        self.levels[0].memo = {}

    def at(self, level: int) -> ir.IRBuilder:
        return ir.IRBuilder(self.levels[level].block)

    # loops

    def open(self, index: sp.Symbol, low: sp.Expr, high: sp.Expr) -> None:
        first, last = self.integer(low), self.integer(high)
        head, body, after = (self.function.append_basic_block() for _ in range(3))
        builder = ir.IRBuilder(head)
        counter = builder.phi(_INT)
        builder.cbranch(builder.icmp_signed("<=", counter, last), body, after)
        self.levels.append(_Level(body, index, head, after, counter, first))
        self.depth[index] = len(self.levels) - 1

    def close(self) -> None:
        level = self.levels.pop()
        outer = self.levels[-1]
        assert level.head is not None and level.after is not None
        builder = ir.IRBuilder(level.block)
        if level.counter is not None:
            following = builder.add(level.counter, ir.Constant(_INT, 1))
            builder.branch(level.head)
            level.counter.add_incoming(level.first, outer.block)
            level.counter.add_incoming(following, level.block)
            del self.depth[level.index]
            ir.IRBuilder(outer.block).branch(level.head)
        else:
            builder.branch(level.after)
            ir.IRBuilder(outer.block).cbranch(level.first, level.head, level.after)
        outer.block = level.after

    def _open_if(self, guard: sp.Expr) -> None:
        found = self.value(guard)
        holds = self.at(len(self.levels) - 1).fcmp_ordered("!=", found, ir.Constant(_DOUBLE, 0.0))
        body, after = self.function.append_basic_block(), self.function.append_basic_block()
        self.levels.append(_Level(body, None, body, after, None, holds))

    def define(self, definition: Definition) -> None:
        """Loops over the ranges and the assignment."""
        self.fresh()
        target, guard, before = definition.target, definition.where, len(self.levels)
        long = not definition.factor and bool(definition.ranges) and definition.ranges[-1][2] in self.long
        ranges = definition.ranges[:-2] if definition.factor else definition.ranges[:-1] if long else definition.ranges
        for index, low, high in ranges:
            self.open(index, low, high)
            if guard is not None and guard.free_symbols & set(self.depth):
                self._open_if(guard)
                guard = None
        if definition.factor:
            self._factor(definition)
        elif long:
            self._over_nodes(definition)
        else:
            angles = AngleSum(self)
            value = angles.total(definition.value) if angles.within(definition.value, sp.Sum) else self.value(definition.value)
            memory = self.places[target.base][0]
            self.store("out" if memory == "x" else memory, self.address(target), value)
            if definition.symmetric:
                *outer, one, other = target.indices
                self.store("out" if memory == "x" else memory, self.address(target.base[(*outer, other, one)]), value)
        while len(self.levels) > before:
            self.close()

    def _over_nodes(self, definition: Definition) -> None:
        """A loop over nodes stays the innermost one: what is summed is added in one sweep over the nodes for each term of a sum."""
        target, nodes = definition.target, definition.ranges[-1]
        memory = self.places[target.base][0]
        terms = sp.Add.make_args(definition.value)
        sums = [term for term in terms if isinstance(term, sp.Sum) and nodes[0] in term.free_symbols]
        for part in (sp.Add(*(term for term in terms if term not in sums)), *sums):
            inner = part.function if part in sums else part
            limits = part.limits if part in sums else ()
            for index, low, high in (*limits, nodes):
                self.open(index, low, high)
            value, place = self.value(inner), self.address(target)
            if limits:
                builder = self.at(len(self.levels) - 1)
                before = builder.load(builder.gep(self.memory[memory], [place], inbounds=True))
                value = builder.fadd(before, value, flags=FAST)
            self.store(memory, place, value)
            for _ in (*limits, nodes):
                self.close()

    def _factor(self, definition: Definition) -> None:
        start = {index: sp.S.One for index, _, _ in definition.ranges[-2:]}
        read, written = (e.base[tuple(sp.sympify(i).xreplace(start) for i in e.indices)] for e in (definition.value, definition.target))
        size = self.integer(self.places[read.base][1].axes[-1].symbol)
        origin, goal = self.address(read), self.address(written)
        builder = self.at(len(self.levels) - 1)
        kind = ir.FunctionType(_INT, [_INT] * 4)
        function = builder.inttoptr(self.factor if definition.factor > 0 else self.inverse, kind.as_pointer())
        builder.call(function, [builder.ptrtoint(self.memory["w"], _INT), origin, goal, size])

    def store(self, memory: str, place: ir.Value, value: ir.Value) -> None:
        builder = self.at(len(self.levels) - 1)
        builder.store(value, builder.gep(self.memory[memory], [place], inbounds=True))

    # values

    def level_of(self, e: sp.Basic) -> int:
        """The outermost level at which all indices of an expression are known."""
        return max((self.depth[s] for s in e.free_symbols if s in self.depth), default=0)

    def integer(self, e: sp.Expr) -> ir.Value:
        """An expression of indices and sizes."""
        e = sp.sympify(e)
        if isinstance(e, sp.Integer):
            return ir.Constant(_INT, int(e))
        if e in self.sizes:
            return self.sizes[e]
        if e in self.depth:
            counter = self.levels[self.depth[e]].counter
            assert counter is not None
            return counter
        parts = [self.integer(a) for a in e.args]
        builder = self.at(self.level_of(e))
        found = parts[0]
        for part in parts[1:]:
            found = builder.add(found, part) if e.is_Add else builder.mul(found, part)
        return found

    def address(self, element: sp.Indexed) -> ir.Value:
        """Place of an array's element, in its memory."""
        array = self.places[element.base][1]
        places = [self.integer(index) for index in element.indices]
        lengths = [self.integer(axis.symbol) for axis in array.axes]
        builder = self.at(self.level_of(element))
        found: ir.Value | None = None
        for length, index in zip(lengths, places, strict=True):
            place = builder.sub(index, ir.Constant(_INT, 1))
            found = place if found is None else builder.add(builder.mul(found, length), place)
        offset = self.offsets[element.base]
        return offset if found is None else builder.add(offset, found)

    def value(self, e: sp.Expr) -> ir.Value:
        """An expression, computed as far outside as its indices allow and once only."""
        memo = self.levels[self.level_of(e)].memo
        if e not in memo:
            memo[e] = self._compute(e)
        return memo[e]

    def written(self, e: sp.Basic) -> sp.Basic:
        """A moment as what it stands for."""
        if not isinstance(e, Moment):
            return e
        kernel = self.kernels[e.name]
        return kernel.value.xreplace(dict(zip(kernel.arguments, e.arguments, strict=True)))

    def _compute(self, e: sp.Expr) -> ir.Value:
        if e.is_Number or e.is_NumberSymbol or (e.is_number and not e.args):
            return ir.Constant(_DOUBLE, float(e))
        if isinstance(e, sp.Sum):
            return self._sum(e)
        if isinstance(e, sp.Indexed):
            memory, place = self.places[e.base][0], self.address(e)
            builder = self.at(self.level_of(e))
            return builder.load(builder.gep(self.memory[memory], [place], inbounds=True))
        if isinstance(e, Moment):
            return self.value(self.written(e))
        if isinstance(e, sp.Symbol):
            return self.scalars[e]
        if isinstance(e, sp.KroneckerDelta):
            ends = [self.integer(a) for a in e.args]
            builder = self.at(self.level_of(e))
            same = builder.icmp_signed("==", *ends)
            return builder.select(same, ir.Constant(_DOUBLE, 1.0), ir.Constant(_DOUBLE, 0.0))
        if e.is_Add or e.is_Mul:
            return self._fold(e, "fadd" if e.is_Add else "fmul")
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e)
        if isinstance(e, sp.Pow):
            return self._power(e)
        return self._function(e)

    def _fold(self, e: sp.Expr, operation: str) -> ir.Value:
        """Terms or factors from the outermost to the innermost, so that what does not change in a loop stays outside it."""
        parts = sorted(e.args, key=self.level_of)
        found, level = self.value(parts[0]), self.level_of(parts[0])
        done: list[sp.Expr] = [parts[0]]
        for part in parts[1:]:
            level = max(level, self.level_of(part))
            done.append(part)
            key = sp.Tuple(sp.Symbol(operation), *done)
            memo = self.levels[level].memo
            if key not in memo:
                right = self.value(part)
                memo[key] = getattr(self.at(level), operation)(found, right, flags=FAST)
            found = memo[key]
        return found

    def _power(self, e: sp.Pow) -> ir.Value:
        base, exponent = e.base, e.exp
        if exponent.is_Integer and abs(int(exponent)) <= 8:
            inner = self.value(base)
            builder = self.at(self.level_of(e))
            found = inner
            for _ in range(abs(int(exponent)) - 1):
                found = builder.fmul(found, inner, flags=FAST)
            return found if exponent > 0 else builder.fdiv(ir.Constant(_DOUBLE, 1.0), found)
        if abs(exponent) == sp.Rational(1, 2):
            inner = self.value(base)
            return self.elementary.root(self.at(self.level_of(e)), inner, exponent < 0)
        left, right = self.value(base), self.value(exponent)
        return self.elementary.call(self.at(self.level_of(e)), "pow", left, right)

    def _function(self, e: sp.Expr) -> ir.Value:
        if isinstance(e, Angle):
            c, v, w = (self.value(a) for a in e.args)
            builder = self.at(self.level_of(e))
            return self.elementary.angle(builder, self.elementary.correlation(builder, c, self.elementary.both(builder, v, w)))
        if isinstance(e, FourSigns | GivenAngle):
            return self._four(e)
        if isinstance(e, Minor | Over):
            parts = [self.value(a) for a in e.args]
            return getattr(self.elementary, type(e).__name__.lower())(self.at(self.level_of(e)), *parts)
        rule: Callable[..., ir.Value] | None = FUNCTIONS.get(type(e).__name__)
        if rule is None:
            raise Unprintable(f"{type(e).__name__} has no compiled form in a flow (known: {' '.join(FUNCTIONS)})")
        count = 1 if type(e).__name__ == "Heaviside" else len(e.args)
        parts = [self.value(a) for a in e.args[:count]]
        return rule(self.elementary, self.at(self.level_of(e)), *parts)

    def _four(self, e: sp.Expr) -> ir.Value:
        """One of the seven results that four fields share."""
        number, fields = (int(e.args[0]) + 1, e.args[1:]) if isinstance(e, GivenAngle) else (0, e.args)
        memo, key = self.levels[self.level_of(e)].memo, sp.Tuple(*fields)
        if key not in memo:
            parts = [self.value(a) for a in fields]
            place = ir.IRBuilder(self.entry).alloca(_DOUBLE, 7)
            self.at(self.level_of(e)).call(four_signs(self.function.module), [*parts, place])
            memo[key] = place
        builder = self.at(self.level_of(e))
        return builder.load(builder.gep(memo[key], [ir.Constant(_INT, number)], inbounds=True))

    def _piecewise(self, e: sp.Piecewise) -> ir.Value:
        values = [self.value(value) for value, _ in e.args]
        conditions = [self._condition(condition) for _, condition in e.args[:-1]]
        if e.args[-1][1] != sp.true:
            raise Unprintable("a piecewise function without a last branch has no compiled form in a flow")
        builder = self.at(self.level_of(e))
        found = values[-1]
        for value, condition in zip(reversed(values[:-1]), reversed(conditions), strict=True):
            found = builder.select(condition, value, found)
        return found

    def _condition(self, condition: sp.Basic) -> ir.Value:
        if isinstance(condition, sp.And | sp.Or):
            parts = [self._condition(c) for c in condition.args]
            builder = self.at(self.level_of(condition))
            found = parts[0]
            for part in parts[1:]:
                found = builder.and_(found, part) if isinstance(condition, sp.And) else builder.or_(found, part)
            return found
        if isinstance(condition, sp.core.relational.Relational) and condition.rel_op in ("<", "<=", ">", ">="):
            left, right = self.value(condition.lhs), self.value(condition.rhs)
            return self.at(self.level_of(condition)).fcmp_ordered(condition.rel_op, left, right)
        raise Unprintable(f"the condition {condition} has no compiled form in a flow")

    def _sum(self, e: sp.Sum) -> ir.Value:
        """A loop at the level of the sum, even where deeper loops are open: these wait until it is done."""
        level = self.level_of(e)
        waiting, self.levels = self.levels[level + 1 :], self.levels[: level + 1]
        hidden = {index: place for index, place in self.depth.items() if place > level}
        for index in hidden:
            del self.depth[index]
        total = ir.IRBuilder(self.entry).alloca(_DOUBLE)
        self.at(level).store(ir.Constant(_DOUBLE, 0.0), total)
        for index, low, high in e.limits:
            self.open(index, low, high)
        value = self.value(e.function)
        builder = self.at(len(self.levels) - 1)
        flags = LONG if e.limits[-1][2] in self.long else FAST
        builder.store(builder.fadd(builder.load(total), value, flags=flags), total)
        for _ in e.limits:
            self.close()
        found = self.at(level).load(total)
        self.levels += waiting
        self.depth |= hidden
        return found
