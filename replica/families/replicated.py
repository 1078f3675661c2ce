"""Gibbs learners on any replica tree: RSB levels, real replicas around a centre, a probe around a reference.

Unknowns are increments of overlaps along the tree, positive and without cancellation, and cross overlaps; each has its conjugate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

import sympy as sp

from replica.families.chart import Chart, Regime, pinned
from replica.families.model import TEACHER
from replica.families.sheet import LevelSheet, difference
from replica.families.starts import easy_values, gathered, nearer, starting_length, typical_length
from replica.symbols import POSITIVE, REAL, OrderParameter
from replica.tree import Leaf, Overlap

EDGE_STARTS = tuple(sp.Rational(share, 20) for share in (3, 14, 1, 10, 14, 1))  # parts of an overlap that differ between groups


@dataclass(frozen=True)
class Unknown:
    """An order parameter with its equation x = ... and where to start."""

    parameter: OrderParameter
    equation: sp.Expr
    start: sp.Expr
    conjugate: bool = False
    broken: tuple[sp.Expr, ...] = ()  # further starts, with more of the overlap in the outer groups


@dataclass
class Sheets(Chart):
    """The equations of all levels in increments.

    Args:
        stairs: see `_starts`.
    """

    stairs: tuple[tuple[int | sp.Expr, int | sp.Expr], ...] = ((1, 6), (5, 2), (16, 1))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.unknowns = self._unknowns()
        self.unknowns += self._places()

    def _places(self) -> list[Unknown]:
        """Ends of averages that run over a point which some of the samples or weights reach."""
        found = {}
        for place in self.plan.places.values() if self.plan is not None else ():
            leaves = {e: self.closing.opened(e) for e in place.equation.atoms(Leaf)}
            parameter = OrderParameter(place.symbol, "smallest field on which a weight's copies agree", REAL)
            found[place.symbol] = Unknown(parameter, place.equation.xreplace(leaves).xreplace(self.rest), sp.S.One)
        return list(found.values())

    def _unknowns(self) -> list[Unknown]:
        overlaps: list[Unknown] = []
        hats: list[Unknown] = []
        for level in self.levels:
            for species in dict.fromkeys(o.first for o in level.level.own if o.first == o.second and o.first != TEACHER):
                if species in self.silent:
                    self._length(level, species, hats)
                    continue
                self._own(level, species, overlaps, hats)
            for overlap in level.level.own:
                if overlap.first != overlap.second:
                    self._cross(level, overlap, overlaps, hats)
        return overlaps + hats

    def _length(self, level: LevelSheet, species: str, hats: list[Unknown]) -> None:
        """What holds a learner that reads no samples on its sphere."""
        own, V_hat = Overlap(None, species, species), self.variance(species, True)
        if own in level.inputs and V_hat in self.chart[self.symbol(own, True)].free_symbols:
            length = self.entropic(level.inputs[own]) / self.norms[species]
            meaning = f"conjugate of the length of {species}"
            hats.append(Unknown(OrderParameter(V_hat, meaning, REAL), V_hat + sp.log(length), sp.S.One, True))

    def _own(self, level: LevelSheet, species: str, overlaps: list[Unknown], hats: list[Unknown]) -> None:
        *between, own = self.structure.chain(species)
        norm, scale = self.norms[species], self._scale(species)
        start, *others = self._starts(species, len(between), scale)
        for number, overlap in enumerate(between):
            got, out = level.inputs[overlap], level.outputs[overlap]
            symbol, symbol_hat = self.symbol(overlap), self.symbol(overlap, True)
            meaning = f"overlap of two copies of {species}"
            if number:
                before = between[number - 1]
                got, out = difference(got, level.inputs[before]), difference(out, level.outputs[before])
                symbol, symbol_hat = self.increment(overlap), self.increment(overlap, True)
                meaning = f"{self.name(overlap)} - {self.name(before)}"
            if number or norm is None:
                overlaps.append(
                    Unknown(
                        OrderParameter(symbol, meaning, POSITIVE),
                        self.received(got, self.power(symbol)),
                        start[number],
                        broken=tuple(o[number] for o in others),
                    )
                )
            if self.name(overlap) in self.imposed:  # its conjugate is what keeps it there
                kept = self.imposed[self.name(overlap)] - self.entropic(level.inputs[overlap])
                hats.append(Unknown(OrderParameter(symbol_hat, "conjugate of an imposed overlap", REAL), symbol_hat + kept, sp.S.One, True))
                continue
            hats.append(
                Unknown(
                    OrderParameter(symbol_hat, f"conjugate of {meaning}", POSITIVE),
                    self.alpha * self.energetic(out, self.power(symbol_hat)),
                    start[number] / scale**2,
                    True,
                )
            )
        last = between[-1]
        V, V_hat = self.variance(species), self.variance(species, True)
        rest, further = scale - sp.Add(*start), tuple(scale - sp.Add(*o) for o in others)
        if V in self.kept:
            overlaps.append(
                Unknown(OrderParameter(V, f"variance of a weight of {species} inside", POSITIVE), self.kept[V], rest, broken=further)
            )
            return
        if self.regime is Regime.EDGE:
            return  # what has shrunk to one point has no variance
        inside = self.entropic(difference(level.inputs[own], level.inputs[last]), self.power(V))
        overlaps.append(Unknown(OrderParameter(V, f"variance of a weight of {species} inside", POSITIVE), inside, rest, broken=further))
        if V_hat not in self.chart[self.symbol(own, True)].free_symbols:
            return
        bounded = self.regime is Regime.GROUND  # a parabola over listed values or an interval opens downwards there
        sign = POSITIVE if bounded else REAL
        if norm is None:
            equation, domain = self.alpha * self.energetic(difference(level.outputs[last], level.outputs[own]), self.power(V_hat)), sign
        else:  # the stiffness grows while the weights are too long
            length = self.entropic(level.inputs[own]) / norm
            sphere = bounded or pinned(self.laws.by[species]) is not None
            equation, domain = (V_hat * sp.sqrt(length), POSITIVE) if sphere else (V_hat + sp.log(length), REAL)
        hats.append(Unknown(OrderParameter(V_hat, "conjugate increment", domain), equation, 1 / rest, True))

    @property
    def _more(self) -> tuple[sp.Expr, ...]:
        """Overlaps tried in turn where a probe stands on a reference: one alone finds its way from the first."""
        shares = (sp.Rational(1, 10), sp.Rational(3, 10), sp.Rational(6, 10))
        return shares if len(self.structure.levels) > 1 else shares[:1]

    def _starts(self, species: str, count: int, scale: sp.Expr) -> list[list[sp.Expr]]:
        """Increments to start from."""
        if count > 2 and self.steps and (share := self._gathered_by_none(species)) is not None:
            return [[scale * part for part in nearer(start, share)] for start in self._stairs(count - 1)]
        if (held := self._held(species)) is not None and held.second == species:
            share = self.imposed[self.name(held)] ** 2 / (self._scale(held.first) * scale)
            rest = [sp.Rational(1, 10) + sp.Rational(3, 10) * (count - 1), *self._more[1:]]
            centres = self._centres(held.first)
            return [[scale * part for part in gathered(c, share, count, top)] for c, top in zip_longest(centres, rest, fillvalue=rest[-1])]
        if count > 1 and (pull := self._pull(species)) is not None:  # a coupling g brings about an overlap near g/sqrt(1 + g^2)
            share = pull**2 / (1 + pull**2)
            return [[(share + top * (1 - share)) * scale / count] * count for top in (sp.Rational(2, 5), sp.Rational(7, 10))]
        if count == 1 and held is not None and len(self.structure.levels) == 1:  # a centre chosen for those around it is as near to others
            share = self.imposed[self.name(held)] ** 2 / (self._scale(held.second) * scale)
            return [[(share + top * (1 - share)) * scale] for top in self._more]
        if count == 1:
            return [[top * scale] for top in self._more]
        if self.regime is Regime.EDGE:
            return [[scale * (1 - d), *[scale * d / (count - 1)] * (count - 1)] for d in EDGE_STARTS]
        return [[part * scale for part in start] for start in self._stairs(count)]

    def _stairs(self, count: int) -> list[list[sp.Expr]]:
        """Increments of a learner that stands alone, in units of its length."""
        found = []
        for first, inner in self.stairs:  # in twentieths: how much is common to all, how much is left inside
            middle = sp.sympify(20 - first - inner) / (20 * (count - 1))
            found.append([sp.Rational(first, 20), *[middle] * (count - 1)])
        return found

    def _gathered_by_none(self, species: str) -> sp.Expr | None:
        """Part of their length that copies have of a center that reads no samples, about; None where there is none."""
        held = self._held(species)
        centre = next((o.first for o in self.structure.known if o.second == species and o.first in self.silent), None)
        if centre is None:
            return None
        if held is not None:
            return self.imposed[self.name(held)] ** 2 / (self._scale(held.first) * self._scale(species))
        pull = self._pull(species)
        return None if pull is None else pull**2 / (1 + pull**2)

    def _pull(self, species: str) -> sp.Expr | None:
        """The coupling of a learner to another one."""
        return next((self.pressed[self.name(o)] for o in self._joined() if species in (o.first, o.second) and o.first != o.second), None)

    @property
    def _ties(self) -> int:
        """How many overlaps of different learners are imposed."""
        return sum(o.first != o.second and self.name(o) in self.imposed for o in self.structure.known)

    def _held(self, species: str) -> Overlap | None:
        """The imposed overlap of a learner with another one."""
        pairs = (o for o in self.structure.known if species in (o.first, o.second) and o.first != o.second and self.name(o) in self.imposed)
        return next(pairs, None)

    def _scale(self, species: str) -> sp.Expr:
        """The length to start from."""
        norm = self.rho if species == TEACHER else self.norms[species]
        if norm is not None:
            return norm
        held = self._held(species)
        return sp.S.One if held is None else starting_length(self.laws.by[species], self.imposed[self.name(held)])

    def easy(self, copies: sp.Expr | None) -> tuple[Mapping[sp.Symbol, sp.Expr], ...]:
        """Values of controls at which the starts lead to solutions; see `easy_values`."""
        held = []
        for overlap in sorted(self.structure.known, key=str):
            if self.name(overlap) in self.imposed:
                one, other = (typical_length(self.laws.by[s]) if s != TEACHER else self.rho for s in (overlap.first, overlap.second))
                held.append((self.imposed[self.name(overlap)], sp.sqrt(one * other)))
        return easy_values(held, copies)

    def _centres(self, species: str) -> list[list[sp.Expr]]:
        """Increments that others gather around, the variance inside last, in units of the length; what nothing fixes is a half."""
        between = self.structure.chain(species)[:-1] if species != TEACHER else []
        if species == TEACHER or not between:
            return [[sp.S.One, sp.S.Zero]]
        if species in self.silent:
            return [[sp.S.Half, sp.S.Half]]
        scale = self._scale(species)
        found = [[part / scale for part in start] for start in self._starts(species, len(between), scale)]
        return [[*start, 1 - sp.Add(*start)] for start in found]

    def _cross_starts(self, level: LevelSheet, overlap: Overlap) -> list[sp.Expr]:
        """A free overlap of two learners: where another one of theirs is imposed, what a noisy copy has of its centre there."""
        if self.structure.teacher and (reference := self._held(overlap.second)) is not None and level is not self.levels[0]:
            return [self._of_copy(level, overlap, reference)]
        pair = (overlap.first, overlap.second)
        held = next((o for o in self.structure.known if (o.first, o.second) == pair and self.name(o) in self.imposed), None)
        if held is None:
            return [top * sp.sqrt(self._scale(pair[0]) * self._scale(pair[1])) for top in self._more]
        depth = [o for o in level.level.own if (o.first, o.second) == pair].index(overlap)
        value = self.imposed[self.name(held)]
        return [value * sp.Add(*centre[: depth + 1]) for centre in self._centres(overlap.first)]

    def _of_copy(self, level: LevelSheet, overlap: Overlap, held: Overlap) -> sp.Expr:
        """An overlap of a probe with the teacher or with its reference, where it is a noisy copy of that one.

        It is in the unknowns of the reference, whatever they are: beside a teacher few other overlaps are possible.
        """
        pair = [o for o in level.level.own if (o.first, o.second) == (overlap.first, overlap.second)]
        own = self.structure.chain(held.first)[pair.index(overlap)] if overlap.first != TEACHER else Overlap("root", TEACHER, held.first)
        symbol = self.symbol(own)
        return self.imposed[self.name(held)] / self._scale(held.first) * self.settled(self.chart.get(symbol, symbol))

    def _cross(self, level: LevelSheet, overlap: Overlap, overlaps: list[Unknown], hats: list[Unknown]) -> None:
        symbol, symbol_hat, name = self.symbol(overlap), self.symbol(overlap, True), self.name(overlap)
        teacher = TEACHER in (overlap.first, overlap.second)
        meaning = "overlap with the teacher" if teacher else f"overlap of {overlap.first} and {overlap.second}"
        free = symbol_hat in self.chart and self.chart[symbol_hat] == 0
        if free and name not in self.pressed:
            return  # an output, not an unknown
        got = self.received(level.inputs[overlap], self.power(symbol))
        if name in self.imposed:
            value = self.imposed[name]
            begin = sp.S.One if self._ties == 1 else sp.Rational(1, 10)  # pulls in a circle have a joint density only while they are weak
            imposed = OrderParameter(symbol_hat, f"conjugate of the imposed {meaning}", REAL)
            hats.append(Unknown(imposed, symbol_hat + value - got, begin, True))
            return
        start, *others = self._cross_starts(level, overlap)
        overlaps.append(Unknown(OrderParameter(symbol, meaning, REAL), got, start, broken=tuple(others)))
        if not free:
            out = self.alpha * self.energetic(level.outputs[overlap], self.power(symbol_hat))
            hats.append(Unknown(OrderParameter(symbol_hat, f"conjugate of {name}", REAL), out, sp.Rational(1, 10), True))
