"""Where w^2/2 + X L(w) lies above its convex hull, for every strength X > 0: the intervals that a proximal point jumps over.

L is numbers here.  Such an interval grows with X, so it always contains the place where it appeared.  As X passes a threshold an
interval appears, two of them merge, or an end moves onto a kink or off it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from numerics.rewrite.sample import Array

DENSITY = 24  # grid points per decade of the distance from a kink or from a place where the curvature is lowest
NEAREST, FARTHEST = -5, 12  # decades of that distance, in units of the loss's own length
DEPTH = 1e-11  # a chord must lie so far below the function between its ends, relative to the values
SPAN = (1e-4, 1e8)  # strengths that are looked at, in units of the loss's own
PER_DECADE = 3
MOST = 8  # places where a loss bends down
EDGE = 1e-9  # lengths from a kink to the centre of a jump that grows on one side of it
PRECISION = 1e-10  # of the strengths at which something changes

Function = Callable[[Array], Array]
Kind = tuple[bool, int, bool, int, int]
Births = dict[float, tuple[float, tuple[bool, int, bool, int]]]  # centre: strength at which its jump appears, kind


class NoHull(ValueError):
    """The function falls faster than parabolas rise, or bends down in too many places."""


@dataclass(frozen=True)
class Numbers:
    """A function in pieces: (value, slope, curvature) of each, the kinks between them and the lower value at each kink.

    `length`, `strength`: scales on which it bends and at which that matters.
    """

    pieces: tuple[tuple[Function, Function, Function], ...]
    kinks: tuple[float, ...]
    values: tuple[float, ...]
    length: float
    strength: float


@dataclass(frozen=True)
class End:
    """One end of a jump: resting on kink number `index`, or tangent inside piece number `index`."""

    place: float
    kink: bool
    index: int


@dataclass(frozen=True)
class Jump:
    """At this field (slope of the hull) the proximal point goes from `left` to `right`."""

    left: End
    right: End
    field: float

    @property
    def kind(self) -> tuple[bool, int, bool, int]:
        return self.left.kink, self.left.index, self.right.kink, self.right.index


@dataclass(frozen=True)
class Regime:
    """A range of strengths: for every centre the kind of the jump over it and the first centre it is over, None before it appears."""

    lower: float
    upper: float
    kinds: tuple[Kind | None, ...]


class Hull:
    """The jumps of one function at any strength."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = n = numbers
        self.bends = _lowest(n)
        if len(self.bends) > MOST:
            raise NoHull(f"it bends down in {len(self.bends)} places, {MOST} are possible")
        steps = np.logspace(NEAREST, FARTHEST, DENSITY * (FARTHEST - NEAREST)) * n.length
        grid = np.unique(np.concatenate([np.concatenate([f - steps, [f], f + steps]) for f in ({*n.kinks, *self.bends} or {0.0})]))
        loss = self._at(grid, 0)
        for place, value in zip(n.kinks, n.values, strict=True):
            loss[grid == place] = value
        fine = np.isfinite(loss)
        self._ends = grid[[0, -1]]
        self._grid, self._loss = grid[fine], loss[fine]
        self._known: dict[float, tuple[Jump, ...]] = {}
        self.strengths = n.strength * np.logspace(np.log10(SPAN[0]), np.log10(SPAN[1]), int(PER_DECADE * np.log10(SPAN[1] / SPAN[0])))

    def _at(self, w: Array, order: int) -> Array:
        """The function or its derivative at points that are no kinks."""
        piece = np.searchsorted(self.numbers.kinks, w)
        result = np.full(w.shape, np.nan)
        with np.errstate(all="ignore"):
            for i, functions in enumerate(self.numbers.pieces):
                if (piece == i).any():
                    result[piece == i] = functions[order](w[piece == i])
        return result

    def _piece(self, i: int, order: int, w: Array) -> Array:
        with np.errstate(all="ignore"):
            return self.numbers.pieces[i][order](w)

    def slopes(self) -> Array:
        """Slopes of the function from far left to far right, kinks included, where they are finite."""
        found = self._at(self._grid, 1)
        return found[np.isfinite(found)]

    def jumps(self, strength: float) -> tuple[Jump, ...]:
        """Jumps in increasing order.

        Raises:
            NoHull: there is no minimum.
        """
        if strength not in self._known:
            self._known[strength] = self._jumps(strength)
        return self._known[strength]

    def _jumps(self, strength: float) -> tuple[Jump, ...]:
        w, f = self._grid, self._grid**2 / 2 + strength * self._loss
        found = []
        for i, j in _gaps(w, f):
            slope = (f[j] - f[i]) / (w[j] - w[i])
            between = f[i + 1 : j] - f[i] - slope * (w[i + 1 : j] - w[i])
            if between.max() > DEPTH * (np.abs(f[i : j + 1]).max() + np.abs(slope) * (w[j] - w[i])):
                if w[i] == self._ends[0] or w[j] == self._ends[1]:
                    raise NoHull("it falls faster than a parabola rises")
                found.append(self._polished(strength, float(w[i]), float(w[j]), float(slope)))
        return tuple(found)

    def _polished(self, strength: float, left: float, right: float, field: float) -> Jump:
        """The jump seen on the grid, exactly; an end that would cross a kink rests on it."""
        kinks = self.numbers.kinks
        ends = []
        for place, side in ((left, -1), (right, 1)):
            piece = int(np.searchsorted(kinks, place))
            if place in kinks:
                outer = piece if side < 0 else piece + 1  # the piece beyond this end
                rests = self._rests(strength, side, piece, field)
                ends.append(End(place, rests, piece if rests else outer))
            else:
                ends.append(End(place, False, piece))
        jump = Jump(ends[0], ends[1], field)
        for _ in range(4):
            found = self.refine(strength, jump)
            ends = [self._settled(strength, side, end, found.field) for side, end in ((-1, found.left), (1, found.right))]
            if ends == [found.left, found.right]:
                return found
            jump = Jump(ends[0], ends[1], found.field)
        return self.refine(strength, jump)

    def _rests(self, strength: float, side: int, kink: int, field: float) -> bool:
        """Whether the end on this side of a jump (-1: the left one) stays on a kink: beyond it slopes are out of reach."""
        place = self.numbers.kinks[kink]
        slope = place + strength * float(self._piece(kink if side < 0 else kink + 1, 1, np.array(place)))
        return bool(not np.isfinite(slope) or side * (slope - field) > 0)

    def _settled(self, strength: float, side: int, end: End, field: float) -> End:
        kinks = self.numbers.kinks
        if end.kink:
            rests = self._rests(strength, side, end.index, field)
            return end if rests else End(end.place, False, end.index if side < 0 else end.index + 1)
        for kink in (end.index - 1, end.index):  # below and above this piece
            if 0 <= kink < len(kinks) and (end.place < kinks[kink]) == (kink < end.index) and end.place != kinks[kink]:
                return End(kinks[kink], True, kink)
        return end

    def refine(self, strength: float, jump: Jump) -> Jump:
        """The jump that is near this one and of its kind."""
        places = self.trace(jump.kind, np.array([strength]), np.array([[jump.left.place], [jump.right.place]]))
        left, right, field = (float(row[0]) for row in places)
        return Jump(End(left, *jump.kind[:2]), End(right, *jump.kind[2:]), field)

    def trace(self, kind: tuple[bool, int, bool, int], strengths: Array, places: Array) -> tuple[Array, Array, Array]:
        """Left ends, right ends and fields at many strengths: Newton's method on both ends lying on one line, tangent where an end
        does not rest.  `places`: guesses (2, n)."""
        ends = list(places)
        width = ends[1] - ends[0]
        heights = [self._height(strengths, rests, index, w) for (rests, index), w in zip((kind[:2], kind[2:]), ends, strict=True)]
        field = (heights[1] - heights[0]) / width
        for _ in range(40):
            before = field
            for k, (rests, index) in enumerate((kind[:2], kind[2:])):
                if not rests:
                    bend = 1 + strengths * self._piece(index, 2, ends[k])
                    step = (field - ends[k] - strengths * self._piece(index, 1, ends[k])) / np.where(bend > 0, bend, np.inf)
                    ends[k] = ends[k] + np.clip(step, -width / 4, width / 4)
                    heights[k] = self._height(strengths, rests, index, ends[k])
            field = (heights[1] - heights[0]) / (ends[1] - ends[0])
            if (np.abs(field - before) <= 1e-15 * (np.abs(field) + np.abs(width))).all():
                break
        return ends[0], ends[1], field

    def _height(self, strengths: Array, rests: bool, index: int, w: Array) -> Array:
        return w**2 / 2 + strengths * (self.numbers.values[index] if rests else self._piece(index, 0, w))

    def around(self, strength: float, centre: float) -> Jump | None:
        """The jump over `centre`."""
        return next((j for j in self.jumps(strength) if j.left.place <= centre <= j.right.place), None)

    def regimes(self) -> tuple[tuple[float, ...], tuple[Regime, ...]]:
        """(centres in increasing order, regimes from strength 0 to infinity)."""
        births: Births = {}
        before = 0.0
        for strength in self.strengths:
            for jump in self.jumps(strength):
                if not any(jump.left.place <= c <= jump.right.place for c in births):
                    centre, birth = self._centre(jump)
                    late = birth is None or not before <= birth <= strength
                    births[centre] = (self._birth(centre, before, strength) if late else float(birth), jump.kind)  # type: ignore[arg-type]
            before = strength
        return tuple(sorted(births)), self._split(dict(sorted(births.items())))

    def _centre(self, jump: Jump) -> tuple[float, float | None]:
        """A place inside every later jump that grows out of this one, and the strength at which it appears, None if not known."""
        kinks, left, right = self.numbers.kinks, jump.left.place, jump.right.place
        inside = [k for k in kinks if left < k < right]
        if inside:
            return min(inside, key=lambda k: abs(k - (left + right) / 2)), None
        for end, inward in ((jump.left, 1), (jump.right, -1)):
            if end.kink:  # grows out of the edge of a piece; the next one may grow on the other side of the same kink
                bend = float(self._piece(end.index + (inward > 0), 2, np.array(end.place)))
                return end.place + inward * EDGE * self.numbers.length, -1 / bend if bend < 0 else None
        near = [b for b in self.bends if left < b < right]
        centre = min(near, key=lambda b: self._at(np.array([b]), 2)[0]) if near else (left + right) / 2
        return centre, -1 / float(self._at(np.array([centre]), 2)[0])

    def _birth(self, centre: float, lower: float, upper: float) -> float:
        """The strength at which a jump around `centre` appears; 0 for one that was there from the start."""
        if lower == 0.0:
            return 0.0
        while upper / lower > 1 + PRECISION:
            middle = np.sqrt(lower * upper)
            if self.around(middle, centre) is None:
                lower = middle
            else:
                upper = middle
        return float(upper)

    def _kinds(self, strength: float, births: Births) -> tuple[Kind | None, ...]:
        """Kind of the jump over each centre, and the first centre that it is over; one too young to be seen is what it will be."""
        jumps = self.jumps(strength)
        found: list[Kind | None] = []
        first: dict[int, int] = {}
        for number, (centre, (birth, kind)) in enumerate(births.items()):
            at = next((k for k, j in enumerate(jumps) if j.left.place <= centre <= j.right.place), None)
            if at is not None:
                found.append((*jumps[at].kind, first.setdefault(at, number)))
            else:
                found.append((*kind, number) if strength > birth else None)
        return tuple(found)

    def _split(self, births: Births) -> tuple[Regime, ...]:
        known = [b for b, _ in births.values() if b > 0]
        strengths = sorted({*self.strengths.tolist(), *(b * f for b in known for f in (1 - PRECISION, 1 + PRECISION))})
        kinds = [self._kinds(s, births) for s in strengths]
        cuts, found = [0.0], [kinds[0]]
        for k in range(1, len(strengths)):
            a, b, after = strengths[k - 1], strengths[k], kinds[k]
            while after != found[-1]:
                low, high, kind = a, b, after
                while high / low > 1 + 3 * PRECISION:
                    middle = np.sqrt(low * high)
                    here = self._kinds(middle, births)
                    low, high, kind = (middle, high, kind) if here == found[-1] else (low, middle, here)
                cuts.append(next((x for x in known if low <= x <= high), float(high)))
                found.append(kind)
                a = high
        return tuple(Regime(*row) for row in zip(cuts, [*cuts[1:], np.inf], found, strict=True))


def _gaps(w: Array, f: Array) -> list[tuple[int, int]]:
    """Neighbors on the lower convex hull of the points (w, f) that have points between them."""
    turns = (f[1:-1] - f[:-2]) * (w[2:] - w[1:-1]) < (f[2:] - f[1:-1]) * (w[1:-1] - w[:-2])
    stops = [*(np.flatnonzero(~turns) + 2).tolist(), len(w)]  # up to there a hull without gaps only goes on
    points = list(zip(w.tolist(), f.tolist(), strict=True))
    hull, k = [0, 1], 2
    while k < len(w):
        if hull[-2] == k - 2 and (stop := stops[bisect_left(stops, k)]) > k:
            hull.extend(range(k, stop))
            k = stop
            continue
        x, y = points[k]
        while len(hull) > 1:
            (x0, y0), (x1, y1) = points[hull[-2]], points[hull[-1]]
            if (y1 - y0) * (x - x1) < (y - y1) * (x1 - x0):
                break
            hull.pop()
        hull.append(k)
        k += 1
    return [(i, j) for i, j in zip(hull, hull[1:], strict=False) if j > i + 1]


def _lowest(n: Numbers) -> list[float]:
    """Local minima of the curvature, where it is negative."""
    found = []
    ends = (-np.inf, *n.kinks, np.inf)
    for (_, _, curvature), low, high in zip(n.pieces, ends, ends[1:], strict=False):
        steps = np.concatenate([-np.logspace(3, -4, 400), [0.0], np.logspace(-4, 3, 400)]) * n.length
        around = [e for e in (low, high) if np.isfinite(e)] or [0.0]
        grid = np.unique(np.clip(np.concatenate([a + steps for a in around]), low, high))[1:-1]
        with np.errstate(all="ignore"):
            c = np.broadcast_to(np.nan_to_num(curvature(grid), nan=np.inf), grid.shape)
        top = np.abs(c[np.isfinite(c)]).max(initial=0.0)
        for i in range(1, len(grid) - 1):
            if c[i] < -1e-9 * top and c[i - 1] > c[i] <= c[i + 1]:
                best = optimize.minimize_scalar(
                    lambda x, f=curvature: float(f(np.array(x))),
                    bounds=(grid[i - 1], grid[i + 1]),
                    method="bounded",
                    options={"xatol": 1e-12 * n.length},
                )
                found.append(float(best.x))
    return found
