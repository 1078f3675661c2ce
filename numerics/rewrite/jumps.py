"""Where a proximal point jumps, as expressions of the parameters: closed forms between parabolas, else roots from tabulated guesses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp

from numerics.program import Root, Table
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.hull import Hull, NoHull, Regime
from numerics.rewrite.losses import Loss
from numerics.rewrite.pieces import Context
from numerics.rewrite.sample import Array
from numerics.rewrite.shape import Shape, read_shape

DEGREE = 5  # of the polynomials in a table
GOOD = 1e-5  # of a table, relative to the distance from the centre
NARROW = 0.1  # panels are not halved further
COARSE = 1.5  # guesses for a table, per unit of the logarithm
TINY = 1e-300
YOUNG = 1e-4  # relative distance from a threshold below which a table is continued by its tangent

Panels = list[list[float]]


@dataclass(frozen=True)
class Gap:
    """One jump: the proximal point goes from `left` to `right` at the field `field`, where the envelope is `envelope`.

    A jump that has not appeared is a point: left = right = centre.
    """

    centre: float
    left: sp.Expr
    right: sp.Expr
    field: sp.Expr
    envelope: sp.Expr


@dataclass(frozen=True)
class Jumps:
    """All jumps of one proximal point in increasing order; merged ones stand twice.

    Args:
        rests: for every kink of the loss, the slopes between which the proximal point rests there (equal where it does not).
        slopes: (largest slope on the left side, smallest on the right side) of the loss, where they bound the proximal point.
    """

    shape: Shape
    gaps: tuple[Gap, ...]
    rests: tuple[tuple[sp.Expr, sp.Expr], ...]
    slopes: tuple[sp.Expr, sp.Expr]


def read_jumps(loss: Loss, chi: sp.Expr, context: Context) -> Jumps:
    """
    Raises:
        RewriteError: parameters change the shape of the loss, or it has no proximal point.
    """
    shape = context.once((loss,), lambda: read_shape(loss, context.facts))
    try:
        hull = context.once((loss, Hull), lambda: Hull(shape.numbers))
        centres, regimes = context.once((loss, Regime), hull.regimes)
    except NoHull as error:
        text = f"the loss {loss.pieces[0].value} is not convex and has no proximal point that can be integrated over"
        raise RewriteError(f"{text}: {error}") from None
    return _Writer(loss, chi, context, shape, hull, centres, regimes).jumps()


@dataclass(frozen=True)
class _Writer:
    loss: Loss
    chi: sp.Expr
    context: Context
    shape: Shape
    hull: Hull
    centres: tuple[float, ...]
    regimes: tuple[Regime, ...]

    def jumps(self) -> Jumps:
        hold = self.context.loops.hold
        strength = hold(self.shape.strength(self.chi))
        gaps = []
        rows: list[list[Gap]] = []
        for k, centre in enumerate(self.centres):
            row = [self._gap(regime, k, strength) for regime in self.regimes]
            rows.append(row)
            chosen = [hold(self._choose(strength, [getattr(g, name) for g in row])) for name in ("left", "right", "field", "envelope")]
            gaps.append(Gap(centre, *chosen))
        rests = []
        for m in range(len(self.loss.kinks)):
            bounds = [self._rest(m, regime, [row[r] for row in rows]) for r, regime in enumerate(self.regimes)]
            rests.append((self._choose(strength, [b[0] for b in bounds]), self._choose(strength, [b[1] for b in bounds])))
        return Jumps(self.shape, tuple(gaps), tuple(rests), self._slopes())

    def _choose(self, strength: sp.Expr, by_regime: list[sp.Expr]) -> sp.Expr:
        """The expression of the regime that holds."""
        branches: list[tuple[sp.Expr, sp.Basic]] = []
        for e, regime in zip(by_regime, self.regimes, strict=True):
            if branches and branches[-1][0] == e:
                branches.pop()
            branches.append((e, sp.true if regime.upper == np.inf else sp.Lt(strength, sp.Float(regime.upper, 17), evaluate=False)))
        return branches[0][0] if len(branches) == 1 else sp.Piecewise(*branches, evaluate=False)

    def _rest(self, m: int, regime: Regime, gaps: list[Gap]) -> tuple[sp.Expr, sp.Expr]:
        kink = self.loss.kinks[m]
        lower, upper = kink.before, kink.after
        for kind, gap in zip(regime.kinds, gaps, strict=True):
            if kind is None:
                continue
            left_rests, left, right_rests, right, _ = kind
            if (left + 1 if left_rests else left) <= m <= (right - 1 if right_rests else right - 1):
                return sp.S.Zero, sp.S.Zero  # hidden inside a jump
            if right_rests and right == m:
                lower = (gap.field - kink.place) / self.chi
            if left_rests and left == m:
                upper = (gap.field - kink.place) / self.chi
        return lower, upper

    def _gap(self, regime: Regime, k: int, strength: sp.Expr) -> Gap:
        kind, centre = regime.kinds[k], self.shape.place(self.centres[k])
        if kind is None:
            i = int(np.searchsorted(self.shape.numbers.kinks, self.centres[k]))
            return Gap(self.centres[k], centre, centre, *self._at(centre, i))
        left_rests, left, right_rests, right, _ = kind
        hold = self.context.loops.hold
        ends = []
        for rests, index in ((left_rests, left), (right_rests, right)):
            ends.append(self.loss.kinks[index].place if rests else None)
        if all(rests or self.loss.pieces[index].line for rests, index in ((left_rests, left), (right_rests, right))):
            field = hold(self._closed_field(regime, k))
        else:
            ends = [hold(e) for e in self._roots(regime, k, strength, ends)]
            tangent = 0 if not left_rests else 1
            field = self._at(ends[tangent], (left, right)[tangent])[0]
        for side, index in enumerate((left, right)):
            if ends[side] is None:
                offset, rate = self.loss.pieces[index].line  # type: ignore[misc]
                ends[side] = (field - self.chi * offset) / (1 + self.chi * rate)
        value = self.loss.kinks[left].value if left_rests else self.loss.pieces[left].value.xreplace({self.loss.u: ends[0]})
        return Gap(self.centres[k], ends[0], ends[1], field, (ends[0] - field) ** 2 / (2 * self.chi) + value)

    def _at(self, u: sp.Expr, i: int) -> tuple[sp.Expr, sp.Expr]:
        """Field and envelope where the proximal point is `u`, inside piece i."""
        piece, place = self.loss.pieces[i], {self.loss.u: u}
        slope = piece.slope.xreplace(place)
        return u + self.chi * slope, self.chi * slope**2 / 2 + piece.value.xreplace(place)

    # closed forms
    def _parabola(self, rests: bool, index: int) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """c0, c1, c2 of chi times the envelope of one branch, as a polynomial in the field."""
        if rests:
            kink = self.loss.kinks[index]
            return kink.place**2 / 2 + self.chi * kink.value, -kink.place, sp.S.Half
        piece = self.loss.pieces[index]
        offset, rate = piece.line  # type: ignore[misc]
        constant = piece.value.xreplace({self.loss.u: sp.S.Zero})
        shrink = 1 / (1 + self.chi * rate)
        return self.chi * constant - self.chi**2 * offset**2 * shrink / 2, self.chi * offset * shrink, self.chi * rate * shrink / 2

    def _closed_field(self, regime: Regime, k: int) -> sp.Expr:
        """The field at which two parabolas meet; of two, the one seen in numbers."""
        left_rests, left, right_rests, right, _ = regime.kinds[k]  # type: ignore[misc]
        one, other = self._parabola(left_rests, left), self._parabola(right_rests, right)
        facts = self.context.facts
        c0, c1, c2 = (sp.S.Zero if facts.vanishes(a - b) else sp.together(a - b) for a, b in zip(one, other, strict=True))
        if c2 == 0:
            return sp.cancel(-c0 / c1)
        numbers = self.shape.numbers
        X = min(max(regime.lower * 2, self.hull.strengths[0]), regime.upper)
        X = X if np.isfinite(X) and X < regime.upper else float(np.sqrt(max(regime.lower, self.hull.strengths[0]) * regime.upper))
        jump = self.hull.around(X, self.centres[k])
        assert jump is not None

        def polynomial(rests: bool, index: int) -> Array:
            if rests:
                w = numbers.kinks[index]
                return np.array([w**2 / 2 + X * numbers.values[index], -w, 0.5])
            value, slope, curvature = (float(f(np.array(0.0))) for f in numbers.pieces[index])
            bend = 1 + X * curvature
            return np.array([X * value - X**2 * slope**2 / bend / 2, X * slope / bend, X * curvature / bend / 2])

        _, b, a = polynomial(left_rests, left) - polynomial(right_rests, right)
        sign = 1 if 2 * a * jump.field + b > 0 else -1
        root = sp.sqrt(c1**2 - 4 * c0 * c2)
        return 2 * c0 / (-c1 - sign * root) if b * sign > 0 else (-c1 + sign * root) / (2 * c2)

    # roots
    def _roots(self, regime: Regime, k: int, strength: sp.Expr, ends: list[sp.Expr | None]) -> list[sp.Expr]:
        left_rests, left, right_rests, right, _ = regime.kinds[k]  # type: ignore[misc]
        chi, u = self.chi, self.loss.u
        tables = self._tables(regime, k, [side for side, rests in ((0, left_rests), (1, right_rests)) if not rests])
        youngest = sp.Float(float(np.exp(tables[0][0][0])) * YOUNG**2, 17)
        age = self.context.loops.hold(sp.log(sp.Max(strength - sp.Float(regime.lower, 17), youngest)))
        distances = [self.context.loops.hold(sp.exp(Table(age, panels)) * self.shape.length) for panels in tables]
        unknowns = [sp.Dummy("z", real=True) for _ in tables]
        guesses, named = [], list(ends)
        centre, pending = self.shape.place(self.centres[k]), list(zip(unknowns, distances, strict=True))
        for side in (0, 1):
            if ends[side] is None:
                named[side], distance = pending.pop(0)
                guesses.append(centre + (distance if side else -distance))
        reach = [d / 2 for d in distances]

        def height(side: int, rests: bool, index: int) -> sp.Expr:
            return self.loss.kinks[index].value if rests else self.loss.pieces[index].value.xreplace({u: named[side]})

        def slope(side: int, index: int) -> sp.Expr:
            return self.loss.pieces[index].slope.xreplace({u: named[side]})

        rise, width = height(1, right_rests, right) - height(0, left_rests, left), named[1] - named[0]  # type: ignore[operator]
        if left_rests:
            equations = [width**2 / 2 - chi * (rise - slope(1, right) * width)]
        else:
            equations = [width**2 / 2 + chi * (rise - slope(0, left) * width)]
        if len(unknowns) == 2:
            equations.insert(0, width + chi * (slope(1, right) - slope(0, left)))
        found = iter(Root(i, equations, unknowns, guesses, reach) for i in range(len(unknowns)))
        return [next(found) if e is None else e for e in ends]

    def _tables(self, regime: Regime, k: int, sides: list[int]) -> list[Panels]:
        """log of the distance of the ends on these sides from the centre, as functions of the log of the strength beyond the threshold."""
        first, last = self.hull.strengths[[0, -1]]
        centre, low, kind = self.centres[k], regime.lower, regime.kinds[k]
        assert kind is not None
        start = max(YOUNG * low, first) if low > 0 else first
        stop = (min(regime.upper, last) - low) * (1 - 1e-6)
        ages = np.linspace(np.log(start), np.log(stop), 2 + int(COARSE * np.log(stop / start)))
        seen = [self.hull.around(low + float(np.exp(t)), centre) for t in ages]
        ages = np.array([t for t, j in zip(ages, seen, strict=True) if j is not None])
        coarse = np.array([[np.log(centre - j.left.place + TINY), np.log(j.right.place - centre + TINY)] for j in seen if j is not None])

        def distances(age: Array) -> Array:
            guess = [np.exp(np.interp(age, ages, column)) for column in coarse.T]
            left, right, _ = self.hull.trace(kind[:4], low + np.exp(age), np.array([centre - guess[0], centre + guess[1]]))
            return np.log(np.stack([(centre - left, right - centre)[s] for s in sides], axis=1))

        key = (self.loss, regime.lower, k, tuple(sides))
        return self.context.once(key, lambda: _fitted(distances, float(np.log(start)), float(np.log(stop)), len(sides)))

    def _slopes(self) -> tuple[sp.Expr, sp.Expr]:
        """Largest local maximum and smallest local minimum of the slope, the far left and the far right among them."""
        shape, numbers = self.shape, self.shape.numbers
        inner = self.hull.slopes()
        rising = np.append(inner[:-1] >= inner[1:], False)
        falling = np.append(False, inner[1:] <= inner[:-1])
        largest = float(max(inner[rising], default=-np.inf))
        smallest = float(min(inner[falling], default=np.inf))
        i = next(i for i, p in enumerate(self.loss.pieces) if not p.forbidden)
        w = min(numbers.kinks[i] - 1.0, 0.0) if i < len(numbers.kinks) else numbers.kinks[-1] + 1.0 if numbers.kinks else 0.0
        rate = shape.size / shape.length
        own = self.loss.pieces[i].slope.xreplace({self.loss.u: shape.place(w)})
        offset = own - rate * sp.Float(float(numbers.pieces[i][1](np.array(w))), 17)
        found = []
        for value in (largest, smallest):
            found.append(self.context.loops.hold(offset + rate * sp.Float(value, 17)) if np.isfinite(value) else None)
        return found[0], found[1]


def _fitted(f: Callable[[Array], Array], low: float, high: float, columns: int) -> list[Panels]:
    """Tables of the columns of f, panels halved until they are good."""
    nodes = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    tests = np.array([-0.98, -0.5, 0.1, 0.5, 0.98])
    solve, test = np.linalg.inv(np.vander(nodes, increasing=True)), np.vander(tests, DEGREE + 1, increasing=True)
    good: list[tuple[float, float, Array]] = []
    pending = [(low, high)]
    while pending:
        at = np.concatenate([(a + b) / 2 + (b - a) / 2 * np.concatenate([nodes, tests]) for a, b in pending])
        values = f(at).reshape(len(pending), DEGREE + 1 + len(tests), columns)
        halves = []
        for (a, b), rows in zip(pending, values, strict=True):
            powers = solve @ rows[: DEGREE + 1]
            if np.abs(test @ powers - rows[DEGREE + 1 :]).max() < GOOD or b - a < NARROW:
                good.append((a, b, powers))
            else:
                halves += [(a, (a + b) / 2), ((a + b) / 2, b)]
        pending = halves
    good.sort(key=lambda panel: panel[0])
    return [[[a, b, *p[:, c].tolist()] for a, b, p in good] for c in range(columns)]
