"""What a derivation delivers: unknowns, equations, free entropy, observables, and how they were obtained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sympy as sp

from replica import latex
from replica.nodes import Moment, Rate
from replica.passes.walk import replaced
from replica.symbols import Control, OrderParameter


@dataclass(frozen=True)
class Assumption:
    """A step taken without proof, e.g. replica symmetry."""

    name: str
    sentence: str


@dataclass(frozen=True)
class Step:
    """One line of the derivation: what was done, the formula reached, the assumption it needs."""

    title: str
    text: str
    formulas: tuple[sp.Basic, ...] = ()
    assumption: Assumption | None = None


@dataclass(frozen=True)
class Start:
    """Where a solver begins.

    Args:
        values: every unknown -> a number or an expression of controls, and of unknowns whose own values are such.
        easy: values of some controls (numbers or expressions of the others) at which the start leads to a solution; where it leads
            nowhere, that solution is continued from there.  Tried in turn.
    """

    name: str
    values: Mapping[sp.Symbol, sp.Expr]
    easy: tuple[Mapping[sp.Symbol, sp.Expr], ...] = ()


@dataclass(frozen=True)
class Stationary:
    """x_i = equations_i(x; controls).

    Args:
        unknowns: solved for, overlaps first and then conjugates; their symbols appear in `equations`.
        equations: the map G, one expression per unknown.
        constraints: expressions that are positive inside the physical domain, besides the unknowns' own domains.
        starts: where to begin, the uninformed start first.
        solved: controls that are among the unknowns; the equation of each is symbol + (what vanishes where it is met).
        minimal: unknowns at which the free entropy is least, in ascending order; the equation of each is symbol - (its slope there).
        ladder: Parisi parameters in ascending order, those of `minimal` and those that are held.
        refined: starts in terms of the unknowns of the coarser theory (see Theory) too.
        merged: the solution of the coarser theory in these unknowns: two levels are one.
    """

    unknowns: tuple[OrderParameter, ...]
    equations: tuple[sp.Expr, ...]
    constraints: tuple[sp.Expr, ...] = ()
    starts: tuple[Start, ...] = ()
    solved: tuple[Control, ...] = ()
    minimal: tuple[sp.Symbol, ...] = ()
    ladder: tuple[sp.Expr, ...] = ()
    refined: tuple[Start, ...] = ()
    merged: Start | None = None

    def formulas(self) -> tuple[sp.Basic, ...]:
        """The equations as equalities, one per unknown."""
        return tuple(sp.Eq(u.symbol, e, evaluate=False) for u, e in zip(self.unknowns, self.equations, strict=True))

    def unknown_equations(self) -> tuple[tuple[str, str, sp.Expr], ...]:
        """(name, meaning, right-hand side) of every unknown."""
        return tuple((u.name, u.meaning, e) for u, e in zip(self.unknowns, self.equations, strict=True))


@dataclass(frozen=True)
class Recursion(Stationary):
    """x(t+1) = G(x(t)) from the one start: in every step the conjugates first, then the other unknowns from these.

    Args:
        conjugates: the unknowns that are replaced first; their equations read the others only, and the other way round.
        steps: how many there are, an expression of the controls.
        damping: part of the old value that the others keep, in [0, 1); an expression of the controls.
    """

    conjugates: tuple[sp.Symbol, ...] = ()
    steps: sp.Expr = sp.S.Zero
    damping: sp.Expr = sp.S.Zero


@dataclass(frozen=True)
class Axis:
    """A direction of an array: the symbol of its size in sums, what runs along it, its size, and the names of its places if any."""

    symbol: sp.Symbol
    name: str
    size: sp.Expr
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Array:
    """An array of numbers: unknowns, parameters of a phase, or intermediate results."""

    base: sp.IndexedBase
    axes: tuple[Axis, ...]
    meaning: str = ""

    @property
    def name(self) -> str:
        return str(self.base.label)


@dataclass(frozen=True)
class Definition:
    """target = value for every value of its indices.

    Args:
        target: an element of an array; its indices are symbols of `ranges`.
        ranges: (index, first, last), places counted from 1; the outermost first.
        value: in elements of arrays, sums over indices and moments.
        where: computed where this is not zero.
        symmetric: whether the last two indices may be exchanged.
        factor: 1: target is the lower Cholesky factor, in its last two indices, of the array that `value` is an element of;
            -1: the inverse of a lower triangular array.
    """

    target: sp.Indexed
    ranges: tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...]
    value: sp.Expr
    where: sp.Expr | None = None
    symmetric: bool = False
    factor: int = 0


@dataclass(frozen=True)
class Kernel:
    """A Gaussian moment derived once, in the symbols of its fields: `body` is averaged, `value` is the result in `arguments`."""

    name: str
    body: sp.Expr
    arguments: tuple[sp.Symbol, ...]
    value: sp.Expr

    def formula(self) -> sp.Basic:
        """The kernel as an equality, in the fields x_1 ... with means m_i and covariances c_ij."""
        fields = sorted(self.body.free_symbols, key=lambda symbol: symbol.name)
        return sp.Eq(Moment(self.name, fields, ()), self.value, evaluate=False)


@dataclass(frozen=True)
class Nodes:
    """Points of `dimension` independent standard normals and their weights, where no closed form is left: `points[a, s]`, `weights[s]`."""

    axis: Axis
    points: sp.IndexedBase
    weights: sp.IndexedBase
    dimension: sp.Expr


@dataclass(frozen=True)
class Phase:
    """A stretch of time with its own parameters: nested tuples over the axes of their arrays."""

    name: str
    duration: sp.Expr
    values: Mapping[sp.Basic, Any]


@dataclass(frozen=True)
class Gram:
    """Initial overlaps, block by block: moving vectors with independent normal entries beside fixed vectors of known overlaps.

    Args:
        own, cross, fixed: names of the unknowns [block, moving, moving], [block, moving, fixed] and [block, fixed, fixed].
        spread: standard deviation of an entry of a moving vector.
        fractions: part of all coordinates in each block.
        overlaps: of the fixed vectors at infinite size, as nested tuples.
        others: unknown -> value of the remaining ones, as nested tuples.
        size: dimension in which the moving vectors are drawn; None leaves it to whoever integrates.
    """

    own: str
    cross: str
    fixed: str
    spread: sp.Expr
    fractions: tuple[sp.Expr, ...]
    overlaps: Any
    others: Mapping[str, Any] = field(default_factory=dict)
    size: sp.Expr | None = None


@dataclass(frozen=True)
class Flow:
    """dx/dt = equations(x) in phases, on arrays of any size.

    Args:
        axes: of all arrays.
        unknowns: what moves, and what stays as it was at the start and has no equation.
        parameters, scratch: arrays of a phase, and those that `program` computes.
        program: definitions in the order of computation.
        equations: one definition per unknown that moves.
        readout: what observables need besides; computed at the times of output.
        kernels, nodes: the moments and the nodes that definitions mention.
        phases: in the order of time.
        start: initial values.
        time: what the derivatives are taken in.
    """

    axes: tuple[Axis, ...]
    unknowns: tuple[Array, ...]
    parameters: tuple[Array, ...]
    scratch: tuple[Array, ...]
    program: tuple[Definition, ...]
    equations: tuple[Definition, ...]
    readout: tuple[Definition, ...]
    kernels: tuple[Kernel, ...]
    nodes: tuple[Nodes, ...]
    phases: tuple[Phase, ...]
    start: Gram
    time: sp.Symbol = sp.Symbol("alpha")

    def formulas(self) -> tuple[sp.Basic, ...]:
        """The equations of what moves as equalities, then what they are made of, then the kernels."""
        moving = [sp.Eq(Rate(d.target, self.time), d.value, evaluate=False) for d in self.equations]
        made = [sp.Eq(d.target, d.value, evaluate=False) for d in self.program if not d.factor]
        return (*moving, *dict.fromkeys(made), *(kernel.formula() for kernel in self.kernels))

    def unknown_equations(self) -> tuple[tuple[str, str, sp.Expr], ...]:
        """(name, meaning, derivative in time) of every unknown; zero for what stays."""
        rates = {definition.target.base: definition.value for definition in self.equations}
        return tuple((u.name, u.meaning, rates.get(u.base, sp.S.Zero)) for u in self.unknowns)


@dataclass(frozen=True)
class Scores:
    """Scalar functions of one leaf, shared with message passing.

    output(y, omega, V) is the score g of the field's leaf, denoiser(A, B) the mean of the weight's leaf;
    slopes are d output / d omega and d denoiser / d B; the logs are what g and the mean are slopes of.
    """

    y: sp.Symbol
    omega: sp.Symbol
    V: sp.Symbol
    A: sp.Symbol
    B: sp.Symbol
    output: sp.Expr
    output_slope: sp.Expr
    denoiser: sp.Expr
    denoiser_slope: sp.Expr
    output_log: sp.Expr
    denoiser_log: sp.Expr


@dataclass(frozen=True)
class Theory:
    """Equations of one learner under one ansatz.  Knows nothing of how they will be solved.

    `coarser` derives the theory with one step of replica symmetry breaking less, where a solver may begin.
    """

    name: str
    fingerprint: str
    controls: tuple[Control, ...]
    system: Any  # what the equations are: Stationary, Recursion, Flow
    order_parameters: Mapping[str, sp.Expr]
    conjugates: Mapping[str, sp.Expr]
    free_entropy: sp.Expr
    observables: Mapping[str, sp.Expr]
    terms: Mapping[str, sp.Expr] = field(default_factory=dict)
    assumptions: tuple[Assumption, ...] = ()
    trail: tuple[Step, ...] = ()
    scores: Scores | None = None
    spec: Any = None
    coarser: Callable[[], Theory] | None = field(default=None, repr=False, compare=False)

    @property
    def missing(self) -> tuple[Control, ...]:
        """Controls without a value of their own: measurements supply them."""
        return tuple(control for control in self.controls if math.isnan(control.value))

    def xreplace(self, change: Mapping[sp.Basic, sp.Basic]) -> Theory:
        """The theory with symbols replaced in every expression; unknowns and controls keep their records."""
        return _replaced(self, dict(change))

    def latex(self, steps: bool = False) -> str:
        """A LaTeX document of the equations; with `steps`, of the derivation too."""
        return latex.latex(self, steps)

    def text(self, steps: bool = False) -> str:
        """The same for a terminal."""
        return latex.text(self, steps)

    def _repr_latex_(self) -> str:
        lines = [latex.formula_latex(e) for e in latex.equations(self)]
        return "$$\\begin{gathered}" + r" \\ ".join(lines) + "\\end{gathered}$$"

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        unknowns, controls = (" ".join(str(x.name) for x in part) or "none" for part in (self.system.unknowns, self.controls))
        return f"Theory({self.name}: unknowns {unknowns}; controls {controls})"


def _replaced(value: Any, change: dict[sp.Basic, sp.Basic]) -> Any:
    """`value` with `change` made in every expression that it holds, through tuples, mappings and records."""
    if isinstance(value, sp.Basic):
        names = all(isinstance(new, sp.Symbol) for new in change.values())
        return replaced(value, change, relations=not names)  # under another name a relation is what it was, and deciding it takes long
    if isinstance(value, tuple):
        return tuple(_replaced(v, change) for v in value)
    if isinstance(value, Mapping):
        return {_replaced(k, change): _replaced(v, change) for k, v in value.items()}
    if isinstance(value, (Theory, Stationary, Start, Step, Scores)):
        return replace(value, **{f.name: _replaced(getattr(value, f.name), change) for f in fields(value) if f.name != "spec"})
    return value
