"""The chart of a replica tree: overlaps and conjugates as increments along it, what is imposed, and averages in these unknowns.

Increments are positive and without cancellation; a limit (zero temperature, many copies, the edge) is taken in this chart.
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
from replica.passes.gaussian import factored, is_quotient
from replica.passes.walk import replaced
from replica.tree import Overlap, Side


class Regime(Enum):
    """Which limit is taken before anything is integrated."""

    FINITE = "none"
    GROUND = "zero temperature"
    EDGE = "solutions shrink to a point"
    COPIES = "many real replicas"


@dataclass
class Chart:
    """Overlaps and conjugates of all levels in increments, and averages in them.

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
        open_ = {k: v for k, v in zero.items() if k not in {self.symbol(o, True) for o in self._joined()}}
        finite = self.regime is Regime.FINITE  # in a limit leaves are what has a rule
        self.levels = [sheet(self.structure, level, self.laws, open_, finite) for level in self.structure.levels]
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

    def _joined(self) -> list[Overlap]:
        """Overlaps on which a coupling presses."""
        return [o for o in self.structure.known if self.name(o) in self.pressed]

    def pulls(self, species: str) -> list[tuple[Overlap, sp.Expr]]:
        """(overlap, log-weight per coordinate of one copy) of the couplings of a species that stands in copies."""
        found = [o for o in self._joined() if species in (o.first, o.second)]
        return [(o, self.pressed[self.name(o)] / (2 if o.node is None else 1)) for o in found]

    def increment(self, overlap: Overlap, hat: bool = False) -> sp.Symbol:
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
            step = self.increment(overlap) if number else self.symbol(overlap)
            if self.name(overlap) in self.imposed and number:  # the overlap above it is what the increment leaves
                self.rest[self.symbol(between[number - 1])] = self.imposed[self.name(overlap)] - step
            if number == 0 and norm is not None and not held:  # what is left of the length, put in last
                self.rest[step] = norm - self.variance(species) - sp.Add(*(self.increment(o) for o in between[1:]))
            total = total + step
            self.chart[self.symbol(overlap)] = total
            if not held:
                step_hat = self.increment(overlap, True) if number else self.symbol(overlap, True)
                total_hat = total_hat + step_hat
                self.chart[self.symbol(overlap, True)] = total_hat
        self.chart[self.symbol(own)] = total + self.variance(species)
        if held:  # nothing but a sphere holds its length
            sphere = norm is not None and pinned(laws) is not None
            self.chart[self.symbol(own, True)] = -self.variance(species, True) if sphere else sp.S.Zero
            if sphere:
                self.chart[self.symbol(own)] = norm
        elif atoms_norm is not None and pinned(laws) is None:  # a flat direction: every weight has that length
            self.chart[self.symbol(own, True)] = total_hat
        else:
            self.chart[self.symbol(own, True)] = total_hat - self.variance(species, True)
        if pinned(laws) is not None and not held:
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
        if norm is None or species in self.silent or pinned(self.laws.by[species]) is None:
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
                    powers |= {self.increment(between[-1]): -1, self.increment(between[-1], True): -1}
                continue
            if member.silent:
                continue
            V = self.variance(member.name)
            powers |= {self.symbol(between[0], True): 2, self.variance(member.name, True): 1}
            powers |= {self.increment(o, True): 2 for o in between[1:]}
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
        pressed = {self.symbol(o, True): self.symbol(o, True) + self.pressed[self.name(o)] for o in self._joined()}
        expression = expression.xreplace(pressed).xreplace(self.chart)
        if self.plan is not None:
            expression = self.plan.leading(expression, Side.ENTROPIC, power)
        closed = self.closing.entropic(expression)
        return self.settled(closed if is_quotient(closed) else factored(closed))

    def settled(self, expression: sp.Expr) -> sp.Expr:
        """Overlaps that an imposed length leaves, put in; in a limit without the variance that vanishes."""
        if self.plan is None:
            return replaced(expression, self.rest)
        gone = {s: sp.S.Zero for s, p in self.plan.powers.items() if p < 0} | dict.fromkeys(self.plan.fixed, sp.S.Zero)
        return replaced(expression, {k: v.xreplace(gone) for k, v in self.rest.items()})

    def received(self, expression: sp.Expr, power: int = 0) -> sp.Expr:
        """An overlap from the conjugates alone: a variance that keeps a length is not taken from the last sweep."""
        explicit = {V: value for V, value in self.kept.items() if V not in value.free_symbols}
        return self.entropic(expression, power).xreplace(explicit)

    def reads(self, parameter: sp.Symbol) -> bool:
        """Whether something that is put into averages depends on a parameter of the ansatz."""
        return any(parameter in value.free_symbols for group in (self.chart, self.pressed, self.rest) for value in group.values())

    def trace(self, level: LevelSheet) -> sp.Expr:
        charted = level.trace.xreplace(self.chart)
        return self.settled(charted if self.plan is None else self.plan.polynomial(charted.xreplace(self.rest)))

    def power(self, symbol: sp.Symbol) -> int:
        """Power of the large parameter that an unknown carries."""
        return 0 if self.plan is None else self.plan.powers.get(symbol, 0)


def _of_length(length: sp.Expr, norm: sp.Expr, V: sp.Symbol) -> sp.Expr:
    """The variance inside at which the weights have their length: a root where it is one of a quadratic, else a step towards it."""
    top, bottom = sp.fraction(length if is_quotient(length) else sp.together(length))
    if not (top.is_polynomial(V) and bottom.is_polynomial(V)) or max(_degree(top, V), _degree(bottom, V)) != 2:
        return V / sp.sqrt(length / norm)
    c2, c1, c0 = sp.Poly(top - norm * bottom, V).all_coeffs()
    p, q = factored(c1 / c0), factored(c2 / c0)  # K^2 + p K + q = 0 for K = 1/V
    for sign in (-1, 1):
        root = (-p + sign * sp.sqrt(p**2 - 4 * q)) / 2
        values = {s: sp.Rational(3 + k, 4) for k, s in enumerate(sorted(root.free_symbols, key=str))}
        if root.xreplace(values).evalf() > 0:  # a quadratic with one change of sign has one positive root
            return 1 / root
    raise Underivable("no positive solution of the length constraint")


def _degree(product: sp.Expr, V: sp.Symbol) -> int:
    """Degree of a product of powers of polynomials, which are not multiplied."""
    return sum(sp.degree(base, V) * int(power) for base, power in (f.as_base_exp() for f in sp.Mul.make_args(product)) if base.has(V))


def pinned(laws: LocalLaws) -> sp.Expr | None:
    """The length that a prior imposes, None where it imposes none."""
    return None if laws.student_prior is None else laws.student_prior.pinned_norm()
