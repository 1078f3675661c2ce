"""Averages of polynomials under Gaussians tilted by exponentials of quadratics, with averages inside, in closed form and in one go.

An average is a polynomial in the fields around it.  While it stands in another one the tilted means of its fields keep names of their own,
so that a deviation from a mean is short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import sympy as sp
from sympy.polys.fields import FracElement
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement, PolyRing

from replica.nodes import Gauss, LogAverage, Tilted
from replica.nodes.measures import Measure
from replica.passes.coefficients import Coefficients

_AVERAGES = (Tilted, LogAverage)


class _Other(Exception):
    """Something else than a polynomial, a quadratic exponent or a Gaussian."""


class Closed(NamedTuple):
    """Mean of a body under a tilted measure, and log of the tilt's mean."""

    mean: sp.Expr
    log: sp.Expr


def closed_average(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> Closed | None:
    """One average, the averages inside it included; None where anything in it is not a polynomial or Gaussian.

    Coefficients may be any expressions without variables of averages.
    """
    try:
        algebra = _Algebra((body, exponent, *measures))
        return Closed(algebra.expression(algebra.mean(body, exponent, measures)), algebra.expression(algebra.log(exponent, measures)))
    except _Other:
        return None


def closed_inside(expression: sp.Expr) -> sp.Expr:
    """Every average that is one of polynomials and quadratics throughout as a polynomial in the fields around it."""
    seen: dict[sp.Basic, sp.Basic] = {}

    def walk(e: sp.Basic) -> sp.Basic:
        if not e.has(*_AVERAGES):
            return e
        if e not in seen:
            value = _closed_node(e) if isinstance(e, _AVERAGES) else None
            seen[e] = e.func(*(walk(a) for a in e.args)) if value is None else value
        return seen[e]

    return walk(expression)


def _closed_node(node: sp.Expr) -> sp.Expr | None:
    try:
        algebra = _Algebra((node,))
        return algebra.expression(algebra.value(node))
    except _Other:
        return None


@dataclass(frozen=True)
class _Law:
    """Normal variables, as numbers of generators of a ring, with means and covariance; `names` stand for the means, zero or not."""

    variables: tuple[int, ...]
    means: tuple[PolyElement, ...]
    covariance: list[list[FracElement]]
    names: tuple[PolyElement, ...] = ()


class _Tilt(NamedTuple):
    """E exp(exponent) = exp(p)/sqrt(c), and the laws under the tilt, each given the later ones."""

    p: PolyElement
    c: FracElement
    laws: tuple[_Law, ...]


class _Algebra:
    """Polynomials in the variables of all averages of an expression, and in their means; coefficients from everything else in it."""

    def __init__(self, parts: tuple[sp.Basic, ...]) -> None:
        nodes = set().union(*(e.atoms(*_AVERAGES) for e in parts))
        measures = [m for e in nodes for m in e.measures] + [p for p in parts if isinstance(p, Measure)]
        if not all(isinstance(m, Gauss) for m in measures):
            raise _Other
        self._bound = sorted({v for m in measures for v in m.variables}, key=sp.default_sort_key)
        self._at = set(self._bound)
        logs = 1 + sum(isinstance(e, LogAverage) for e in nodes)
        self._number = Coefficients([e for part in parts for e in self._fixed(part)], logs)
        self._domain = self._number.field.to_domain()
        self._half = self._number.field(1) / 2
        tilts = {(e.exponent, e.measures) for e in nodes} | {(None, tuple(p for p in parts if isinstance(p, Measure)))}
        count = sum(len(m.variables) for _, own in tilts for m in own)
        self._ring = PolyRing([*self._bound, *sp.symbols(f"mean:{count}", cls=sp.Dummy)], self._domain)
        self._known: dict[sp.Basic, PolyElement] = dict(zip(self._bound, self._ring.gens, strict=False))
        self._means: dict[int, PolyElement] = {}
        self._tilts: dict[tuple, _Tilt] = {}

    def _fixed(self, e: sp.Basic) -> Iterator[sp.Expr]:
        """The largest parts without variables of averages."""
        if isinstance(e, sp.Expr) and not isinstance(e, (*_AVERAGES, sp.MatrixBase)) and not (e.has(*_AVERAGES) or e.has(*self._at)):
            yield e
        elif isinstance(e, (*_AVERAGES, Measure, sp.Tuple, sp.MatrixBase)) or e.is_Add or e.is_Mul or e.is_Pow and e.exp.is_Integer:
            for a in e.flat() if isinstance(e, sp.MatrixBase) else e.args:
                if a not in self._at and a not in (sp.true, sp.false):
                    yield from self._fixed(a)
        elif e not in self._at:
            raise _Other

    def value(self, e: sp.Expr) -> PolyElement:
        """An expression as a polynomial in the variables that no average in it binds, and in means."""
        if e not in self._known:
            self._known[e] = self._value(e)
        return self._known[e]

    def _value(self, e: sp.Expr) -> PolyElement:
        if isinstance(e, Tilted):
            if e.normalised and e.exponent != 0:
                raise _Other
            return self.mean(e.body, e.exponent, e.measures)
        if isinstance(e, LogAverage):
            return self.log(e.exponent, e.measures)
        if not (e.has(*_AVERAGES) or e.has(*self._at)):
            return self._ring(self._number(e))
        if e.is_Pow:
            if e.exp < 0:
                return self._ring(1 / self._constant(self.value(1 / e)))
            return self.value(e.base) ** int(e.exp)
        total = self._ring.zero if e.is_Add else self._ring.one
        for a in e.args:
            total = total + self.value(a) if e.is_Add else total * self.value(a)
        return total

    def _constant(self, p: PolyElement) -> FracElement:
        if not p.is_ground:
            raise _Other
        return p.coeff(1)

    def mean(self, body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> PolyElement:
        """Mean of a body under a tilted measure."""
        found = self.value(body)
        for law in self._tilt(exponent, measures).laws:
            found = self._mean(self._opened(found, law.variables), law)
        return found

    def log(self, exponent: sp.Expr, measures: tuple[Measure, ...]) -> PolyElement:
        """log E exp(exponent)."""
        tilt = self._tilt(exponent, measures)
        return tilt.p - self._ring(self._number.log(tilt.c) * self._half)

    def _tilt(self, exponent: sp.Expr, measures: tuple[Measure, ...]) -> _Tilt:
        key = (exponent, measures)
        if key not in self._tilts:
            self._tilts[key] = self._integrated(self._opened(self.value(exponent)), measures)
        return self._tilts[key]

    def _integrated(self, p: PolyElement, measures: tuple[Measure, ...]) -> _Tilt:
        """Innermost variables first."""
        c, laws = self._number.field.one, []
        pending = [self._law(m) for m in measures]
        while pending:
            law = next(
                one for one in pending if not any(_reads(m, one.variables) for other in pending if other is not one for m in other.means)
            )
            pending.remove(law)
            if _reads(p, law.variables):
                p, law, left = self._tilted(p, law)
                self._number.divides(left)
                c = c * left
            laws.append(self._named(law))
        return _Tilt(p, c, tuple(laws))

    def _law(self, m: Measure) -> _Law:
        rows = [[self._constant(self.value(e)) for e in m.covariance.row(i)] for i in range(len(m.variables))]
        return _Law(tuple(self._bound.index(v) for v in m.variables), tuple(self._opened(self.value(e)) for e in m.means), rows)

    def _named(self, law: _Law) -> _Law:
        """With a name for each mean that is a sum."""
        names = []
        for mean in law.means:
            number = len(self._bound) + len(self._means)
            if len(mean) > 1:
                self._means[number] = mean
            names.append(self._ring.gens[number] if len(mean) > 1 else mean)
        return _Law(law.variables, law.means, law.covariance, tuple(names))

    def _tilted(self, p: PolyElement, law: _Law) -> tuple[PolyElement, _Law, FracElement]:
        """(p', tilted law, c) with E exp(p) = exp(p')/sqrt(c).

        With p = p0 + g z + z A z/2 in z = v - mean, and covariance C, the tilted covariance is S = (1 - C A)^-1 C, the mean moves by S g,
        p' = p0 + g S g/2, and c = det(1 - C A).
        """
        size = range(len(law.variables))
        parts, zero = self._parts(p, law.variables), self._ring.zero
        if any(sum(powers) > 2 for powers in parts):
            raise _Other
        ones = [tuple(int(k == i) for k in size) for i in size]
        pairs = [[tuple(a + b for a, b in zip(ones[i], ones[j], strict=True)) for j in size] for i in size]
        bend = [[self._constant(parts.get(pairs[i][j], zero)) * (2 if i == j else 1) for j in size] for i in size]
        C, A = (DomainMatrix(rows, (len(size), len(size)), self._domain) for rows in (law.covariance, bend))
        adjugate, left = (DomainMatrix.eye(len(size), self._domain) - C * A).adj_det()
        spread = [[c / left for c in row] for row in (adjugate * C).to_dense().to_list()]
        found = parts.get((0,) * len(size), zero)
        pulls = []
        for i in size:
            slope, turned = parts.get(ones[i], zero), _dot(law.means, bend[i], zero)
            found = found + law.means[i] * (slope + turned * self._half)
            pulls.append(slope + turned)
        shifts = [_dot(pulls, spread[i], zero) for i in size]
        for pull, shift in zip(pulls, shifts, strict=True):
            found = found + pull * shift * self._half
        return found, _Law(law.variables, tuple(m + s for m, s in zip(law.means, shifts, strict=True)), spread), left

    def _parts(self, p: PolyElement, variables: Iterable[int]) -> dict[tuple[int, ...], PolyElement]:
        """Coefficients of monomials in some of the generators."""
        at = tuple(variables)
        parts: dict[tuple[int, ...], dict] = {}
        for monomial, c in p.terms():
            rest = tuple(0 if k in at else power for k, power in enumerate(monomial))
            parts.setdefault(tuple(monomial[k] for k in at), {})[rest] = c
        return {powers: self._ring.from_dict(terms) for powers, terms in parts.items()}

    def _mean(self, body: PolyElement, law: _Law) -> PolyElement:
        """Moment by moment: E[v f] = E[v] E[f] + sum of covariances times E[df]."""
        known = {(0,) * len(law.variables): self._ring.one}

        def moment(powers: tuple[int, ...]) -> PolyElement:
            if powers not in known:
                i = next(i for i, p in enumerate(powers) if p)
                rest = tuple(p - (j == i) for j, p in enumerate(powers))
                total = law.names[i] * moment(rest)
                for j, p in enumerate(rest):
                    if p:
                        total = total + moment(tuple(q - (m == j) for m, q in enumerate(rest))) * (law.covariance[i][j] * p)
                known[powers] = total
            return known[powers]

        total = self._ring.zero
        for powers, c in self._parts(body, law.variables).items():
            total = total + c * moment(powers)
        return total

    def _opened(self, p: PolyElement, variables: tuple[int, ...] | None = None) -> PolyElement:
        """With means in the place of their names: all, or those which depend on some variables."""
        names = [k for k, mean in self._means.items() if (variables is None or _reads(mean, variables)) and _reads(p, (k,))]
        if not names:
            return p
        total = self._ring.zero
        for powers, c in self._parts(p, names).items():
            for k, power in zip(names, powers, strict=True):
                c = c * self._means[k] ** power
            total = total + c
        return total

    def expression(self, p: PolyElement) -> sp.Expr:
        """A polynomial with its coefficients factored."""
        found = sp.S.Zero
        for monomial, c in self._opened(p).terms():
            variables = sp.Mul(*(v**k for v, k in zip(self._bound, monomial, strict=False)))
            found += variables * self._number.expression(c)
        return found


def _reads(p: PolyElement, variables: Iterable[int]) -> bool:
    return any(monomial[k] for k in variables for monomial in p.monoms())


def _dot(polynomials: Iterable[PolyElement], numbers: Iterable[FracElement], zero: PolyElement) -> PolyElement:
    total = zero
    for p, c in zip(polynomials, numbers, strict=True):
        total = total + p * c
    return total
