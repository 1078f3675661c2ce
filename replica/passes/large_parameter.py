"""The limit of a large parameter B, taken on the nested averages before anything is integrated.

Every term has a leading power of B.  A leaf whose variance shrinks like 1/B concentrates on its minimum, an average whose tilt grows
like B on the tilt's maximum; everything else is bookkeeping of powers.  A leading coefficient that vanishes is refused: the true limit
would be of lower order and is not seen by this pass.  Where leading orders cancel by construction the fluctuation is written as a slope
first: R_2 - R_1^2 = R_1' for a leaf, <(X - <X>)^2> = (d<X>/dh - <X'>)/B for an average.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy as sp

from replica.nodes import Discrete, Flat, Gauss, LogAverage, Measure, Moreau, Prox, Tilted
from replica.passes.walk import bottom_up
from replica.tree import Leaf


class LimitError(ValueError):
    """The powers of the large parameter do not match, or a leading coefficient vanishes."""


class Slope(sp.Expr):
    """d R_1 / d h of a leaf, so that orders which cancel in R_2 - R_1^2 are never written down."""

    def __new__(cls, leaf):
        return sp.Expr.__new__(cls, leaf)


@dataclass(frozen=True)
class Limit:
    """B -> infinity.

    Args:
        B: the large parameter.
        scalings: overlaps and conjugates in terms of their limits, e.g. Q -> q + chi/B.
        fields: power of B carried by an integrated field (entropic student fields grow like B).
        leaf: (power, coefficient) of log F (order 0), of R_1 (order 1) and of R_1' (order 2) of a leaf that concentrates, or None for a
            leaf of order one; it also gets the rule for scalars.
        even: whether log F of a leaf is even in its field and grows away from zero.
        exact: overlaps that an imposed length leaves, needed where leading orders of lengths and overlaps cancel.
        places: filled with the ends of averages that run over a proximal point.
    """

    B: sp.Symbol
    scalings: Mapping[sp.Symbol, sp.Expr]
    fields: Mapping[sp.Symbol, int]
    leaf: Callable[[Leaf, Callable[[sp.Expr], tuple[int, sp.Expr]]], tuple[int, sp.Expr] | None]
    even: Callable[[Leaf], bool] = lambda leaf: False
    places: dict[sp.Expr, Place] = field(default_factory=dict)
    exact: Mapping[sp.Basic, sp.Expr] = field(default_factory=dict)

    @property
    def _grown(self) -> dict[sp.Basic, sp.Expr]:
        """Overlaps, conjugates and fields with their powers of B."""
        return dict(self.scalings) | {v: v * self.B**p for v, p in self.fields.items()}

    def polynomial(self, expression: sp.Expr) -> tuple[int, sp.Expr]:
        """(power, coefficient) of a polynomial in overlaps."""
        expanded = sp.expand(expression.xreplace(dict(self.scalings)))
        terms = sp.collect(expanded, self.B, evaluate=False)
        powers = {int(sp.degree(k, self.B)) if k.is_polynomial(self.B) else -int(sp.degree(1 / k, self.B)): v for k, v in terms.items()}
        top = max(powers)
        return top, powers[top]

    def leading(self, expression: sp.Expr) -> tuple[int, sp.Expr]:
        """(power, coefficient) of a nested average."""
        return self._checked(bottom_up(expression, _slopes))

    def _checked(self, e: sp.Expr) -> tuple[int, sp.Expr]:
        power, coefficient = self._leading(e)
        if coefficient == 0 and e != 0:
            raise LimitError("the leading coefficient vanishes, so the limit is of lower order than its terms")
        return power, coefficient

    def _leading(self, e: sp.Expr) -> tuple[int, sp.Expr]:
        if isinstance(e, Leaf) and e.order == 2:
            return self._checked(e.at_order(1) ** 2 + Slope(e.at_order(1)))
        if isinstance(e, (Leaf, Slope)):
            leaf = e.args[0].at_order(2) if isinstance(e, Slope) else e
            limit = self.leaf(leaf, self._scalar)
            if limit is not None:
                return limit
            if isinstance(e, Slope):
                first = leaf.at_order(1).xreplace(self._grown)
                return 0, leaf.xreplace(self._grown) - first**2
            return 0, e.xreplace(self._grown)
        if isinstance(e, Tilted):
            return self._tilted(e)
        if isinstance(e, LogAverage):
            return self._log_average(e)
        if not e.atoms(Leaf, Slope, Tilted, LogAverage):
            return self._scalar(e)
        if e.is_Add:
            parts = [self._checked(a) for a in e.args]
            top = max(p for p, _ in parts)
            return top, sp.Add(*(c for p, c in parts if p == top))
        if e.is_Mul:
            parts = [self._checked(a) for a in e.args]
            return sum(p for p, _ in parts), sp.Mul(*(c for _, c in parts))
        if e.is_Pow and e.exp.is_Integer:
            power, coefficient = self._checked(e.base)
            return power * int(e.exp), coefficient**e.exp
        raise LimitError(f"no rule for the limit of {type(e).__name__}")

    def _scalar(self, e: sp.Expr) -> tuple[int, sp.Expr]:
        """A rational function of overlaps and multiplicities."""
        e = e.xreplace(dict(self.exact))
        if not e.free_symbols & (set(self.scalings) | {self.B} | set(self.fields)):
            return 0, e
        grown = e.xreplace(self._grown)
        above, below = sp.fraction(sp.together(grown))
        top, bottom = (sp.Poly(sp.expand(part), self.B) for part in (above, below))
        return top.degree() - bottom.degree(), top.LC() / bottom.LC()

    def _log_average(self, e: LogAverage) -> tuple[int, sp.Expr]:
        power, exponent = self._checked(e.exponent)
        if power == 0:
            return 0, LogAverage(exponent, [self._gauss(m) if isinstance(m, Gauss) else m for m in e.measures])
        return power, -self._peak(exponent, e.measures, power).envelope

    def _tilted(self, e: Tilted) -> tuple[int, sp.Expr]:
        tilt, exponent = (0, e.exponent) if e.exponent == 0 else self._checked(e.exponent)
        if tilt != 0:
            return self._concentrated(e, exponent, tilt)
        measures = [self._gauss(m) if isinstance(m, Gauss) else m for m in e.measures]
        power, body = self._checked(e.body)
        body, exponent, measures = _half(_by_parts(body, exponent, measures), exponent, measures, self.places)
        return power, Tilted(body, exponent, measures, normalised=e.normalised)

    def _concentrated(self, e: Tilted, exponent: sp.Expr, power: int) -> tuple[int, sp.Expr]:
        """An average whose tilt grows: what it averages, at the tilt's maximum; a variance of scores as a response."""
        peak = self._peak(exponent, e.measures, power)
        deviation = _deviation(e)
        if deviation is None:
            top, body = self._checked(e.body)
            return top, body.xreplace(peak.place)
        top, body = self._checked(deviation)
        score = exponent.diff(peak.variable)
        if sp.expand(body - score) != 0 or top != 0:
            raise LimitError("the variance of something else than the tilt's own score has no rule as an average concentrates")
        return -power, Response(body.xreplace(peak.place), peak.field) - body.diff(peak.variable).xreplace(peak.place)

    def _peak(self, exponent: sp.Expr, measures: tuple[Measure, ...], power: int) -> Peaked:
        gauss = [m for m in measures if isinstance(m, Gauss)]
        others = [m for m in measures if not isinstance(m, Gauss)]
        if len(gauss) != 1 or len(gauss[0].variables) != 1 or not all(isinstance(m, Discrete) for m in others):
            raise LimitError("an average that concentrates is built over one field")
        (m,) = gauss
        (v,) = m.variables
        size, variance = self._scalar(m.covariance[0, 0])
        if size - 2 * self.fields.get(v, 0) != -power:
            raise LimitError(f"the tilt grows like {self.B}^{power}, its field {v.name} varies like {self.B}^{size}: orders do not match")
        if not isinstance(m.means[0].xreplace({o.variables[0]: sp.S.Zero for o in others}), sp.Symbol):
            raise LimitError("an average that concentrates around something else than its parent's field has no rule")
        even = all(self.even(leaf) for leaf in exponent.atoms(Leaf))
        return _peak(exponent, m.means[0], v, variance, others, even)

    def _gauss(self, m: Gauss) -> Gauss:
        """The law of the fields divided by their powers of B."""
        powers = [self.fields.get(v, 0) for v in m.variables]
        entries = m.covariance.xreplace(dict(self.scalings))
        scaled = [[sp.expand(entries[i, j] / self.B ** (p + r)) for j, r in enumerate(powers)] for i, p in enumerate(powers)]
        if sp.Matrix(scaled).has(self.B):
            raise LimitError(f"the covariance of {', '.join(v.name for v in m.variables)} does not settle as {self.B} grows")
        return Gauss(m.variables, [self._mean(mean, p) for mean, p in zip(m.means, powers, strict=True)], scaled)

    def _mean(self, mean: sp.Expr, power: int) -> sp.Expr:
        if not mean.free_symbols:
            return mean
        top, value = self._scalar(mean)
        if top != power:
            raise LimitError(f"a field's mean {mean} grows like {self.B}^{top} where the field grows like {self.B}^{power}")
        return value


@dataclass(frozen=True)
class Peaked:
    """Where a concentrating average sits: its variable and the parent's field, the place it goes to, the envelope."""

    variable: sp.Symbol
    field: sp.Symbol
    place: Mapping[sp.Basic, sp.Expr]
    envelope: sp.Expr


def _peak(exponent: sp.Expr, mean: sp.Expr, v: sp.Symbol, variance: sp.Expr, others: list[Measure], even: bool) -> Peaked:
    """The maximum of exponent - (v - mean)^2 / (2 variance), also over two opposite values of a discrete variable that shifts the mean.

    Raises:
        LimitError: a discrete variable of another kind.
    """
    u = sp.Dummy("u", real=True)
    change: dict[sp.Basic, sp.Expr] = {}
    for m in others:
        assert isinstance(m, Discrete)
        (w,) = m.variables
        if set(m.atoms_) != {sp.S.One, -sp.S.One} or w in exponent.free_symbols or not even:
            raise LimitError("the largest of several values of a weight is built for signs only")
        above = mean.xreplace({w: sp.S.Zero})
        change[w] = sp.sign(above)  # the shift goes away from zero, where an even tilt that grows is larger
    args = ((-exponent).xreplace({v: u}), u, variance, mean.xreplace(change))
    (field,) = (s for s in mean.free_symbols if mean.diff(s) == 1)
    return Peaked(v, field, change | {v: Prox(*args)}, Moreau(*args))


class Response(sp.Expr):
    """d F / d h of a function with jumps; only its average over h has a meaning."""

    is_real = True

    def __new__(cls, function, field):
        return sp.Expr.__new__(cls, function, field)


def _by_parts(body: sp.Expr, exponent: sp.Expr, measures: list[Measure]) -> sp.Expr:
    """E[d F/d h e^L] = E[F ((h - mu)/D - L') e^L] for h ~ N(mu, D): exact where F jumps, and no slope is needed."""
    change = {}
    for node in body.atoms(Response):
        function, field = node.args
        own = [m for m in measures if isinstance(m, Gauss) and m.variables == (field,)]
        slot = sp.Dummy("slot", real=True)
        rate = body.xreplace({node: slot}).diff(slot)
        if not own or rate.has(slot):
            raise LimitError(f"a response to {field}, squared or not averaged over it, has no rule: it is infinite where the place jumps")
        change[node] = function * ((field - own[0].means[0]) / own[0].covariance[0, 0] - exponent.diff(field))
    return body.xreplace(change)


@dataclass(frozen=True)
class Place:
    """Where a proximal point stands at a given field: the largest root of point = field + chi score(point)."""

    symbol: sp.Symbol
    equation: sp.Expr


def _half(
    body: sp.Expr, exponent: sp.Expr, measures: list[Measure], places: dict[sp.Expr, Place]
) -> tuple[sp.Expr, sp.Expr, list[Measure]]:
    """Where the point depends on the sign of a centered field: twice the positive half, integrated over the point itself.

    A sign stands there only if what is averaged is even (see `_peak`), so both halves give the same; on one of them the point grows
    with the field, from its place at the field's smallest value.
    """
    for m in measures:
        if not isinstance(m, Gauss) or len(m.variables) != 1 or not body.has(sp.sign(m.variables[0])):
            continue
        (v,) = m.variables
        half = body.xreplace({sp.sign(v): sp.S.One})
        nodes = sorted(half.atoms(Prox, Moreau), key=str)
        if not nodes:
            continue  # a sign of the field itself is a kink like any other
        if m.means[0] != 0 or exponent != 0 or len({n.args[2:] for n in nodes}) != 1:
            raise LimitError(f"the sign of {v.name} beside several proximal points, or under a tilt, has no rule")
        u, chi, shift = sp.Dummy("u", real=True), nodes[0].chi, sp.expand(nodes[0].h - v)
        loss = nodes[0].loss.xreplace({nodes[0].u: u})
        slope = loss.diff(u)
        moved = u + chi * slope - shift
        change = {n: u if isinstance(n, Prox) else chi * slope**2 / 2 + loss for n in nodes}
        place = places.setdefault(nodes[0].func(*nodes[0].args[:3], shift), Place(sp.Symbol("w_edge", real=True), sp.S.Zero))
        equation = shift - chi * slope.xreplace({u: place.symbol})
        places[nodes[0].func(*nodes[0].args[:3], shift)] = Place(place.symbol, equation)
        variance = m.covariance[0, 0]
        density = -(moved**2) / (2 * variance) - sp.log(variance) / 2 - (sp.log(2) + sp.log(sp.pi)) / 2
        body = 2 * (1 + chi * slope.diff(u)) * half.xreplace(change).xreplace({v: moved})
        return body, density, [Flat(u, place.symbol, sp.oo) if o is m else o for o in measures]
    return body, exponent, measures


def _slopes(e: sp.Basic) -> sp.Basic:
    """R_2 as R_1^2 + R_1', so that R_2 - R_1^2 cancels before powers are counted."""
    if e.is_Add:
        seconds = [a for a in e.atoms(Leaf) if a.order == 2]
        if seconds:
            opened = sp.expand(e.xreplace({a: a.at_order(1) ** 2 + Slope(a.at_order(1)) for a in seconds}))
            return opened if not opened.atoms(Tilted, LogAverage) or opened.is_Add or opened.is_Mul else e
    return e


def _deviation(e: Tilted) -> sp.Expr | None:
    """X where the body is (X - <X>)^2 under the same tilt."""
    if not (e.body.is_Pow and e.body.exp == 2 and e.body.base.is_Add):
        return None
    for term in e.body.base.args:
        sign, mean = term.as_coeff_Mul()
        if isinstance(mean, Tilted) and mean.args[1:] == e.args[1:]:
            X = e.body.base - term
            if sp.expand(X + sign * mean.body) == 0:
                return X
    return None
