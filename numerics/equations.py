"""The equations of a module at any point, from Python: residual, derivatives and named results on nodes chosen for the point.

`solve` never leaves compiled code; continuation takes few but unusual steps (bordered systems), and takes them here, with the
same kernels, the same panels and the same test by doubling.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numerics.layout import ADAPT, ADOPT, DEPTH, DOUBLE, ERROR_AT, FIRST_NESTED, INFO, PROBES, RULE, SIZE, STACK, VALUES, Slots
from numerics.layout import NESTED as IS_NESTED
from numerics.problem import NESTED, PANELS, Compiled, Problem
from numerics.solver import inspect
from numerics.status import CAPACITY, Status

VALUES_ROUNDS = 4
_KERNEL = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 6)


class Failure(ArithmeticError):
    """A step could not be taken; `status` says why."""

    def __init__(self, status: Status) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class Derivatives:
    """At one point: residual x - G(x) (n), its derivatives by unknowns (n, n) and by controls (n, c)."""

    residual: np.ndarray
    unknowns: np.ndarray
    controls: np.ndarray


class Equations:
    """Evaluates one module.  Holds the nodes that were asked for last; a point p is unknowns, then controls."""

    def __init__(self, module: Compiled) -> None:
        self.problem = Problem(module)
        self.n, self.c = len(self.problem.names), len(self.problem.controls)
        self.refinements = (DOUBLE, *(k for k, loop in enumerate(module.loops) if loop.inside)) if module.loops else ()
        self.kinds, self.low, self.high, self.conjugate = self.problem.charts
        self._module = module
        self._loops = self.problem.loop_rows()
        self.reset()
        self._left = np.full(1, math.inf)
        self._panels, self._place = np.zeros((len(module.loops), 0, 2)), np.full(self.n + self.c + 1, math.nan)
        self._size(PANELS[0], NESTED[0])

    def _size(self, panels: int, nested: int) -> None:
        """Buffers for so many panels a loop and nodes a nested loop; panels that are there stay, as far as there is room."""
        module, n, c, names = self._module, self.n, self.c, len(self.problem.value_names)
        loops = len(module.loops)
        nodes = int(self.problem.room(panels, nested)[-1])
        scratch = max((module.scratch([0] * (k + 1) + [nodes] * (loops - k)) for k in range(loops)), default=1)
        outputs = max(n + n * n + n * c, names, module.constraints, 512)
        kept = np.zeros((loops, panels, 2))
        common = min(panels, self._panels.shape[1])
        kept[:, :common] = self._panels[:, :common]
        self._panels, self._capacity = kept, (panels, nested)
        self._x, self._w, self._off = np.zeros(nodes), np.zeros(nodes), np.zeros(loops + 1, np.int64)
        self._scratch, self._out, self._point = np.zeros(scratch), np.zeros(outputs), np.zeros(n + c)
        self._values, self._info, self._work = np.zeros(names), np.zeros(INFO), np.zeros((STACK + DEPTH, PROBES + 2))
        addresses = {
            "loops": self._loops, "points": self._point, "results": self._values, "info": self._info, "panels": self._panels, "x": self._x,
            "w": self._w, "off": self._off, "scr": self._scratch, "out": self._out, "work": self._work, "place": self._place,
            "left": self._left,
        }
        kernels = {name: getattr(module, name).address for name in ("residual", "values", "inside", "probe")}
        pointers = [addresses[name].ctypes.data for name in ("points", "x", "w", "off", "scr", "out")]

        def ready(address: int) -> Callable[[], int]:
            call = _KERNEL(address)
            return lambda: int(call(*pointers))

        self._residual, self._named, self._inside = (ready(kernels[name]) for name in ("residual", "values", "inside"))
        numbers = {
            "loop_count": loops, "unknowns": n, "controls": c, "names": names, "capacity": panels, "nodes": nodes, "scratch": scratch,
            "outputs": outputs,
        }
        filled = kernels | {name: array.ctypes.data for name, array in addresses.items()} | numbers
        self._table = np.array([filled.get(name, 0) for name in Slots._fields], np.int64)

    def _ask(self, p: np.ndarray, request: int, rounds: int = 0) -> None:
        while True:
            self._point[:] = p
            self._table[Slots._fields.index("first")], self._table[Slots._fields.index("steps")] = request, rounds
            status = inspect(self._table)
            if status == 0:
                return
            if status != CAPACITY:
                raise Failure(Status.NON_FINITE)
            self.enlarge()

    def reset(self) -> None:
        """Forget how many nodes nested loops needed elsewhere."""
        for row in self._loops:
            row[SIZE] = FIRST_NESTED[row[RULE]] if row[IS_NESTED] else 1

    def take(self, other: Equations) -> None:
        """The panels and sizes of another evaluation of the same module."""
        if self._capacity != other._capacity:
            self._size(*other._capacity)
        self._loops[:], self._panels[:], self._place[:] = other._loops, other._panels, other._place

    def choose(self, p: np.ndarray) -> None:
        """Panels for the equations at p.

        Raises:
            Failure: an integrand is not finite, or needs more panels than there may be.
        """
        if self._module.loops:
            self._ask(p, ADAPT)

    def refine(self, p: np.ndarray, request: int, for_good: bool = False) -> None:
        """Nodes with one of `refinements` made, or with none for BASE; `for_good` keeps it."""
        if self._module.loops:
            self._ask(p, request + ADOPT if for_good else request)

    def look(self, p: np.ndarray) -> Derivatives:
        """Residual and derivatives at p on the nodes that are there.

        Raises:
            Failure: something is not finite.
        """
        n, c = self.n, self.c
        self._point[:] = p
        self._residual()
        found = self._out[: n + n * n + n * c].copy()
        if not np.isfinite(found).all():
            raise Failure(Status.NON_FINITE)
        return Derivatives(found[:n], found[n : n + n * n].reshape(n, n), found[n + n * n :].reshape(n, c))

    def values(self, p: np.ndarray, rounds: int = VALUES_ROUNDS) -> tuple[np.ndarray, float]:
        """The named results at p and by how much they moved when nodes were doubled last; nodes are those of the results afterwards."""
        self.refine(p, DOUBLE)
        if not self._module.loops:
            self._point[:] = p
            self._named()
            return self._out[: len(self._values)].copy(), 0.0
        self._ask(p, VALUES, rounds)
        return self._values.copy(), float(self._info[ERROR_AT])

    def plain(self, p: np.ndarray) -> np.ndarray:
        """The named results at p on the nodes that are there: right for those without averages."""
        self._point[:] = p
        self._named()
        return self._out[: len(self._values)].copy()

    def table(self, **entries: int | np.ndarray) -> np.ndarray:
        """What the compiled solver is called with (numerics.layout.Slots), and more: numbers, or arrays that the caller keeps."""
        found = self._table.copy()
        for name, entry in entries.items():
            found[Slots._fields.index(name)] = entry.ctypes.data if isinstance(entry, np.ndarray) else entry
        return found

    def enlarge(self) -> None:
        """Room for twice as many nodes.

        Raises:
            Failure: there is no more.
        """
        panels, nested = self._capacity
        if panels >= PANELS[1]:
            raise Failure(Status.QUADRATURE)
        self._size(2 * panels, 2 * nested)

    def allowed(self, p: np.ndarray) -> bool:
        """Whether the constraints are positive at p."""
        if not self._module.constraints:
            return True
        self._point[:] = p
        return all(v > 0 for v in self._out[: self._inside()].tolist())

    @property
    def nodes(self) -> int:
        """Number of nodes of all loops."""
        return int(self._off[-1])
