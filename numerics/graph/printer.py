"""Scheduled graph to text.  The text names functions only; a table of names (numerics.backends) gives them a meaning."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from numerics.graph.passes import passes
from numerics.graph.records import Graph
from numerics.graph.schedule import Level, bodies, stored_arrays

_INFIX = {"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "and": "&", "or": "|"}


@dataclass(frozen=True)
class Printed:
    """Text of one function, functions and constants it calls, and how many scratch arrays it needs over each loop."""

    text: str
    arrays: tuple[int, ...]


class Constants:
    """Exact constants, printed once at the head of a module: c0 = rational(1, 3), c1 = c_sqrt(c0), ..."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[str, str] = {}

    def name(self, graph: Graph, r: int) -> str:
        op, args = graph.op[r], graph.args[r]
        if op == "const":
            if args[0] in (0, 1, -1):
                return f"{int(args[0])}.0"
            text = f"rational({args[0].numerator}, {args[0].denominator})"
        elif op == "named":
            text = f"named({args[0]!r})"
        else:
            inner = [self.name(graph, a) for a in args]
            if op in ("add", "mul"):
                text = f"{inner[0]} {'+' if op == 'add' else '*'} {inner[1]}"
            elif op == "neg":
                text = f"-{inner[0]}"
            elif op == "inv":
                text = f"1 / {inner[0]}"
            elif op in _INFIX:
                text = f"{inner[0]} {_INFIX[op]} {inner[1]}"
            else:
                text = f"c_{op}({', '.join(inner)})"
        if text not in self._names:
            self._names[text] = f"c{len(self._names)}"
            self.lines.append(f"{self._names[text]} = {text}")
        return self._names[text]


class Printer:
    """Prints one function that fills `out`.

    Args:
        graph: legal records for the backend.
        loops: how many loops there are.
        constants: shared by the functions of a module.
        keep, split: arrays and fission on or off (off is for tests).
    """

    def __init__(self, graph: Graph, loops: int, constants: Constants, keep: bool = True, split: bool = True) -> None:
        self.graph, self.loops, self.constants, self.keep, self.split = graph, loops, constants, keep, split

    def function(self, name: str, targets: list[int], signature: str = "p, x, w, off, scr, out") -> Printed:
        """A function that writes `targets` to out[0], out[1], ... and returns how many."""
        lines, arrays = self.body(targets)
        return Printed("\n".join([f"def {name}({signature}):", *lines, f"    return {len(targets)}", ""]), arrays)

    def body(self, targets: list[int], indent: int = 1) -> tuple[list[str], tuple[int, ...]]:
        self._names: dict[int, str] = {}
        self._lines: list[str] = []
        self._used: set[int] = set()
        self._kept = stored_arrays(self.graph, targets) if self.keep else {}
        self._buffer: dict[int, tuple[int, int]] = {}
        self._block(0, targets, set(), set(), set(), indent)
        pad = "    " * indent
        for i, r in enumerate(targets):
            self._lines.append(f"{pad}out[{i}] = {self._name(r)}")
        counts = [sum(1 for loop, _ in self._buffer.values() if loop == k) for k in range(self.loops)]
        head = []
        for loop in sorted(self._used):
            head += [
                f"{pad}n{loop} = off[{loop + 1}] - off[{loop}]",
                f"{pad}x{loop} = view(x, off[{loop}], off[{loop + 1}])",
                f"{pad}w{loop} = view(w, off[{loop}], off[{loop + 1}])",
            ]
        start = "0"
        for loop, i in sorted(self._buffer.values()):
            head += [f"{pad}o{loop}_{i} = {start}", f"{pad}b{loop}_{i} = view(scr, o{loop}_{i}, o{loop}_{i} + n{loop})"]
            start = f"o{loop}_{i} + n{loop}"
        return head + self._lines, tuple(counts)

    def _name(self, r: int) -> str:
        if self.graph.constant[r]:
            return self.constants.name(self.graph, r)
        if self._inline(r):
            return f"(-{self._name(self.graph.args[r][0])})"
        if r not in self._names:
            self._names[r] = f"{'s' if self.graph.op[r] == 'red' else 'v'}{len(self._names)}"
        return self._names[r]

    def _inline(self, r: int) -> bool:
        """Signs are written where they are read; no sign is kept in an array."""
        return self.graph.op[r] == "neg"

    def _array(self, r: int) -> str:
        if r not in self._buffer:
            loop = self._kept[r]
            self._buffer[r] = (loop, sum(1 for k, _ in self._buffer.values() if k == loop))
        loop, i = self._buffer[r]
        return f"b{loop}_{i}"

    def _block(self, scope: int, targets: Iterable[int], have: set[int], filled: set[int], filling: set[int], indent: int) -> None:
        level, known = Level(self.graph, scope, targets, have, self._kept, filled, filling), set(self._kept)
        have, filled_now = set(have), set(filled)
        pad = "    " * indent
        runs = deque(passes(self.graph, level, self._kept, self.split, self.keep))
        for rank in range(level.last + 1):
            while runs and runs[0].rank == rank:
                this = runs.popleft()
                self._loop(scope, this.loop, this.tasks, have, filled_now, filling, indent)
                have.update(t for t in this.tasks if not self.graph.mask[t] & ~scope)
                filled_now.update(t for t in this.tasks if self.graph.mask[t] & ~scope)
            for r in level.straight.get(rank, ()):
                if not self._inline(r):
                    self._lines.append(f"{pad}{self._name(r)} = {self._expression(r, level)}")
                have.add(r)
        for r in self._kept.keys() - known:  # stored for the passes of this scope only
            del self._kept[r]

    def _expression(self, r: int, level: Level) -> str:
        graph, op, args = self.graph, self.graph.op[r], self.graph.args[r]
        if level.read(r):
            return f"{self._array(r)}[j{self._kept[r]}]"
        if op == "param":
            return f"p[{args[0]}]"
        if op == "node":
            return f"x{args[0]}[j{args[0]}]"
        if op == "inv":
            return f"1.0 / {self._name(args[0])}"
        if op == "mul":
            return f"{self._name(args[0])} * {self._name(args[1])}"
        if op == "add":
            (a, b), minus = args, "neg"
            if graph.op[b] == minus and not graph.constant[b]:
                return f"{self._name(a)} - {self._name(graph.args[b][0])}"
            if graph.op[a] == minus and not graph.constant[a]:
                return f"{self._name(b)} - {self._name(graph.args[a][0])}"
            return f"{self._name(a)} + {self._name(b)}"
        if op in _INFIX:
            return f"{self._name(args[0])} {_INFIX[op]} {self._name(args[1])}"
        return f"{'sel' if op == 'sel' else 'f_' + op}({', '.join(self._name(a) for a in args)})"

    def _loop(self, scope: int, loop: int, tasks: list[int], have: set[int], filled: set[int], filling: set[int], indent: int) -> None:
        graph, pad = self.graph, "    " * indent
        if scope >> loop & 1:
            raise ValueError(f"loop {loop} would run inside itself: two sums nest it and another loop in opposite orders")
        self._used.add(loop)
        fills = {t for t in tasks if graph.mask[t] & ~scope}
        for t in tasks:
            if t not in fills:
                largest = graph.op[t] == "redmax"
                self._lines.append(f"{pad}{'k' if largest else ''}{self._name(t)} = {'keymin()' if largest else '0.0'}")
        self._lines.append(f"{pad}for j{loop} in range(n{loop}):")
        inner = indent + 1
        read = [r for t in tasks for r in bodies(graph, loop, t)]
        self._block(scope | 1 << loop, read, have, filled, filling | fills, inner)
        inside = "    " * inner
        weights: dict[int, str] = {}
        for t in tasks:
            if t in fills:
                self._lines.append(f"{inside}{self._array(t)}[j{loop}] = {self._name(t)}")
            elif graph.op[t] == "redmax":
                self._lines.append(f"{inside}k{self._name(t)} = imax(k{self._name(t)}, okey({self._name(graph.args[t][1])}))")
            else:
                _, weight, body = graph.args[t]
                if weight not in weights:
                    weights[weight] = f"q{loop}_{len(weights)}"
                    factor = "" if weight == graph.one else f" * {self._name(weight)}"
                    self._lines.append(f"{inside}{weights[weight]} = w{loop}[j{loop}]{factor}")
                factor = "" if body == graph.one else f" * {self._name(body)}"
                self._lines.append(f"{inside}{self._name(t)} += {weights[weight]}{factor}")
        for t in tasks:
            if t not in fills and graph.op[t] == "redmax":
                self._lines.append(f"{pad}{self._name(t)} = unkey(k{self._name(t)})")
