"""Program or Theory to Module: compiled kernels with one fixed signature each, and exact evaluation of the same text."""

from __future__ import annotations

import hashlib
import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache as once
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from numerics.backends import native_names
from numerics.cache import KernelCache, Loaded, digest
from numerics.graph.identity import identity, program_identity
from numerics.graph.text import kernel_text
from numerics.native import Kernel
from numerics.program import Program, Rule
from replica.theory import Theory

_HERE = Path(__file__).parent
WINDOWED = 19  # digits that the windows of compiled kernels hold
_BACKENDS = ("mpmath", "flint", "numpy")


@dataclass(frozen=True)
class LoopInfo:
    """What a solver needs to know of a loop: its rule, the numbers of the loops it runs inside, outermost first, and whether only
    values need it, not the equations."""

    rule: Rule
    inside: tuple[int, ...] = ()
    late: bool = False


@dataclass(frozen=True)
class Module:
    """Kernels of one program.

    All take (p, x, w, off, scr, out): p = unknowns then controls; nodes x and weights w of all loops stacked, loop l owning
    off[l]:off[l+1]; scratch of at least scratch(off) doubles; results in out.  All return how many results they wrote.

    Args:
        residual: R_i = x_i - G_i (n), then dR_i/dx_j by rows (n*n), then dR_i/dcontrol_k by rows (n*c).
        values: the named results, in the order of `values_order`.
        probe: takes the number l of a loop at depth 0 first; the plain sums over its nodes that the residual needs, or else the values;
            asked for loop l + (number of loops), the place and width of every feature of l (numerics.program.Feature).
        inside: expressions that are positive inside the domain.
        unknowns, controls, values_order: names.
        loops: one record per loop, in the order of `off`.
        arrays: scratch arrays needed over each loop.
        warm: whether machine code came from the cache.
        theory: what was compiled; None for a bare program.
    """

    residual: Kernel
    values: Kernel
    probe: Kernel
    inside: Kernel
    unknowns: tuple[str, ...]
    controls: tuple[str, ...]
    values_order: tuple[str, ...]
    constraints: int
    loops: tuple[LoopInfo, ...]
    arrays: tuple[int, ...]
    warm: bool
    exact_text: str
    exact_constants: tuple[str, ...]
    theory: Theory | None = None
    given: Program | None = None
    _wider: dict[int, str] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        name = self.theory.name if self.theory is not None else "a program"
        loops = ", ".join(f"{loop.rule.name.lower()}{' nested' * bool(loop.inside)}" for loop in self.loops) or "none"
        return f"Module({name}: unknowns {' '.join(self.unknowns)}; controls {' '.join(self.controls)}; loops {loops})"

    def _exact_text(self, digits: int) -> str:
        """Value-only text whose windows leave out nothing that shows in so many digits."""
        if digits <= WINDOWED or self.theory is None or all(loop.rule not in (Rule.UNIT, Rule.RAY) for loop in self.loops):
            return "\n".join((*self.exact_constants, self.exact_text))
        if digits not in self._wider:
            text = kernel_text(_rewrite(self.theory, math.sqrt(2 * digits * math.log(10)) + 1))
            self._wider[digits] = "\n".join((*text.exact_constants, text.exact))
        return self._wider[digits]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of p: unknowns, then controls."""
        return self.unknowns + self.controls

    @property
    def program(self) -> Program:
        """The program that was compiled; rewritten anew where the module came from the cache."""
        if self.given is not None:
            return self.given
        assert self.theory is not None
        return _rewrite(self.theory)

    def scratch(self, off: Sequence[int]) -> int:
        """Doubles of scratch that the kernels need with these offsets (at least one)."""
        return max(1, sum(count * (int(off[k + 1]) - int(off[k])) for k, count in enumerate(self.arrays)))

    def exact(self, digits: int, backend: str = "mpmath") -> Exact:
        """Value-only residual and values in `backend`: mpmath, flint (if python-flint is installed) or numpy (16 digits)."""
        if backend not in _BACKENDS:
            raise ValueError(f"unknown backend {backend!r}; known are {', '.join(_BACKENDS)}")
        names, number = importlib.import_module(f"numerics.backends.{backend}_names").namespace(digits)
        space = dict(names)
        exec(self._exact_text(digits), space)  # our own text, free of user names
        return Exact(space["residual"], space["values"], number, len(self.unknowns), len(self.values_order), self.scratch)


@dataclass(frozen=True)
class Exact:
    """Residual and values at the precision of a backend.  Numbers may be given as backend numbers, decimal strings or ints."""

    _residual: Callable[..., int]
    _values: Callable[..., int]
    number: Callable[[Any], Any]
    unknowns: int
    results: int
    scratch: Callable[[Sequence[int]], int]

    def residual(self, p: Sequence[Any], x: Sequence[Any], w: Sequence[Any], off: Sequence[int]) -> list[Any]:
        """R_i = x_i - G_i, for nodes `x` and weights `w` of all loops stacked."""
        return self._run(self._residual, self.unknowns, p, x, w, off)

    def values(self, p: Sequence[Any], x: Sequence[Any], w: Sequence[Any], off: Sequence[int]) -> list[Any]:
        """The named results."""
        return self._run(self._values, self.results, p, x, w, off)

    def _run(
        self, function: Callable[..., int], size: int, p: Sequence[Any], x: Sequence[Any], w: Sequence[Any], off: Sequence[int]
    ) -> list[Any]:
        out = [self.number(0)] * size
        scratch = [self.number(0)] * self.scratch(off)
        function([self.number(v) for v in p], [self.number(v) for v in x], [self.number(v) for v in w], [int(o) for o in off], scratch, out)
        return out


def compile_program(program: Program, cache: str | Path | None = None) -> Module:
    """Compile a program, or load it if its like was compiled before.

    Args:
        program: loop form.
        cache: folder of the cache; None takes REPLICA_CACHE or the platform's convention.

    Raises:
        LoweringError: the program holds a function that kernels do not know.
        CacheError: the folder belongs to another user.
    """
    store = KernelCache(cache)
    key = digest("program", program_identity(program), compiler_version())
    return _module(store.find(key) or _compile(store, key, program), None, program)


def compile_theory(theory: Theory, cache: str | Path | None = None) -> Module:
    """Rewrite a theory to loops and compile it; a theory known to the cache is neither rewritten nor lowered."""
    store = KernelCache(cache)
    key = digest("theory", identity(theory), compiler_version())
    loaded = store.find(key)
    program = None
    if loaded is None:
        program = _rewrite(theory)
        loaded = _compile(store, key, program)
    return _module(loaded, theory, program)


def _rewrite(theory: Theory, *reach: float) -> Program:
    from numerics.rewrite import rewrite  # brings SciPy, which a warm process does not need

    return rewrite(theory, *reach)


def _compile(store: KernelCache, key: str, program: Program) -> Loaded:
    text = kernel_text(program)
    number = {loop.variable: k for k, loop in enumerate(program.loops)}
    notes = {
        "unknowns": [s.name for s in program.unknowns],
        "controls": [s.name for s in program.controls],
        "values": list(program.values),
        "constraints": len(program.constraints),
        "rules": [loop.rule.name for loop in program.loops],
        "inside": [[number[v] for v in loop.inside] for loop in program.loops],
        "late": list(text.late),
        "arrays": list(text.arrays),
        "exact": text.exact,
        "exact_constants": list(text.exact_constants),
    }
    return store.store(key, native_names.object_code(text.compiled, text.compiled_constants), notes)


def _module(loaded: Loaded, theory: Theory | None, program: Program | None) -> Module:
    n, kernels = loaded.notes, dict(zip(native_names.KERNELS, native_names.kernels(loaded.code), strict=True))
    loops = tuple(LoopInfo(Rule[rule], tuple(inside), late) for rule, inside, late in zip(n["rules"], n["inside"], n["late"], strict=True))
    return Module(
        kernels["residual"],
        kernels["values"],
        kernels["probe"],
        kernels["inside"],
        tuple(n["unknowns"]),
        tuple(n["controls"]),
        tuple(n["values"]),
        n["constraints"],
        loops,
        tuple(n["arrays"]),
        loaded.warm,
        n["exact"],
        tuple(n["exact_constants"]),
        theory,
        program,
    )


@once
def compiler_version() -> str:
    """Hash of everything between a theory and a kernel."""
    files = [_HERE / "compile.py", _HERE / "program.py", _HERE / "native.py"]
    for folder in (_HERE / "graph", _HERE / "special", _HERE / "backends", _HERE / "rewrite", _HERE.parent / "replica" / "nodes"):
        files += sorted(folder.rglob("*.py"))
    total = hashlib.sha256(f"{sympy.__version__} {np.__version__}".encode())
    for file in files:
        total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest()
