"""Kernel text to LLVM assembly.

The text is a small part of Python: assignments of one operation, loops over range, sums, returns.  Translating it directly
takes a few milliseconds, where numba's typing and lowering of the same lines take seconds; and pointers are declared free
of aliases, which numba cannot say.  What the text means is tested against its run under mpmath.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_LIBRARY = Path(__file__).parent.parent / "special" / "library.py"
_ALIASES = {
    "exp": "vexp",
    "log": "vlog",
    "log1p": "vlog1p",
    "tail": "vtail",
    "gap_": "vgap",
    "logh_": "vlogh",
    "tanh_": "vtanh",
    "erf_": "verf",
    "digamma": "digamma",
}
_EXTERN = {
    "sqrt": "llvm.sqrt.f64",
    "abs": "llvm.fabs.f64",
    "sin": "llvm.sin.f64",
    "cos": "llvm.cos.f64",
    "tan": "tan",
    "acos": "acos",
    "asin": "asin",
    "atan": "atan",
    "lgamma": "lgamma",
    "pow": "llvm.pow.f64",
}
_FLOAT = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_INT = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.LShift: "shl",
    ast.RShift: "ashr",
}
_COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
_TYPES = {"p": "double*", "x": "double*", "w": "double*", "off": "i64*", "scr": "double*", "out": "double*", "l": "i64"}

Value = tuple[str, str]  # type, name


def assembly(function: str, constants: Mapping[str, float], name: str) -> str:
    """A module with one kernel, called `name`, and what it calls.

    Args:
        function: text of one function.
        constants: values of the names it reads.
        name: the kernel's name in the module; weak, since a process may load one kernel twice.
    """
    definition = ast.parse(function).body[0]
    assert isinstance(definition, ast.FunctionDef)
    kernel = _Function("reassoc nsz contract ", constants)
    text = kernel.kernel(definition, name)
    parts, done, stack = [text], set(), sorted(kernel.called)
    externs = set(kernel.externs)
    while stack:
        callee = stack.pop()
        if callee not in done:
            done.add(callee)
            body, calls, outside = _library_function(callee)
            parts.append(body)
            stack.extend(calls)
            externs |= outside
    signature = {"llvm.pow.f64": "double, double"}
    parts += [f"declare double @{e}({signature.get(e, 'double')})" for e in sorted(externs)]
    return "\n\n".join(parts) + "\n"


@cache
def _library() -> dict[str, ast.FunctionDef]:
    return {n.name: n for n in ast.parse(_LIBRARY.read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef)}


@cache
def _library_function(name: str) -> tuple[str, frozenset[str], frozenset[str]]:
    function = _Function("contract ", {})
    text = function.library(_library()[name])
    return text, frozenset(function.called), frozenset(function.externs)


class _Function:
    """Writes one function.  `flags` go on every floating operation."""

    def __init__(self, flags: str, constants: Mapping[str, float]) -> None:
        self.flags, self.constants = flags, constants
        self.lines: list[str] = []
        self.loops: list[str] = []  # metadata: passes over nodes do not depend on one another
        self.group = ""
        self.values: dict[str, Value] = {}
        self.slots: dict[str, str] = {}
        self.called: set[str] = set()
        self.externs: set[str] = set()
        self._count = 0

    def kernel(self, node: ast.FunctionDef, name: str) -> str:
        arguments = []
        for a in node.args.args:
            kind = _TYPES[a.arg]
            arguments.append(f"i64 %{a.arg}" if kind == "i64" else f"ptr noalias %{a.arg}")
            self.values[a.arg] = (kind, f"%{a.arg}")
        carried = {n.target.id for n in ast.walk(node) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
        for n in ast.walk(node):
            if (
                isinstance(n, ast.Assign)
                and isinstance(n.value, ast.Call)
                and isinstance(n.value.func, ast.Name)
                and n.value.func.id == "imax"
            ):
                assert isinstance(n.targets[0], ast.Name)
                carried.add(n.targets[0].id)
        slots = []
        for variable in sorted(carried):
            kind = "i64" if variable.startswith("k") else "double"
            self.slots[variable] = kind
            slots.append(f"  %slot.{variable} = alloca {kind}")
        self._statements(node.body)
        head = f'define weak_odr i64 @{name}({", ".join(arguments)}) noinline nounwind "prefer-vector-width"="512" {{\nentry:'
        return "\n".join([head, *slots, *self.lines, "}", *self.loops])

    def library(self, node: ast.FunctionDef) -> str:
        integer = node.name == "unkey"
        for a in node.args.args:
            self.values[a.arg] = ("i64" if integer else "double", f"%{a.arg}")
        result = ""
        for statement in node.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.values[statement.targets[0].id] = self._value(statement.value)
            elif isinstance(statement, ast.Return) and statement.value is not None:
                kind, value = self._value(statement.value)
                self.lines.append(f"  ret {kind} {value}")
                result = kind
        arguments = ", ".join(f"{'i64' if integer else 'double'} %{a.arg}" for a in node.args.args)
        return "\n".join([f"define internal {result} @{node.name}({arguments}) alwaysinline nounwind {{", *self.lines, "}"])

    # statements
    def _statements(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if isinstance(statement, ast.Assign):
                self._assign(statement.targets[0], self._value(statement.value))
            elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
                old = self._value(ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement))
                self._assign(statement.target, self._emit("double", f"fadd {self.flags}double {old[1]}, {self._value(statement.value)[1]}"))
            elif isinstance(statement, ast.For):
                self._loop(statement)
            elif isinstance(statement, ast.If):
                condition = self._value(statement.test)
                self._count += 1
                yes, no = f"yes{self._count}", f"no{self._count}"
                self.lines += [f"  br i1 {condition[1]}, label %{yes}, label %{no}", f"{yes}:"]
                self._statements(statement.body)  # ends with a return
                self.lines.append(f"{no}:")
            elif isinstance(statement, ast.Return) and statement.value is not None:
                self.lines.append(f"  ret i64 {self._value(statement.value)[1]}")
            else:
                raise TypeError(f"kernel text holds a statement that is not translated: {ast.unparse(statement)}")

    def _assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            if target.id in self.slots:
                self.lines.append(f"  store {value[0]} {value[1]}, ptr %slot.{target.id}")
            else:
                self.values[target.id] = value
        else:
            assert isinstance(target, ast.Subscript)
            self.lines.append(f"  store {value[0]} {value[1]}, ptr {self._element(target)[1]}{self.group}")

    def _loop(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        limit = self._value(node.iter.args[0])[1]
        self._count += 1
        k, j = self._count, f"%j{self._count}"
        self.lines += [
            f"  br label %before{k}",
            f"before{k}:",
            f"  br label %head{k}",
            f"head{k}:",
            f"  {j} = phi i64 [ 0, %before{k} ], [ {j}.next, %latch{k} ]",
            f"  {j}.more = icmp slt i64 {j}, {limit}",
            f"  br i1 {j}.more, label %body{k}, label %after{k}",
            f"body{k}:",
        ]
        self.values[node.target.id] = ("i64", j)
        hint = ""
        if not any(isinstance(s, ast.For) for s in node.body):  # arrays share one piece of scratch, and LLVM would ask whether they overlap
            at = len(self.loops)
            self.loops += [f"!{at} = distinct !{{}}", f'!{at + 1} = !{{!"llvm.loop.parallel_accesses", !{at}}}']
            self.loops.append(f"!{at + 2} = distinct !{{!{at + 2}, !{at + 1}}}")
            self.group, hint = f", !llvm.access.group !{at}", f", !llvm.loop !{at + 2}"
        self._statements(node.body)
        self.group = ""
        back = [f"latch{k}:", f"  {j}.next = add nuw nsw i64 {j}, 1", f"  br label %head{k}{hint}"]
        self.lines += [f"  br label %latch{k}", *back, f"after{k}:"]

    # expressions
    def _emit(self, kind: str, operation: str) -> Value:
        self._count += 1
        self.lines.append(f"  %t{self._count} = {operation}")
        return kind, f"%t{self._count}"

    def _element(self, node: ast.Subscript) -> Value:
        kind, base = self._value(node.value)
        index = self._value(node.slice)[1]
        return kind[:-1], self._emit("ptr", f"getelementptr inbounds {kind[:-1]}, ptr {base}, i64 {index}")[1]

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            return _literal(node.value)
        if isinstance(node, ast.Name):
            if node.id in self.slots:
                return self._emit(self.slots[node.id], f"load {self.slots[node.id]}, ptr %slot.{node.id}")
            return self.values[node.id] if node.id in self.values else _literal(self.constants[node.id])
        if isinstance(node, ast.Attribute):
            return _literal({"inf": float("inf"), "nan": float("nan")}[node.attr])
        if isinstance(node, ast.Subscript):
            kind, pointer = self._element(node)
            return self._emit(kind, f"load {kind}, ptr {pointer}{self.group}")
        if isinstance(node, ast.UnaryOp):
            kind, value = self._value(node.operand)
            return self._emit(kind, f"fneg {self.flags}double {value}" if kind == "double" else f"sub {kind} 0, {value}")
        if isinstance(node, ast.BinOp):
            (kind, a), (_, b) = self._value(node.left), self._value(node.right)
            operation = f"{_FLOAT[type(node.op)]} {self.flags}" if kind == "double" else _INT[type(node.op)] + " "
            return self._emit(kind, f"{operation}{kind} {a}, {b}")
        if isinstance(node, ast.Compare):
            (kind, a), (_, b) = self._value(node.left), self._value(node.comparators[0])
            word = _COMPARE[type(node.ops[0])]
            if kind == "double":
                return self._emit("i1", f"fcmp {'une' if word == 'ne' else 'o' + word} double {a}, {b}")
            return self._emit("i1", f"icmp {word if word in ('eq', 'ne') else 's' + word} {kind} {a}, {b}")
        assert isinstance(node, ast.Call)
        return self._call(node)

    def _call(self, node: ast.Call) -> Value:
        name = (
            node.func.id if isinstance(node.func, ast.Name) else f"f_{ast.unparse(node.func).removeprefix('math.').replace('fabs', 'abs')}"
        )
        if name == "view":
            kind, base = self._value(node.args[0])
            return self._emit(kind, f"getelementptr inbounds {kind[:-1]}, ptr {base}, i64 {self._value(node.args[1])[1]}")
        args = [self._value(a) for a in node.args]
        if name == "sel":
            return self._emit("double", f"select i1 {args[0][1]}, double {args[1][1]}, double {args[2][1]}")
        if name == "bits":
            return self._emit("i64", f"bitcast double {args[0][1]} to i64")
        if name == "unbits":
            return self._emit("double", f"bitcast i64 {args[0][1]} to double")
        if name == "imax":
            more = self._emit("i1", f"icmp sgt i64 {args[0][1]}, {args[1][1]}")[1]
            return self._emit("i64", f"select i1 {more}, i64 {args[0][1]}, i64 {args[1][1]}")
        op = name.removeprefix("f_")
        if name.startswith("f_") and op in _EXTERN:
            self.externs.add(_EXTERN[op])
            return self._emit("double", f"call {self.flags}double @{_EXTERN[op]}({', '.join(f'double {v}' for _, v in args)})")
        callee = _ALIASES[op] if name.startswith("f_") else name
        self.called.add(callee)
        kind = "i64" if callee in ("okey", "keymin") else "double"
        return self._emit(kind, f"call {kind} @{callee}({', '.join(f'{k} {v}' for k, v in args)})")


def _literal(number: object) -> Value:
    if isinstance(number, bool):
        return "i1", str(number).lower()
    if isinstance(number, int):
        return "i64", str(number)
    assert isinstance(number, float)
    return "double", f"0x{struct.unpack('>Q', struct.pack('>d', number))[0]:016X}"
