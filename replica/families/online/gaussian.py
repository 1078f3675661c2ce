"""Gaussian averages of products of shapes in closed form: condition on bells and kinks, Stein for powers, angles for signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

import sympy as sp

from replica.families.online.shapes import Shape, shapes
from replica.nodes.moments import Angle, FourSigns, GivenAngle, Minor, Over


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
    """Means and covariances of some fields, after conditioning on others; the density of what they were conditioned on.

    Args:
        noises: variance of each field that can never be conditioned away.
        covariance: times `scale`, a product of variances by which nothing was divided.
    """

    noises: tuple[sp.Expr, ...]
    means: tuple[sp.Expr, ...]
    covariance: tuple[tuple[sp.Expr, ...], ...]
    scale: sp.Expr = sp.S.One
    determinant: sp.Expr = sp.S.One
    exponent: sp.Expr = sp.S.Zero
    conditions: int = 0

    def at_zero(self, b: int) -> _Law:
        """The law where field b is zero; nothing is multiplied out, so that loops over indices share what they can.

        Without noise of its own the field may be the same as another one, of which minors leave an exact zero.
        """
        v, m, size = self.covariance[b][b], self.means[b], range(len(self.means))
        means = tuple(self.means[i] - self.covariance[i][b] * m / v for i in size)
        rows = [[sp.S.Zero] * len(size) for _ in size]
        for i in size:
            for j in range(i + 1):
                own, one, other = self.covariance[i][j], self.covariance[i][b], self.covariance[j][b]
                if self.noises[b] != 0:
                    rows[i][j] = rows[j][i] = own - one * other / v
                elif b not in (i, j):
                    rows[i][j] = rows[j][i] = Minor(v, own, one, other)
        scale = self.scale if self.noises[b] != 0 else self.scale * v
        exponent = self.exponent - m**2 * self.scale / (2 * v)
        return _Law(self.noises, means, tuple(map(tuple, rows)), scale, self.determinant * v / self.scale, exponent, self.conditions + 1)

    def between(self, i: int, j: int) -> sp.Expr:
        """Covariance of two fields."""
        return self.covariance[i][j] if self.scale == 1 else Over(self.covariance[i][j], self.scale)

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
    law = _Law(tuple(noises), tuple(fields.mean(i) for i in owners), covariance)
    for b in bells:
        law = law.at_zero(b)

    @cache
    def given(places: tuple[int, ...]) -> _Law:
        """The law where some fields are zero."""
        return given(places[:-1]).at_zero(places[-1]) if places else law

    return sp.Mul(*(shape.coefficient for shape in choice)) * _average(tuple(powers), tuple(signs), (), given)


def _average(powers: tuple[int, ...], signs: tuple[int, ...], zeros: tuple[int, ...], given: Callable[[tuple[int, ...]], _Law]) -> sp.Expr:
    """E of a product of fields and of signs of fields where those at `zeros` are zero, times their density (Stein's lemma)."""
    law = given(zeros)
    if not powers:
        return law.density * _signs(signs, zeros, given)
    x, rest = powers[0], powers[1:]
    total = law.means[x] * _average(rest, signs, zeros, given) if law.means[x] != 0 else sp.S.Zero
    for i, y in enumerate(rest):
        if law.covariance[x][y] != 0:
            total += law.between(x, y) * _average(rest[:i] + rest[i + 1 :], signs, zeros, given)
    for i, u in enumerate(signs):
        if law.covariance[x][u] != 0:
            total += 2 * law.between(x, u) * _average(rest, signs[:i] + signs[i + 1 :], tuple(sorted((*zeros, u))), given)
    return total


def _signs(signs: tuple[int, ...], zeros: tuple[int, ...], given: Callable[[tuple[int, ...]], _Law]) -> sp.Expr:
    """E of a product of signs where some fields are zero."""
    law = given(zeros)
    if any(law.means[u] == 0 and law.covariance[u][u] == 0 for u in signs):
        return sp.S.Zero
    centered = all(law.means[u] == 0 for u in signs)
    if not signs:
        return sp.S.One
    if centered and len(signs) % 2:
        return sp.S.Zero
    if len(signs) == 1:
        (u,) = signs
        return sp.erf(law.means[u] / sp.sqrt(2 * law.between(u, u)))
    if len(signs) == 2 and centered:
        if any(law.noises[u] == 0 for u in zeros):  # fields may be one
            return 2 / sp.pi * _given_angle(signs, zeros[-2:], given(zeros[:-2]))
        return 2 / sp.pi * Angle(*(law.covariance[u][w] for u, w in (signs, signs[:1] * 2, signs[1:] * 2)))
    if len(signs) == 4 and centered:
        return FourSigns(*_entries(signs, law))
    raise NotClosed(f"an average of {len(signs)} signs of {'centered' if centered else 'shifted'} fields is no elementary function")


def _given_angle(signs: tuple[int, ...], zeros: tuple[int, ...], law: _Law) -> sp.Expr:
    """The angle of two signs where one or two fields are zero; one and the same call serves all pairs of four fields (equal ones count)."""
    fields = tuple(sorted((*signs, *zeros)))
    entries = _entries(fields, law)
    if len(fields) == 3:  # and a fourth one that is independent
        c12, c13, c23, *variances = entries
        entries = (c12, c13, sp.S.Zero, c23, sp.S.Zero, sp.S.Zero, *variances, sp.S.One)
        fields, zeros = (*fields, -1), (*zeros, -1)
    first, second = zeros
    return GivenAngle(sp.Integer(list(combinations(fields, 2)).index((first, second))), *entries)


def _entries(fields: tuple[int, ...], law: _Law) -> tuple[sp.Expr, ...]:
    """Covariances, then variances."""
    pairs = combinations(fields, 2)
    return *(law.covariance[u][w] for u, w in pairs), *(law.covariance[u][u] for u in fields)
