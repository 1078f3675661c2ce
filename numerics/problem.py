"""A compiled theory laid out for the solver: charts of the unknowns, rules of the loops, starts as numbers, buffers."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import sympy as sp

from numerics.layout import (
    DEPTH,
    ERROR_AT,
    INFO,
    INSIDE,
    JUMP_AT,
    MOST_PANELS,
    ORDER,
    PROBES,
    RULES,
    STACK,
    TRAIL,
    WORTHLESS,
    Slots,
    chart_of,
    local_size,
)
from numerics.native import Kernel
from numerics.program import Rule
from numerics.solver import march
from numerics.stability import spectral_radius
from numerics.status import CONVERGED, LIMITED, QUADRATURE
from replica.symbols import Domain
from replica.theory import Theory

STEPS = 60
SWEEPS = 400
PANELS = (128, MOST_PANELS)  # panels per loop of depth 0: tried first, and never exceeded
NESTED = (512, 4096)  # nodes per nested loop
RESULTS = 1e-8  # results that doubled nodes move by more are computed again in larger buffers, and called limited if that does not help


class LoopLike(Protocol):
    @property
    def rule(self) -> Rule: ...
    @property
    def inside(self) -> tuple[int, ...]: ...
    @property
    def late(self) -> bool: ...


class Compiled(Protocol):
    """What the solver asks of a compiled theory; numerics.compile.Module offers it."""

    @property
    def theory(self) -> Theory | None: ...
    @property
    def unknowns(self) -> tuple[str, ...]: ...
    @property
    def controls(self) -> tuple[str, ...]: ...
    @property
    def values_order(self) -> tuple[str, ...]: ...
    @property
    def constraints(self) -> int: ...
    @property
    def loops(self) -> Sequence[LoopLike]: ...
    @property
    def residual(self) -> Kernel: ...
    @property
    def values(self) -> Kernel: ...
    @property
    def inside(self) -> Kernel: ...
    @property
    def probe(self) -> Kernel: ...
    def scratch(self, off: Sequence[int]) -> int: ...


@dataclass(frozen=True)
class March:
    """Result of a march over T points: arrays with the points along axis 0."""

    unknowns: np.ndarray  # (T, n)
    values: np.ndarray  # (T, v), in the program's order
    info: np.ndarray  # (T, 5): residual, quadrature error, steps, nodes, distance from the prediction
    status: np.ndarray  # (T,) codes of numerics.status
    jacobian: np.ndarray  # (T, n, n) of the residual

    @cached_property
    def radii(self) -> np.ndarray:
        """Spectral radius of the map at every point, (T,)."""
        return spectral_radius(self.jacobian)


@dataclass(frozen=True)
class Problem:
    """Everything about one module that does not depend on the point.

    Args:
        left: one number, how many evaluations of integrands marches may still make; they count it down.
    """

    module: Compiled
    left: np.ndarray = field(default_factory=lambda: np.full(1, math.inf), repr=False, compare=False)

    @property
    def exhausted(self) -> bool:
        """Whether marches have made all evaluations that they may."""
        return not self.left[0] > 0

    @property
    def theory(self) -> Theory:
        """The theory behind the module.

        Raises:
            ValueError: for a module compiled from a bare program, which has no domains and no starts.
        """
        if self.module.theory is None:
            raise ValueError("this module was compiled from a bare program; compile a theory, which has domains and starts")
        return self.module.theory

    @property
    def names(self) -> tuple[str, ...]:
        return self.module.unknowns

    @property
    def controls(self) -> tuple[str, ...]:
        return self.module.controls

    @property
    def value_names(self) -> tuple[str, ...]:
        return self.module.values_order

    @cached_property
    def charts(self) -> tuple[np.ndarray, ...]:
        """Per unknown: kind of chart, lower end, upper end, whether it is a conjugate."""
        theory = self.theory
        domains = [tightened(u.symbol, u.domain, theory.system.constraints) for u in theory.system.unknowns]
        overlaps = {s for e in theory.order_parameters.values() for s in e.free_symbols}  # a conjugate may be written in overlaps
        paired = {s for e in theory.conjugates.values() for s in e.free_symbols - overlaps} | {
            u.conjugate for u in theory.system.unknowns if u.conjugate is not None
        }
        return (
            np.array([chart_of(d) for d in domains], np.int64), np.array([d.lower for d in domains]), np.array([d.upper for d in domains]),
            np.array([u.symbol in paired for u in theory.system.unknowns], np.int64),
        )

    def loop_rows(self) -> np.ndarray:
        """Rows of numerics.quadrature: rule, nested, size, late, and which loops' variables are read."""
        loops = self.module.loops
        outer = range(len(loops))
        rows = [[RULES[l.rule], int(bool(l.inside)), 1, int(l.late), *(int(o in l.inside) for o in outer)] for l in loops]
        return np.array(rows, np.int64).reshape(len(loops), INSIDE + len(loops))

    def point(self, at: Mapping[str, float] | None = None) -> dict[str, float]:
        """The value of every control: those of `at`, and the theory's own for the rest.

        Raises:
            ValueError: one line naming control, value and domain, or the nearest control for an unknown name.
        """
        known = {c.name: c for c in self.theory.controls}
        for name, value in (at or {}).items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"{name!r} is not a control of this theory; controls are {', '.join(known)}{hint}")
            if not isinstance(value, int | float | np.integer | np.floating):
                raise ValueError(f"control {name} must be a number, got {value!r}")
            if float(value) not in known[name].domain:
                raise ValueError(f"control {name} = {value:g} is outside its domain {known[name].domain}")
        return {name: float((at or {}).get(name, known[name].value)) for name in self.controls}

    def start_names(self, chosen: Sequence[str] | None) -> tuple[str, ...]:
        """Names of the theory's starts, or those chosen.

        Raises:
            ValueError: for a name that is not a start.
        """
        known = tuple(s.name for s in self.theory.system.starts)
        for name in chosen or ():
            if name not in known:
                raise ValueError(f"{name!r} is not a start of this theory; starts are {', '.join(known)}")
        return known if chosen is None else tuple(chosen)

    def starts(self, index: int, path: Sequence[Mapping[str, float]]) -> np.ndarray:
        """A start at every point of a path, (T, unknowns); one row (1, unknowns) where it does not depend on controls."""
        values = self.theory.system.starts[index].values.values()
        moving = {str(s) for v in values for s in sp.sympify(v, strict=True).free_symbols} & set(self.controls)
        still = all(point[name] == path[0][name] for point in path for name in moving)
        return np.array([self.start(index, point) for point in (path[:1] if still else path)])

    def start(self, index: int, at: Mapping[str, float]) -> np.ndarray:
        """Unknowns of a start at a point, moved inside their domains where the expression gives an end.

        Raises:
            ValueError: where an expression is not a finite number at this point.
        """
        start = self.theory.system.starts[index]
        numbers = {symbol: sp.Float(at[str(symbol.name)]) for symbol in (c.symbol for c in self.theory.controls)}
        result = []
        for unknown in self.theory.system.unknowns:
            value = sp.N(sp.sympify(start.values[unknown.symbol], strict=True).xreplace(start.values).xreplace(numbers))
            if not (value.is_number and value.is_extended_real and math.isfinite(float(value))):
                raise ValueError(f"start {start.name!r} gives {unknown.name} = {value}, which is not a finite number")
            domain, number = unknown.domain, float(value)
            width = domain.upper - domain.lower if math.isfinite(domain.upper - domain.lower) else 1.0
            low, high = domain.lower + 1e-6 * width, domain.upper - 1e-6 * width
            result.append(min(max(number, low), high) if number not in domain or number in (domain.lower, domain.upper) else number)
        return np.array(result)

    def march(
        self, points: np.ndarray, starts: np.ndarray, tol: float, sweeps: int = SWEEPS, steps: int = STEPS,
        panels: int = PANELS[0], most: int = PANELS[1], lone: bool = False,
    ) -> March:
        """Follow the solution over `points` (T, controls) from `starts` (1 or T, unknowns); larger buffers where needed.

        `sweeps` is how long the plain map runs from a start before Newton takes over; 0 starts with Newton.  `panels` is the first
        size of the buffers: how near to the end of a domain results are looked at depends on it; `most` is the last.  A `lone` march
        ends where its branch does; others begin anew there from their start.
        """
        module, n, c = self.module, len(self.names), len(self.controls)
        loops = len(module.loops)
        count = len(points)
        found, values = np.full((count, n), math.nan), np.full((count, len(self.value_names)), math.nan)
        info, status = np.full((count, INFO), math.nan), np.full(count, QUADRATURE, np.int64)
        jacobian = np.full((count, n, n), math.nan)
        outputs = max(n + n * n + n * c, len(self.value_names), module.constraints, 512)
        points, starts = np.ascontiguousarray(points, float), np.ascontiguousarray(starts, float)
        kinds, low, high, conjugate = self.charts
        rules, local, place = self.loop_rows(), np.zeros(local_size(n, c)), np.zeros(n + c + 1)
        trail = np.zeros((TRAIL, len(self.value_names)))
        work, out = np.zeros((STACK + DEPTH, PROBES + 2)), np.zeros(outputs)
        first, nested = 0, NESTED[0] * panels // PANELS[0]
        while True:
            room = self.room(panels, nested)
            nodes = int(room[-1])
            # a nested loop may take more than its share of the nodes, so scratch is for all of them in any one loop
            scratch = max((module.scratch([0] * (k + 1) + [nodes] * (loops - k)) for k in range(loops)), default=1)
            offsets = np.zeros(loops + 1, np.int64), np.zeros(loops + 1, np.int64)
            grid = (np.zeros((loops, panels, 2)), np.zeros(nodes), np.zeros(nodes), *offsets, np.zeros(scratch))
            asked, answered = (points, starts), (found, values, info, status, jacobian)
            arrays = (rules, kinds, low, high, conjugate, *asked, *answered, *grid, out, work, place, self.left, local, trail)
            sizes = (loops, n, c, count, len(starts), len(self.value_names), panels, nodes, scratch, outputs)
            kernels = (module.residual.address, module.values.address, module.inside.address, module.probe.address)
            table = np.array(Slots._make([*kernels, *(a.ctypes.data for a in arrays), *sizes, sweeps, steps, first, int(lone)]), np.int64)
            first = march(table, tol)
            if first >= count or loops == 0:
                break
            if panels < most:
                panels, nested = 2 * panels, 2 * nested
            else:
                found[first], info[first, 0] = math.nan, math.inf
                first += 1
                if first >= count:
                    break
        done = March(found, values, info, status, jacobian)
        for row in self._doubtful(done, tol):
            self._with_room(done, row, points[[row]], (starts[[min(row, len(starts) - 1)]], sweeps), tol, steps, 2 * panels, most)
        for row in self._doubtful(done, tol):
            status[row] = LIMITED
        return done

    def _doubtful(self, march: March, tol: float) -> np.ndarray:
        """Points whose unknowns are good and whose results are not, as nested loops that only results need may leave it.

        Unknowns are never WORTHLESS where a solution is reported: such an error is one of results.
        """
        bound = np.where(march.status == CONVERGED, max(tol, RESULTS), WORTHLESS)
        rows = np.flatnonzero((march.status <= LIMITED) & (march.info[:, ERROR_AT] > bound))
        if len(rows):  # errors are in the unknowns' own units
            rows = rows[march.info[rows, ERROR_AT] > bound[rows] * np.maximum(1.0, np.abs(march.unknowns[rows]).max(axis=1, initial=0.0))]
        return rows

    def _with_room(
        self, march: March, row: int, point: np.ndarray, begun: tuple[np.ndarray, int], tol: float, steps: int, panels: int, most: int
    ) -> None:
        """A point of a march once more in larger buffers, as it was begun, else from its solution; kept where its results are better."""
        if panels > most or not any(loop.inside for loop in self.module.loops):
            return
        for start, sweeps in (begun, (march.unknowns[[row]], 0)):
            again = self.march(point, start, tol, sweeps, steps, panels, most)
            near = np.allclose(again.unknowns[0], march.unknowns[row], rtol=WORTHLESS, atol=WORTHLESS)
            if again.status[0] <= LIMITED and near and again.info[0, ERROR_AT] < march.info[row, ERROR_AT]:
                again.info[0, JUMP_AT] = march.info[row, JUMP_AT]
                for name in ("unknowns", "values", "info", "status", "jacobian"):
                    getattr(march, name)[row] = getattr(again, name)[0]
                return

    def room(self, panels: int, nested: int) -> np.ndarray:
        """Offsets of the largest loops that a capacity allows, doubled for the doubling test."""
        off = [0]
        for loop in self.module.loops:
            if loop.inside:
                off.append(off[-1] + 2 * nested)
            else:
                off.append(off[-1] + 2 * ORDER * panels)
        return np.array(off, np.int64)


def tightened(unknown: sp.Symbol, domain: Domain, constraints: Sequence[sp.Expr]) -> Domain:
    """A domain cut at numbers where a constraint a + b x > 0 on this unknown alone ends it: charts then know how near the end is."""
    lower, upper = domain.lower, domain.upper
    for constraint in constraints:
        if constraint.free_symbols == {unknown}:
            slope = constraint.diff(unknown)
            if slope.is_number and slope != 0:
                end = float(-constraint.xreplace({unknown: sp.S.Zero}) / slope)
                lower, upper = (max(lower, end), upper) if slope > 0 else (lower, min(upper, end))
    return dataclasses.replace(domain, lower=lower, upper=upper)
