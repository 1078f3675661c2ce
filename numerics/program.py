"""The loop form of a theory: what is left when averages have become weighted sums over nodes.

A theory's averages are rewritten (numerics.rewrite) to three sums over one loop variable each; the graph compiler
(numerics.graph) sees nothing else.  No quadrature rule is named here, only the kind of nodes a loop expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import sympy as sp
from sympy.core.symbol import Str


class Rule(Enum):
    """The nodes a loop expects at run time."""

    LINE = "nodes on the real line, weights contain the standard normal density and sum to one"
    UNIT = "nodes on [0, 1], weights sum to one; the integrand contains map, Jacobian and density"
    RAY = "the same, and further on from 1 as long as the integrand is not negligible there: a range whose end is where a window ends"
    FIELD = "nodes on the real line, denser and wider the more there are; the integrand contains the density"
    COUNT = "nodes 0, 1, 2, ... with unit weights"


@dataclass(frozen=True)
class Loop:
    """One loop variable.  `inside` are the loops whose variables its bodies read, outermost first; empty at depth 0."""

    variable: sp.Dummy
    rule: Rule
    inside: tuple[sp.Dummy, ...] = ()


@dataclass(frozen=True)
class Feature:
    """A place where the integrand of a loop may change over a short range: nodes must not step over it.

    Args:
        loop: variable of a loop at depth 0.
        place, width: expressions of parameters, in the loop's variable.
    """

    loop: sp.Dummy
    place: sp.Expr
    width: sp.Expr


class _Reduction(sp.Expr):
    is_real = True

    @property
    def variable(self) -> sp.Symbol:
        return self.args[-1]

    @property
    def free_symbols(self):
        return set().union(*(a.free_symbols for a in self.args[:-1])) - {self.variable}

    def _eval_subs(self, old, new):
        return self if old == self.variable else None

    def _sympystr(self, printer):
        return f"{type(self).__name__}({', '.join(printer._print(a) for a in self.args)})"


class Sum(_Reduction):
    """Sum(body, t) = sum_j w_j body(t_j)."""

    def __new__(cls, body, variable):
        return sp.Expr.__new__(cls, sp.sympify(body), variable)


class LogSum(_Reduction):
    """LogSum(g, t) = log sum_j w_j exp(g(t_j))."""

    def __new__(cls, exponent, variable):
        return sp.Expr.__new__(cls, sp.sympify(exponent), variable)


class TiltSum(_Reduction):
    """TiltSum(a, g, t) = sum_j w_j a e^g / sum_j w_j e^g."""

    def __new__(cls, body, exponent, variable):
        return sp.Expr.__new__(cls, sp.sympify(body), sp.sympify(exponent), variable)


class Steady(sp.Function):
    """The argument, differentiated as a constant: the end of a window beyond which nothing is left, so that its motion adds nothing."""

    nargs = 1
    is_real = True

    def _eval_is_positive(self):
        return self.args[0].is_positive

    def _eval_is_negative(self):
        return self.args[0].is_negative

    def fdiff(self, argindex=1):
        return sp.S.Zero


class Table(sp.Expr):
    """A function of one argument known by polynomials: on [a, b] one in (2 x - a - b)/(b - a), straight lines beyond the last ends.

    Its numbers stand in one atom, as text: SymPy would otherwise walk over them again and again.
    """

    is_real = True

    def __new__(cls, argument, panels):
        """`panels`: rows (a, b, c0, c1, ...) in increasing order, or the atom that holds them."""
        if not isinstance(panels, Str):
            panels = Str(" ".join(",".join(float(x).hex() for x in row) for row in panels))
        return sp.Expr.__new__(cls, sp.sympify(argument), panels)

    @property
    def panels(self) -> list[list[float]]:
        return [[float.fromhex(x) for x in row.split(",")] for row in self.args[1].name.split()]

    @property
    def free_symbols(self):
        return self.args[0].free_symbols

    def written_out(self) -> sp.Expr:
        """The same as a Piecewise."""
        x, rows = self.args[0], self.panels
        low, high = sp.Float(rows[0][0], 17), sp.Float(rows[-1][1], 17)
        inside = sp.Min(sp.Max(x, low, evaluate=False), high, evaluate=False)
        branches: list[tuple[sp.Expr, sp.Basic]] = []
        for a, b, *powers in rows:
            t, value = (inside - sp.Float((a + b) / 2, 17)) * sp.Float(2 / (b - a), 17), sp.S.Zero
            for power in reversed(powers):
                value = value * t + sp.Float(power, 17)
            branches.append((value, sp.true if len(branches) + 1 == len(rows) else sp.Lt(inside, sp.Float(b, 17), evaluate=False)))
        value = sp.Piecewise(*branches, evaluate=False) if len(branches) > 1 else branches[0][0]
        for (a, b, *powers), end, sign in ((rows[0], low, -1), (rows[-1], high, 1)):
            slope = sum(k * p * sign ** (k - 1) for k, p in enumerate(powers)) * 2 / (b - a)
            value += sp.Float(slope, 17) * sign * sp.Max(sign * (x - end), 0, evaluate=False)
        return value


class Root(sp.Expr):
    """Unknown number `index` of a root of one or two equations, by a few steps of Newton's method from guesses that are good to 1e-4
    of `reach`, and never farther from the guess than `reach`.  Differentiated as the root, by the implicit function theorem.
    """

    is_real = True

    def __new__(cls, index, equations, unknowns, guesses, reach):
        return sp.Expr.__new__(cls, sp.sympify(index), *(sp.Tuple(*t) for t in (equations, unknowns, guesses, reach)))

    @property
    def free_symbols(self):
        return set().union(*(self.args[k].free_symbols for k in (1, 3, 4))) - set(self.args[2])

    def _eval_subs(self, old, new):
        return self if old in self.args[2] else None


@dataclass(frozen=True)
class Program:
    """Everything the compiler needs.

    Args:
        unknowns, controls: parameters of the kernels, in this order.
        equations: the map G in loop form; the residual is unknown - G.
        values: named results in loop form (free entropy, order parameters, conjugates, observables).
        loops: every loop that occurs, in the order in which kernels take their nodes.
        constraints: expressions without loops that are positive inside the domain.
        features: where integrands may change quickly, ordered by loop.
        iterated: the map is only ever applied: kernels give zeros in place of its derivatives.
    """

    unknowns: tuple[sp.Symbol, ...]
    controls: tuple[sp.Symbol, ...]
    equations: tuple[sp.Expr, ...]
    values: Mapping[str, sp.Expr]
    loops: tuple[Loop, ...]
    constraints: tuple[sp.Expr, ...] = ()
    features: tuple[Feature, ...] = ()
    iterated: bool = False
