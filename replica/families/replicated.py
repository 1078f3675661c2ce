"""Gibbs learners on any replica tree: RSB levels, real replicas around a centre, a probe around a reference.

Unknowns are increments of overlaps along the tree, positive and without cancellation, and cross overlaps; each has its conjugate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

from replica.families.draft import Closing
from replica.families.lengths import imposed_norm
from replica.families.model import TEACHER, LocalLaws, SharedLaws
from replica.families.sheet import LevelSheet, difference, sheet
from replica.families.structure import Structure
from replica.passes.gaussian import factored
from replica.symbols import POSITIVE, REAL, OrderParameter
from replica.tree import Overlap


@dataclass(frozen=True)
class Unknown:
    """An order parameter with its equation x = ... and where to start."""

    parameter: OrderParameter
    equation: sp.Expr
    start: sp.Expr
    conjugate: bool = False


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

    def __post_init__(self) -> None:
        self.closing = Closing(self.laws, self.structure.label)
        self.chart: dict[sp.Symbol, sp.Expr] = {}  # natural overlaps and conjugates in terms of unknowns
        self.silent = {m.name for m in self.structure.members if m.silent}
        zero = self._silent_conjugates()
        self.levels = [sheet(self.structure, level, self.laws, zero) for level in self.structure.levels]
        self.chart |= zero
        self.chart[self.structure.levels[0].tree.symbol(Overlap(None, TEACHER, TEACHER))] = self.rho
        self.chart[self.structure.levels[0].tree.symbol(Overlap(None, TEACHER, TEACHER), hat=True)] = sp.S.Zero
        self.chart |= {self.symbol(o): self.imposed[self.name(o)] for o in self.structure.known if self.name(o) in self.imposed}
        self.norms: dict[str, sp.Expr | None] = {}
        for member in self.structure.members:
            self._lengths(member.name)
        self.unknowns = self._unknowns()

    # symbols ----------------------------------------------------------------------------------------------------

    def symbol(self, overlap: Overlap, hat: bool = False) -> sp.Symbol:
        return self.structure.levels[0].tree.symbol(overlap, hat)

    def name(self, overlap: Overlap) -> str:
        return self.structure.levels[0].tree.name(overlap)

    def _silent_conjugates(self) -> dict[sp.Symbol, sp.Expr]:
        """A species without samples feels nothing: conjugates of its overlaps vanish unless imposed."""
        return {
            self.symbol(o, True): sp.S.Zero
            for o in self.structure.known
            if o.node is not None and {o.first, o.second} & self.silent and self.name(o) not in self.imposed
        }

    def _increment(self, overlap: Overlap, hat: bool = False) -> sp.Symbol:
        return sp.Symbol(f"delta_{self.name(overlap)}" + ("_hat" if hat else ""), real=True)

    def _variance(self, species: str, hat: bool = False) -> sp.Symbol:
        name = self.name(Overlap(None, species, species)).replace("Q", "V", 1)
        return sp.Symbol(name + ("_hat" if hat else ""), real=True)

    def _lengths(self, species: str) -> None:
        """Chart of one species: q0, then increments, then the variance inside; the same for conjugates."""
        *between, own = self.structure.chain(species)
        held = species in self.silent
        total, total_hat = sp.S.Zero, sp.S.Zero
        for number, overlap in enumerate(between):
            step = self._increment(overlap) if number else self.symbol(overlap)
            total = total + step
            self.chart[self.symbol(overlap)] = total
            if not held:
                step_hat = self._increment(overlap, True) if number else self.symbol(overlap, True)
                total_hat = total_hat + step_hat
                self.chart[self.symbol(overlap, True)] = total_hat
        laws = self.laws.by[species]
        norm = self.self_overlaps.get(species)
        atoms_norm = imposed_norm(laws)
        if norm is None:
            norm = atoms_norm
        self.norms[species] = norm
        self.chart[self.symbol(own)] = total + self._variance(species)
        flat = atoms_norm is not None and _pinned(laws) is None
        self.chart[self.symbol(own, True)] = sp.S.Zero if flat or held else total_hat - self._variance(species, True)

    # equations --------------------------------------------------------------------------------------------------

    def energetic(self, expression: sp.Expr) -> sp.Expr:
        return self.closing.energetic(expression.xreplace(self.chart))

    def entropic(self, expression: sp.Expr) -> sp.Expr:
        pressed = {self.symbol(o, True): self.symbol(o, True) + self.pressed[self.name(o)] for o in self.structure.known if self.name(o) in self.pressed}
        return factored(self.closing.entropic(expression.xreplace(pressed).xreplace(self.chart)))

    def trace(self, level: LevelSheet) -> sp.Expr:
        return level.trace.xreplace(self.chart)

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
        start = self._starts(species, len(between), scale)
        for number, overlap in enumerate(between):
            got, out = level.inputs[overlap], level.outputs[overlap]
            symbol, symbol_hat = self.symbol(overlap), self.symbol(overlap, True)
            meaning = f"overlap of two copies of {species}"
            if number:
                before = between[number - 1]
                got, out = difference(got, level.inputs[before]), difference(out, level.outputs[before])
                symbol, symbol_hat = self._increment(overlap), self._increment(overlap, True)
                meaning = f"{self.name(overlap)} - {self.name(before)}"
            overlaps.append(Unknown(OrderParameter(symbol, meaning, POSITIVE), self.entropic(got), start[number]))
            hats.append(
                Unknown(OrderParameter(symbol_hat, f"conjugate of {meaning}", POSITIVE), self.alpha * self.energetic(out), start[number] / scale**2, True)
            )
        last = between[-1]
        V, V_hat = self._variance(species), self._variance(species, True)
        inside = self.entropic(difference(level.inputs[own], level.inputs[last]))
        rest = scale - sp.Add(*start)
        overlaps.append(Unknown(OrderParameter(V, f"variance of a weight of {species} inside", POSITIVE), inside, rest))
        if V_hat not in self.chart[self.symbol(own, True)].free_symbols:
            return
        if norm is None:
            equation, domain = self.alpha * self.energetic(difference(level.outputs[last], level.outputs[own])), REAL
        else:  # the stiffness grows while the weights are too long
            length = self.entropic(level.inputs[own]) / norm
            pinned = _pinned(self.laws.by[species]) is not None
            equation, domain = (V_hat * length, POSITIVE) if pinned else (V_hat + sp.log(length), REAL)
        hats.append(Unknown(OrderParameter(V_hat, "conjugate increment", domain), equation, 1 / rest, True))

    def _starts(self, species: str, count: int, scale: sp.Expr) -> list[sp.Expr]:
        """Increments that leave room for the overlaps imposed on a species: with q >= S^2 every covariance is positive."""
        held = [v for name, v in self.imposed.items() if species in name]
        top = sp.Rational(1, 10) + sp.Rational(3, 10) * (count - 1)
        inside = [v**2 / scale**2 for v in held] or [sp.S.Zero]
        share = inside[0] + top * (1 - inside[0])
        return [share * scale / count] * count if held else [sp.Rational(1, 10) * scale, *[sp.Rational(3, 10) * scale] * (count - 1)]

    def _cross(self, level: LevelSheet, overlap: Overlap, overlaps: list[Unknown], hats: list[Unknown]) -> None:
        symbol, symbol_hat, name = self.symbol(overlap), self.symbol(overlap, True), self.name(overlap)
        teacher = TEACHER in (overlap.first, overlap.second)
        meaning = "overlap with the teacher" if teacher else f"overlap of {overlap.first} and {overlap.second}"
        free = symbol_hat in self.chart and self.chart[symbol_hat] == 0
        if free and name not in self.pressed:
            return  # an output, not an unknown
        got = self.entropic(level.inputs[overlap])
        if name in self.imposed:
            value = self.imposed[name]
            hats.append(Unknown(OrderParameter(symbol_hat, f"conjugate of the imposed {meaning}", REAL), symbol_hat + value - got, sp.S.One, True))
            return
        held = [v for key, v in self.imposed.items() if overlap.first in key and overlap.second in key]
        start = held[0] / 10 if held else sp.Rational(1, 10)  # 1/10 is where the other overlaps start, too
        overlaps.append(Unknown(OrderParameter(symbol, meaning, REAL), got, start))
        if not free:
            out = self.alpha * self.energetic(level.outputs[overlap])
            hats.append(Unknown(OrderParameter(symbol_hat, f"conjugate of {name}", REAL), out, sp.Rational(1, 10), True))


def _pinned(laws: LocalLaws) -> sp.Expr | None:
    assert laws.student_prior is not None
    return laws.student_prior.pinned_norm()
