"""Gibbs learners on any replica tree: RSB levels, real replicas around a centre, a probe around a reference.

Unknowns are increments of overlaps along the tree, positive and without cancellation, and cross overlaps; each has its conjugate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import sympy as sp

from replica.families.draft import Closing
from replica.families.lengths import imposed_norm
from replica.families.limits import B, Plan, edge, minimum, signs, unmoved
from replica.families.model import TEACHER, LocalLaws, SharedLaws, Underivable, inverse_temperature
from replica.families.sheet import LevelSheet, difference, sheet
from replica.families.structure import Structure
from replica.passes.gaussian import factored
from replica.symbols import POSITIVE, REAL, OrderParameter
from replica.tree import Leaf, Overlap, Side

EDGE_STARTS = tuple(sp.Rational(share, 20) for share in (3, 14, 1, 10, 14, 1))  # parts of an overlap that differ between groups


class Regime(Enum):
    """Which limit is taken before anything is integrated."""

    FINITE = "none"
    GROUND = "zero temperature"
    EDGE = "solutions shrink to a point"
    COPIES = "many real replicas"


@dataclass(frozen=True)
class Unknown:
    """An order parameter with its equation x = ... and where to start."""

    parameter: OrderParameter
    equation: sp.Expr
    start: sp.Expr
    conjugate: bool = False
    broken: tuple[sp.Expr, ...] = ()  # further starts, with more of the overlap in the outer groups


@dataclass
class Sheets:
    """The equations of all levels in increments.

    Args:
        imposed: overlap name -> value held; its conjugate stays an unknown.
        pressed: overlap name -> what a coupling adds to the conjugate of this pair in the measure of a weight.
        norms: species -> imposed length, None where it is free.
    """

    structure: Structure
    laws: SharedLaws
    alpha: sp.Expr
    rho: sp.Expr
    imposed: Mapping[str, sp.Expr] = field(default_factory=dict)
    pressed: Mapping[str, sp.Expr] = field(default_factory=dict)
    self_overlaps: Mapping[str, sp.Expr] = field(default_factory=dict)
    regime: Regime = Regime.FINITE
    steps: tuple[sp.Symbol, ...] = ()
    real: sp.Symbol | None = None

    def __post_init__(self) -> None:
        self.closing = Closing(self.laws, self.structure.label)
        self.plan: Plan | None = None
        self.chart: dict[sp.Symbol, sp.Expr] = {}  # natural overlaps and conjugates in terms of unknowns
        self.silent = {m.name for m in self.structure.members if m.silent}
        zero = self._silent_conjugates()
        self.levels = [sheet(self.structure, level, self.laws, zero) for level in self.structure.levels]
        self.chart |= zero
        self.chart[self.structure.levels[0].tree.symbol(Overlap(None, TEACHER, TEACHER))] = self.rho
        self.chart[self.structure.levels[0].tree.symbol(Overlap(None, TEACHER, TEACHER), hat=True)] = sp.S.Zero
        self.chart |= {self.symbol(o): self.imposed[self.name(o)] for o in self.structure.known if self.name(o) in self.imposed}
        self.rest: dict[sp.Basic, sp.Expr] = {}  # overlaps that an imposed length leaves
        self.norms: dict[str, sp.Expr | None] = {}
        self.kept: dict[sp.Symbol, sp.Expr] = {}  # variances inside, from the conjugates and the imposed length
        for member in self.structure.members:
            self._lengths(member.name)
        self.plan = self._planned()
        for member in self.structure.members:
            self._keep_length(member.name)
        self.unknowns = self._unknowns()
        self.unknowns += self._places()

    # symbols ----------------------------------------------------------------------------------------------------

    def symbol(self, overlap: Overlap, hat: bool = False) -> sp.Symbol:
        return self.structure.levels[0].tree.symbol(overlap, hat)

    def name(self, overlap: Overlap) -> str:
        return self.structure.levels[0].tree.name(overlap)

    def _silent_conjugates(self) -> dict[sp.Symbol, sp.Expr]:
        """A species without samples feels nothing: conjugates of its overlaps vanish unless imposed; others vanish by symmetry."""
        by_symmetry = {self.symbol(o, hat): sp.S.Zero for o in self.structure.vanishing for hat in (False, True)}
        return by_symmetry | {
            self.symbol(o, True): sp.S.Zero
            for o in self.structure.known
            if o.node is not None and {o.first, o.second} & self.silent and self.name(o) not in self.imposed
        }

    def _increment(self, overlap: Overlap, hat: bool = False) -> sp.Symbol:
        return sp.Symbol(f"delta_{self.name(overlap)}" + ("_hat" if hat else ""), real=True)

    def variance(self, species: str, hat: bool = False) -> sp.Symbol:
        letter = "chi" if self.regime is Regime.GROUND else "V"
        name = self.name(Overlap(None, species, species)).replace("Q", letter, 1)
        return sp.Symbol(name + ("_hat" if hat else ""), real=True)

    def _lengths(self, species: str) -> None:
        """Chart of one species: q0, then increments, then the variance inside; the same for conjugates."""
        *between, own = self.structure.chain(species)
        held = species in self.silent
        laws = self.laws.by[species]
        norm = self.self_overlaps.get(species)
        atoms_norm = imposed_norm(laws) if laws.student_prior is not None else None
        if norm is None:
            norm = atoms_norm
        self.norms[species] = norm
        total, total_hat = sp.S.Zero, sp.S.Zero
        for number, overlap in enumerate(between):
            step = self._increment(overlap) if number else self.symbol(overlap)
            if self.name(overlap) in self.imposed and number:  # the overlap above it is what the increment leaves
                self.rest[self.symbol(between[number - 1])] = self.imposed[self.name(overlap)] - step
            if number == 0 and norm is not None and not held:  # what is left of the length, put in last
                self.rest[step] = norm - self.variance(species) - sp.Add(*(self._increment(o) for o in between[1:]))
            total = total + step
            self.chart[self.symbol(overlap)] = total
            if not held:
                step_hat = self._increment(overlap, True) if number else self.symbol(overlap, True)
                total_hat = total_hat + step_hat
                self.chart[self.symbol(overlap, True)] = total_hat
        self.chart[self.symbol(own)] = total + self.variance(species)
        if held:
            self.chart[self.symbol(own, True)] = sp.S.Zero
        elif atoms_norm is not None and _pinned(laws) is None:  # a flat direction: every weight has that length
            self.chart[self.symbol(own, True)] = total_hat
        else:
            self.chart[self.symbol(own, True)] = total_hat - self.variance(species, True)
        if _pinned(laws) is not None and not held:
            self._eliminate_stiffness(species, between[-1], own)

    def _eliminate_stiffness(self, species: str, last: Overlap, own: Overlap) -> None:
        """On a sphere the conjugate of the length is known from the variance inside, which no other field changes."""
        level = self._level_of(own)
        V, V_hat = self.variance(species), self.variance(species, True)
        inside = self.entropic(difference(level.inputs[own], level.inputs[last]))
        if inside.free_symbols <= {V_hat}:
            (stiffness,) = sp.solve(inside - V, V_hat, check=False, simplify=False)
            self.chart = {k: v.xreplace({V_hat: stiffness}) for k, v in self.chart.items()}

    def _keep_length(self, species: str) -> None:
        """The variance inside at which an imposed length is kept, where it is the only thing left to choose."""
        own = Overlap(None, species, species)
        V, norm = self.variance(species), self.norms[species]
        if norm is None or species in self.silent or _pinned(self.laws.by[species]) is None:
            return
        if self.variance(species, True) not in self.chart[self.symbol(own, True)].free_symbols and self.regime is not Regime.EDGE:
            self.kept[V] = _of_length(self.entropic(self._level_of(own).inputs[own]), norm, V)

    def _level_of(self, overlap: Overlap) -> LevelSheet:
        return next(level for level in self.levels if overlap in level.inputs)

    def _planned(self) -> Plan | None:
        """Powers of the large parameter carried by every unknown."""
        if self.regime is Regime.FINITE:
            return None
        powers: dict[sp.Symbol, int] = dict.fromkeys(self.steps, -1)
        fields: dict[sp.Symbol, int] = {}
        fixed: dict[sp.Symbol, sp.Expr] = {}
        for member in self.structure.members:
            *between, _own = self.structure.chain(member.name)
            if self.regime is Regime.COPIES:
                if member.copies != 1:
                    powers |= {self._increment(between[-1]): -1, self._increment(between[-1], True): -1}
                continue
            if member.silent:
                continue
            V = self.variance(member.name)
            powers |= {self.symbol(between[0], True): 2, self.variance(member.name, True): 1}
            powers |= {self._increment(o, True): 2 for o in between[1:]}
            powers |= {self.symbol(o, True): 1 for o in self.structure.known if o.first == TEACHER and o.second == member.name}
            if self.regime is Regime.EDGE:
                fixed[V] = 1 / B
            else:
                powers[V] = -1
                fixed[inverse_temperature(member.name)] = B
            for level in self.levels:
                for node, _, _ in level.level.tree.nodes():
                    if member.name in node.species():
                        fields[level.level.entropic.field(node, member.name)] = 1
        if self.regime is Regime.COPIES:
            assert self.real is not None
            fixed[self.real] = B
            return Plan("many real replicas", powers, {}, unmoved(self.laws.by), fixed, signs(self.laws.by))
        if self.regime is Regime.EDGE:
            return Plan("the edge of solvability", powers, fields, edge(self.laws.by), fixed)
        return Plan("zero temperature", powers, fields, minimum(self.laws.by), fixed, exact=dict(self.rest))

    # equations --------------------------------------------------------------------------------------------------

    def energetic(self, expression: sp.Expr, power: int = 0) -> sp.Expr:
        """An average over samples, closed; in a limit, the coefficient of B^power."""
        expression = expression.xreplace(self.chart)
        if self.plan is not None:
            expression = self.plan.leading(expression, Side.ENERGETIC, power)
        return self.settled(self.closing.energetic(expression))

    def entropic(self, expression: sp.Expr, power: int = 0) -> sp.Expr:
        """An average over weights, closed; in a limit, the coefficient of B^power."""
        pressed = {
            self.symbol(o, True): self.symbol(o, True) + self.pressed[self.name(o)]
            for o in self.structure.known
            if self.name(o) in self.pressed
        }
        expression = expression.xreplace(pressed).xreplace(self.chart)
        if self.plan is not None:
            expression = self.plan.leading(expression, Side.ENTROPIC, power)
        return self.settled(factored(self.closing.entropic(expression)))

    def settled(self, expression: sp.Expr) -> sp.Expr:
        """Overlaps that an imposed length leaves, put in; in a limit without the variance that vanishes."""
        if self.plan is None:
            return expression.xreplace(self.rest)
        gone = {s: sp.S.Zero for s, p in self.plan.powers.items() if p < 0} | dict.fromkeys(self.plan.fixed, sp.S.Zero)
        return expression.xreplace({k: v.xreplace(gone) for k, v in self.rest.items()})

    def received(self, expression: sp.Expr, power: int = 0) -> sp.Expr:
        """An overlap from the conjugates alone: a variance that keeps a length is not taken from the last sweep."""
        explicit = {V: value for V, value in self.kept.items() if V not in value.free_symbols}
        return self.entropic(expression, power).xreplace(explicit)

    def trace(self, level: LevelSheet) -> sp.Expr:
        charted = level.trace.xreplace(self.chart)
        return self.settled(charted if self.plan is None else self.plan.polynomial(charted.xreplace(self.rest)))

    def _places(self) -> list[Unknown]:
        """Ends of averages that run over a point which some of the samples or weights reach."""
        found = {}
        for place in self.plan.places.values() if self.plan is not None else ():
            leaves = {e: self.closing.opened(e) for e in place.equation.atoms(Leaf)}
            parameter = OrderParameter(place.symbol, "smallest field on which a weight's copies agree", REAL)
            found[place.symbol] = Unknown(parameter, place.equation.xreplace(leaves).xreplace(self.rest), sp.S.One)
        return list(found.values())

    def power(self, symbol: sp.Symbol) -> int:
        """Power of the large parameter that an unknown carries."""
        return 0 if self.plan is None else self.plan.powers.get(symbol, 0)

    def _unknowns(self) -> list[Unknown]:
        overlaps: list[Unknown] = []
        hats: list[Unknown] = []
        for level in self.levels:
            for species in dict.fromkeys(o.first for o in level.level.own if o.first == o.second and o.first != TEACHER):
                if species in self.silent:
                    continue
                self._own(level, species, overlaps, hats)
            for overlap in level.level.own:
                if overlap.first != overlap.second:
                    self._cross(level, overlap, overlaps, hats)
        return overlaps + hats

    def _own(self, level: LevelSheet, species: str, overlaps: list[Unknown], hats: list[Unknown]) -> None:
        *between, own = self.structure.chain(species)
        norm = self.norms[species]
        scale = norm if norm is not None else sp.S.One
        start, *others = self._starts(species, len(between), scale)
        for number, overlap in enumerate(between):
            got, out = level.inputs[overlap], level.outputs[overlap]
            symbol, symbol_hat = self.symbol(overlap), self.symbol(overlap, True)
            meaning = f"overlap of two copies of {species}"
            if number:
                before = between[number - 1]
                got, out = difference(got, level.inputs[before]), difference(out, level.outputs[before])
                symbol, symbol_hat = self._increment(overlap), self._increment(overlap, True)
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
        if norm is None:
            equation, domain = self.alpha * self.energetic(difference(level.outputs[last], level.outputs[own]), self.power(V_hat)), REAL
        else:  # the stiffness grows while the weights are too long
            length = self.entropic(level.inputs[own]) / norm
            pinned = _pinned(self.laws.by[species]) is not None
            equation, domain = (V_hat * sp.sqrt(length), POSITIVE) if pinned else (V_hat + sp.log(length), REAL)
        hats.append(Unknown(OrderParameter(V_hat, "conjugate increment", domain), equation, 1 / rest, True))

    @property
    def _more(self) -> tuple[sp.Expr, ...]:
        """Overlaps tried in turn where a probe stands on a reference: one alone finds its way from the first."""
        shares = (sp.Rational(1, 10), sp.Rational(3, 10), sp.Rational(6, 10))
        return shares if len(self.structure.levels) > 1 else shares[:1]

    def _starts(self, species: str, count: int, scale: sp.Expr) -> list[list[sp.Expr]]:
        """Increments to start from; with q >= S^2 there is room for an imposed overlap S, and every covariance is positive."""
        held = [v for name, v in self.imposed.items() if species in name]
        if held:
            inside = held[0] ** 2 / scale**2
            rest = [sp.Rational(1, 10) + sp.Rational(3, 10) * (count - 1), *self._more[1:]]
            return [[(inside + top * (1 - inside)) * scale / count] * count for top in rest]
        if count == 1:
            return [[top * scale] for top in self._more]
        found = []
        if self.regime is Regime.EDGE:
            return [[scale * (1 - d), *[scale * d / (count - 1)] * (count - 1)] for d in EDGE_STARTS]
        for first, inner in ((1, 6), (5, 2), (16, 1)):  # in twentieths: how much is common to all, how much is left inside
            middle = sp.Rational(20 - first - inner, 20 * (count - 1))
            found.append([sp.Rational(first, 20) * scale, *[middle * scale] * (count - 1)])
        return found

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
            hats.append(
                Unknown(OrderParameter(symbol_hat, f"conjugate of the imposed {meaning}", REAL), symbol_hat + value - got, sp.S.One, True)
            )
            return
        held = [v for key, v in self.imposed.items() if overlap.first in key and overlap.second in key]
        start, *others = (held[0] * top if held else top for top in self._more)  # the share with which the other overlaps start, too
        overlaps.append(Unknown(OrderParameter(symbol, meaning, REAL), got, start, broken=tuple(others)))
        if not free:
            out = self.alpha * self.energetic(level.outputs[overlap], self.power(symbol_hat))
            hats.append(Unknown(OrderParameter(symbol_hat, f"conjugate of {name}", REAL), out, sp.Rational(1, 10), True))


def _of_length(length: sp.Expr, norm: sp.Expr, V: sp.Symbol) -> sp.Expr:
    """The variance inside at which the weights have their length: a root where it is one of a quadratic, else a step towards it."""
    stiffness = sp.Dummy("K", positive=True)
    equation = sp.numer(sp.together(length.xreplace({V: 1 / stiffness}) - norm))
    if sp.degree(equation, stiffness) > 2:
        return V / sp.sqrt(length / norm)
    for root in sp.solve(equation, stiffness, check=False, simplify=False):
        values = {s: sp.Rational(3 + k, 4) for k, s in enumerate(sorted(root.free_symbols, key=str))}
        if root.xreplace(values).evalf() > 0:  # a quadratic with one change of sign has one positive root
            return 1 / root
    raise Underivable("no positive solution of the length constraint")


def _pinned(laws: LocalLaws) -> sp.Expr | None:
    return None if laws.student_prior is None else laws.student_prior.pinned_norm()
