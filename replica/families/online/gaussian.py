"""Gaussian averages of products of shapes in closed form: condition on bells, Stein for powers, angles for pairs of signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import sympy as sp

from replica.families.online.shapes import Shape, shapes
from replica.nodes.moments import Angle


class NotClosed(ValueError):
    """The average has no elementary form."""


@dataclass(frozen=True)
class Fields:
    """Jointly Gaussian fields x_1 ... x_n with symbols for means (none where they are zero) and covariances."""

    count: int
    centered: bool

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        return tuple(sp.Symbol(f"x_{i + 1}", real=True) for i in range(self.count))

    def mean(self, i: int) -> sp.Expr:
        return sp.S.Zero if self.centered else sp.Symbol(f"m_{i + 1}", real=True)

    def covariance(self, i: int, j: int) -> sp.Expr:
        i, j = min(i, j), max(i, j)
        return sp.Symbol(f"c_{i + 1}{j + 1}", real=True) if i != j else sp.Symbol(f"c_{i + 1}{i + 1}", positive=True)


@dataclass(frozen=True)
class _Law:
    """Means and covariances of some fields, after conditioning on others; the density of what they were conditioned on."""

    means: tuple[sp.Expr, ...]
    covariance: tuple[tuple[sp.Expr, ...], ...]
    determinant: sp.Expr = sp.S.One
    exponent: sp.Expr = sp.S.Zero
    conditions: int = 0

    def at_zero(self, b: int) -> _Law:
        """The law where field b is zero; nothing is multiplied out, so that loops over indices share what they can."""
        v, m, size = self.covariance[b][b], self.means[b], range(len(self.means))
        means = tuple(self.means[i] - self.covariance[i][b] * m / v for i in size)
        rows = [[sp.S.Zero] * len(size) for _ in size]
        for i in size:
            for j in range(i + 1):
                rows[i][j] = rows[j][i] = self.covariance[i][j] - self.covariance[i][b] * self.covariance[j][b] / v
        return _Law(means, tuple(map(tuple, rows)), self.determinant * v, self.exponent - m**2 / (2 * v), self.conditions + 1)

    @property
    def density(self) -> sp.Expr:
        return sp.exp(self.exponent) / sp.sqrt((2 * sp.pi) ** self.conditions * self.determinant)


def expectation(factors: Sequence[sp.Expr], fields: Fields) -> sp.Expr:
    """E prod_i factors[i](x_i), each a softened function of the i-th variable of `fields`.

    Raises:
        NotClosed: more signs than an elementary function holds.
        NoMoment: it does not exist.
    """
    total = sp.S.Zero
    lists = [shapes(factor, x) for factor, x in zip(factors, fields.variables, strict=True)]
    for choice in product(*lists):
        total += _term(choice, fields)
    return total


def _term(choice: Sequence[Shape], fields: Fields) -> sp.Expr:
    owners: list[int] = []
    noises: list[sp.Expr] = []
    powers: list[int] = []
    signs: list[int] = []
    bells: list[int] = []
    for i, shape in enumerate(choice):
        for group, variances in ((powers, (sp.S.Zero,) * bool(shape.power)), (signs, shape.signs), (bells, shape.bells)):
            for s in variances:
                group += [len(owners)] * (shape.power if group is powers else 1)
                owners.append(i)
                noises.append(s)
    size = range(len(owners))
    covariance = tuple(tuple(fields.covariance(owners[a], owners[b]) + (noises[a] if a == b else 0) for b in size) for a in size)
    law = _Law(tuple(fields.mean(i) for i in owners), covariance)
    for b in bells:
        law = law.at_zero(b)
    return sp.Mul(*(shape.coefficient for shape in choice)) * _average(tuple(powers), tuple(signs), law)


def _average(powers: tuple[int, ...], signs: tuple[int, ...], law: _Law) -> sp.Expr:
    """E of a product of fields and of signs of fields, times the density of the conditions."""
    if not powers:
        return law.density * _signs(signs, law)
    x, rest = powers[0], powers[1:]
    total = law.means[x] * _average(rest, signs, law) if law.means[x] != 0 else sp.S.Zero
    for i, y in enumerate(rest):
        if law.covariance[x][y] != 0:
            total += law.covariance[x][y] * _average(rest[:i] + rest[i + 1 :], signs, law)
    for i, u in enumerate(signs):
        if law.covariance[x][u] != 0:
            total += 2 * law.covariance[x][u] * _average(rest, signs[:i] + signs[i + 1 :], law.at_zero(u))
    return total


def _signs(signs: tuple[int, ...], law: _Law) -> sp.Expr:
    if any(law.means[u] == 0 and law.covariance[u][u] == 0 for u in signs):
        return sp.S.Zero
    centered = all(law.means[u] == 0 for u in signs)
    if not signs:
        return sp.S.One
    if centered and len(signs) % 2:
        return sp.S.Zero
    if len(signs) == 1:
        (u,) = signs
        return sp.erf(law.means[u] / sp.sqrt(2 * law.covariance[u][u]))
    if len(signs) == 2 and centered:
        u, w = signs
        return 2 / sp.pi * Angle(law.covariance[u][w], law.covariance[u][u], law.covariance[w][w])
    raise NotClosed(f"an average of {len(signs)} signs of {'centered' if centered else 'shifted'} fields is no elementary function")
