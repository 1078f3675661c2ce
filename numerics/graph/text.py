"""A program's kernels as text: residual with Jacobian, values, probe, inside; and value-only text for exact evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numerics.graph.differentiate import Derivatives
from numerics.graph.legalise import Legalise
from numerics.graph.lower import Lowering
from numerics.graph.printer import Constants, Printer
from numerics.graph.records import Graph
from numerics.graph.schedule import reachable
from numerics.program import Program


@dataclass(frozen=True)
class KernelText:
    """Text of the kernels of one program.

    Args:
        compiled: functions residual, values, probe, inside over legal operations.
        compiled_constants: their constants, one assignment a line, exact.
        exact: functions residual and values, without derivatives and over the functions of the theory.
        exact_constants: the same for `exact`.
        arrays: scratch arrays needed over each loop.
        late: whether a loop is needed by values only.
    """

    compiled: str
    compiled_constants: tuple[str, ...]
    exact: str
    exact_constants: tuple[str, ...]
    arrays: tuple[int, ...]
    late: tuple[bool, ...]


class _Unshifted(Legalise):
    """Copies records with the shift of outermost exponents removed: plain sums add up over panels."""

    def _copy(self, r: int) -> int:
        if self.source.op[r] == "redmax" and not self.source.mask[r]:
            return self.graph.zero
        return super()._copy(r)


def lowered(program: Program, graph: Graph) -> tuple[Lowering, list[int]]:
    """A lowering for `program` into `graph`, and its residuals x_i - G_i."""
    names = (*program.unknowns, *program.controls)
    lowering = Lowering(graph, {s: graph.param(i) for i, s in enumerate(names)}, {loop.variable: k for k, loop in enumerate(program.loops)})
    return lowering, [graph.sub(lowering(x), lowering(e)) for x, e in zip(program.unknowns, program.equations, strict=True)]


def derivatives(graph: Graph, residuals: Sequence[int], unknowns: int, controls: int, local: bool | None = None) -> list[int]:
    """dR_i/dx_j row by row, then dR_i/dcontrol_k row by row."""
    seeds = tuple(graph.param(i) for i in range(unknowns + controls))
    tangent = Derivatives(graph, seeds, local=local)
    rows = [tangent(r) for r in residuals]
    jacobian = [row.get(s, graph.zero) for row in rows for s in seeds[:unknowns]]
    return jacobian + [row.get(s, graph.zero) for row in rows for s in seeds[unknowns:]]


def kernel_text(program: Program, local: bool | None = None, keep: bool = True, split: bool = True) -> KernelText:
    """Lower, differentiate, legalise and print.  `local`, `keep` and `split` force passes one way, for tests."""
    graph, legal, plain = Graph(), Graph(), Graph()
    lowering, residuals = lowered(program, graph)
    values = [lowering(e) for e in program.values.values()]
    constraints = [lowering(e) for e in program.constraints]
    count = len(program.loops)

    exact_constants = Constants()
    exact = Printer(graph, count, exact_constants, keep, split)
    exact_printed = [exact.function("residual", residuals), exact.function("values", values)]

    unknowns, controls = len(program.unknowns), len(program.controls)
    absent = [graph.zero] * (len(residuals) * (unknowns + controls))
    slopes = absent if program.iterated else derivatives(graph, residuals, unknowns, controls, local)
    legalise = Legalise(graph, legal)
    roots, value_roots, inside_roots = legalise([*residuals, *slopes]), legalise(values), legalise(constraints)
    constants = Constants()
    printer = Printer(legal, count, constants, keep, split)
    printed = [printer.function("residual", roots), printer.function("values", value_roots), printer.function("inside", inside_roots)]
    arrays = [p.arrays for p in printed + exact_printed]

    unshifted = _Unshifted(graph, plain)
    needed = reachable(plain, unshifted(residuals))
    below = reachable(plain, unshifted(values))
    probe = ["def probe(l, p, x, w, off, scr, out):"]
    prober = Printer(plain, count, constants, keep, split)
    for k in range(count):
        sums, others = (
            [r for r in part if plain.op[r] == "red" and plain.args[r][0] == k and not plain.mask[r]] for part in (needed, below)
        )
        sums = sums or others  # loops that only values read are adapted to those
        if sums:
            lines, used = prober.body(sums, indent=2)
            probe += [f"    if l == {k}:", *lines, f"        return {len(sums)}"]
            arrays.append(used)
    for k, loop in enumerate(program.loops):
        near = [e for f in program.features if f.loop == loop.variable for e in (f.place, f.width)]
        if near:  # asked for as loop number count + k
            lines, used = prober.body(unshifted([lowering(e) for e in near]), indent=2)
            probe += [f"    if l == {count + k}:", *lines, f"        return {len(near)}"]
            arrays.append(used)
    probe += ["    return 0", ""]
    functions = [p.text for p in printed] + ["\n".join(probe)]
    return KernelText(
        "\n\n".join(functions),
        tuple(constants.lines),
        "\n\n".join(p.text for p in exact_printed),
        tuple(exact_constants.lines),
        tuple(max((a[k] for a in arrays), default=0) for k in range(count)),
        tuple(not any(plain.op[r] == "red" and plain.args[r][0] == k for r in needed) for k in range(count)),
    )
