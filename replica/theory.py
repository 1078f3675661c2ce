"""What a derivation delivers: unknowns, equations, free entropy, observables, and how they were obtained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sympy as sp

from replica import latex
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
    """Where a solver begins.  `values` maps every unknown to a number or an expression of controls."""

    name: str
    values: Mapping[sp.Symbol, sp.Expr]


@dataclass(frozen=True)
class Stationary:
    """x_i = equations_i(x; controls).

    Args:
        unknowns: solved for, overlaps first and then conjugates; their symbols appear in `equations`.
        equations: the map G, one expression per unknown.
        constraints: expressions that are positive inside the physical domain, besides the unknowns' own domains.
        starts: where to begin, the uninformed start first.
    """

    unknowns: tuple[OrderParameter, ...]
    equations: tuple[sp.Expr, ...]
    constraints: tuple[sp.Expr, ...] = ()
    starts: tuple[Start, ...] = ()


@dataclass(frozen=True)
class Scores:
    """Scalar functions of one leaf, shared with message passing.

    output(y, omega, V) is the score g of the field's leaf, denoiser(A, B) the mean of the weight's leaf;
    slopes are d output / d omega and d denoiser / d B.
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


@dataclass(frozen=True)
class Theory:
    """Equations of one learner under one ansatz.  Knows nothing of how they will be solved."""

    name: str
    fingerprint: str
    controls: tuple[Control, ...]
    system: Stationary
    order_parameters: Mapping[str, sp.Expr]
    conjugates: Mapping[str, sp.Expr]
    free_entropy: sp.Expr
    observables: Mapping[str, sp.Expr]
    terms: Mapping[str, sp.Expr] = field(default_factory=dict)
    assumptions: tuple[Assumption, ...] = ()
    trail: tuple[Step, ...] = ()
    scores: Scores | None = None
    spec: Any = None

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


def _replaced(value: Any, change: dict[sp.Basic, sp.Basic]) -> Any:
    """`value` with `change` made in every expression that it holds, through tuples, mappings and records."""
    if isinstance(value, sp.Basic):
        return value.xreplace(change)
    if isinstance(value, tuple):
        return tuple(_replaced(v, change) for v in value)
    if isinstance(value, Mapping):
        return {_replaced(k, change): _replaced(v, change) for k, v in value.items()}
    if isinstance(value, (Theory, Stationary, Start, Step, Scores)):
        return replace(value, **{f.name: _replaced(getattr(value, f.name), change) for f in fields(value) if f.name != "spec"})
    return value
