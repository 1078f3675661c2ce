"""Nested averages: the two nodes from which every term of a replica theory is made.

    LogAverage(L; measures) = log E e^L          Tilted(X, L; measures) = E[X e^L] / E[e^L]

Derivatives use the heat rule, so covariances may be singular and no square root or inverse appears:
for h ~ N(mu, D),  d E[f] = E[df] + mu'_i E[d_i f] + D'_ij E[d_i d_j f] / 2.
"""

from __future__ import annotations

import sympy as sp

from replica.nodes.measures import Counting, Flat, Gauss, Measure


class _Average(sp.Expr):
    is_real = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(a for a in self.args if isinstance(a, Measure))

    @property
    def bound(self) -> set[sp.Symbol]:
        return {v for m in self.measures for v in m.variables}

    @property
    def free_symbols(self):
        inside = set().union(*(a.free_symbols for a in self.args if not isinstance(a, Measure)))
        outer = set().union(*(m.free_symbols for m in self.measures)) if self.measures else set()
        return (inside | outer) - self.bound

    def _eval_subs(self, old, new):
        return self if old in self.bound else None

    def _derivative_operator(self, body, exponent, x):
        """Numerator of d E[body e^exponent]/dx, divided by e^exponent, heat rule included."""
        total = body.diff(x) + body * exponent.diff(x)
        for m in self.measures:
            if not isinstance(m, Gauss):
                if x in m.free_symbols:
                    raise ValueError(f"no derivative rule for a parameter of {type(m).__name__}")
                continue
            v = m.variables
            for i, mean in enumerate(m.means):
                slope = mean.diff(x)
                if slope != 0:
                    total += slope * (body.diff(v[i]) + body * exponent.diff(v[i]))
            for i in range(len(v)):
                for j in range(i, len(v)):
                    slope = m.covariance[i, j].diff(x)
                    if slope == 0:
                        continue
                    gi, gj = body.diff(v[i]), body.diff(v[j])
                    li, lj = exponent.diff(v[i]), exponent.diff(v[j])
                    second = gi.diff(v[j]) + gi * lj + gj * li + body * (exponent.diff(v[i], v[j]) + li * lj)
                    total += slope * second * (sp.Rational(1, 2) if i == j else 1)
        return total


class LogAverage(_Average):
    """log of the average of exp(exponent) over the measures."""

    def __new__(cls, exponent, *measures):
        """`measures` one by one or as one sequence."""
        return sp.Expr.__new__(cls, sp.sympify(exponent), *_flat(measures))

    @property
    def exponent(self) -> sp.Expr:
        return self.args[0]

    def _eval_derivative(self, x):
        return Tilted(self._derivative_operator(sp.S.One, self.exponent, x), self.exponent, self.measures)

    def _latex(self, printer):
        return rf"\log {expectation(self, printer)}\,e^{{{printer._print(self.exponent)}}}"


class Tilted(_Average):
    """Mean of `body` under the measures tilted by exp(exponent).

    `normalised`: the tilts of this node, or of a sum of such nodes (one per label), average to one, so that
    E[X e^L] is not divided by E[e^L].
    """

    def __new__(cls, body, exponent, *rest, normalised=False):
        """Tilted(body, exponent, measures, normalised) or, as SymPy rebuilds it, Tilted(body, exponent, flag, *measures)."""
        body, exponent = sp.sympify(body), sp.sympify(exponent)
        flags = [r for r in rest if r in (True, False)]
        normalised = bool(flags[0]) if flags else normalised
        measures = _flat(r for r in rest if r not in (True, False))
        bound = {v for m in measures for v in m.variables}
        proper = exponent == 0 and not any(isinstance(m, Flat | Counting) for m in measures)
        if body == 0 or (not body.free_symbols & bound and (proper or not normalised)):
            return body  # a tilt, or a density, may be normalised in a sum of nodes only: there a constant is not its own average
        outside, inside = body.as_independent(*bound, as_Add=False) if not body.is_Add else (sp.S.One, body)
        node = sp.Expr.__new__(cls, inside, exponent, sp.true if normalised else sp.false, *measures)
        return outside * node

    @property
    def body(self) -> sp.Expr:
        return self.args[0]

    @property
    def exponent(self) -> sp.Expr:
        return self.args[1]

    @property
    def normalised(self) -> bool:
        return self.args[2] == sp.true

    @property
    def free_symbols(self):
        inside = self.body.free_symbols | self.exponent.free_symbols
        outer = set().union(*(m.free_symbols for m in self.measures)) if self.measures else set()
        return (inside | outer) - self.bound

    def _eval_derivative(self, x):
        moved = Tilted(self._derivative_operator(self.body, self.exponent, x), self.exponent, self.measures, self.normalised)
        if self.normalised:
            return moved
        shift = Tilted(self._derivative_operator(sp.S.One, self.exponent, x), self.exponent, self.measures)
        return moved - self * shift

    def _latex(self, printer):
        tilt = "" if self.exponent == 0 else printer._print(sp.exp(self.exponent, evaluate=False))
        body = printer.parenthesize(self.body, 50) if tilt else printer._print(self.body)
        average = rf"{expectation(self, printer)}\left[{tilt}\,{body}\right]"
        if self.exponent == 0 or self.normalised:
            return average
        return rf"\frac{{{average}}}{{{expectation(self, printer)}\left[{tilt}\right]}}"


def _flat(items) -> tuple[Measure, ...]:
    return tuple(m for item in items for m in ((item,) if isinstance(item, Measure) else item))


def average(body, *measures) -> sp.Expr:
    """Plain average of `body` over normalised measures."""
    return Tilted(body, sp.S.Zero, measures, normalised=True)


def expectation(node: _Average, printer) -> str:
    """The operator of a node's average in LaTeX, with its measures as subscript."""
    measures = r",\,".join(printer._print(m) for m in node.measures)
    return rf"\mathbb{{E}}_{{{measures}}}"


def distribute(expression: sp.Expr) -> sp.Expr:
    """Every average of a sum as a sum of averages, and products expanded: a normal form for comparing, not for numbers."""

    def visit(node):
        if not isinstance(node, sp.Expr) or not node.args:
            return node
        if isinstance(node, Tilted):
            body, exponent = sp.expand(visit(node.body), deep=False), visit(node.exponent)
            terms = sp.Add.make_args(sp.expand_mul(body))
            return sp.Add(*(Tilted(term, exponent, node.measures, node.normalised) for term in terms))
        return node.func(*(visit(a) for a in node.args))

    return sp.expand_mul(visit(expression))
