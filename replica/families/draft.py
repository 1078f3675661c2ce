"""A static theory under construction: the model, its tree, and the lowering of both sides to closed forms."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from replica.families.equations import Opaque
from replica.families.model import STUDENT, TEACHER, Case, LocalLaws, SharedLaws, Underivable
from replica.families.reading import StaticModel
from replica.families.rs import ReplicaSymmetric
from replica.law import Law, Quadratic, substitute
from replica.passes.close import Branch, Closer, Ratios, piece_branches
from replica.passes.gaussian import factored
from replica.theory import Scores
from replica.tree import Leaf, Side


@dataclass
class Closing:
    """Both sides' lowering for one model."""

    laws: LocalLaws | SharedLaws
    label: sp.Symbol
    ratios: Ratios = field(default_factory=Ratios)
    _cases: dict[sp.Expr, Case] = field(default_factory=dict)
    _laws: dict[tuple, Law] = field(default_factory=dict)
    _branches: dict[Leaf | None, list[Branch]] = field(default_factory=dict)  # one set of measures per tilt, so that averages share grids

    def energetic(self, expression: sp.Expr) -> sp.Expr:
        own = self.laws.temperatures()
        closed = Closer(self._remembered, self._output_law, self.label, TEACHER, self.ratios)(expression.xreplace(own))
        return factored(closed) if expression.free_symbols & set(own) else closed  # terms of pairs: increments must not cancel

    def entropic(self, expression: sp.Expr) -> sp.Expr:
        return Closer(self._weight_branches, self._input_law, self.label, TEACHER, self.ratios)(expression)

    def opened(self, leaf: Leaf) -> sp.Expr:
        """A weight's leaf on its own, closed."""
        return self.ratios(self.laws.entropic(leaf.species), leaf)

    def _remembered(self, tilt: Leaf | None) -> list[Branch]:
        if tilt not in self._branches:
            self._branches[tilt] = self._label_branches(tilt)
        return self._branches[tilt]

    def _label_branches(self, tilt: Leaf | None) -> list[Branch]:
        if tilt is None:
            cases = self._remember(self.laws.cases(sp.S.Zero, sp.S.Zero))  # no field gives the label: its odds are constants
            return [Branch(c.label, (), sp.Add(*(p.c0 for p in c.law if isinstance(p, Quadratic))), lambda k: sp.S.One) for c in cases]
        found = []
        for case in self._remember(self.laws.cases(tilt.h, tilt.A)):
            if case.tilt:
                found += piece_branches(case.at_label(), tilt, self.ratios, case.label, case.measures)
            else:
                (own,) = case.measures[0].variables

                def ratio(k: int, own=own) -> sp.Expr:
                    if k > 2:
                        raise Underivable("third derivatives of a mapped label are not built")
                    score = (own - tilt.h) / tilt.A
                    return score if k == 1 else score**2 - 1 / tilt.A

                found.append(Branch(case.label, case.measures, sp.S.Zero, ratio, case.indicator))
        return found

    def scores(self) -> Scores:
        """The student's leaf as scalar functions of a label and a field, for message passing."""
        y, omega, V, A, B = (sp.Symbol(n, real=True) for n in ("y", "omega", "V", "A", "B"))
        assert isinstance(self.laws, LocalLaws)
        cases = self._remember(self.laws.cases(sp.Symbol("h"), sp.Symbol("v")))
        parts = []
        for case in cases:
            law = substitute(case.law, {case.variable: y}) if self.laws.bayes else self.laws.student_law(y if case.measures else case.label)
            leaves = [Leaf(STUDENT, Side.ENERGETIC, omega, V, k) for k in (0, 1, 2)]
            log, first, second = (self.ratios(law, leaf) for leaf in leaves)
            parts.append((case, first, second - first**2, log))
        weight = self.laws.entropic(STUDENT)
        log, mean, square = (self.ratios(weight, Leaf(STUDENT, Side.ENTROPIC, B, -A, k)) for k in (0, 1, 2))
        output, slope, output_log = (_by_label(parts, which, y) for which in (1, 2, 3))
        return Scores(y, omega, V, A, B, output, slope, mean, square - mean**2, output_log, log)

    def _remember(self, cases: tuple[Case, ...]) -> tuple[Case, ...]:
        self._cases.update({case.label: case for case in cases})
        return cases

    def _output_law(self, leaf: Leaf, branch: Branch) -> Law:
        key = (leaf.species, branch.label)
        if key not in self._laws:
            self._laws[key] = self.laws.energetic(leaf.species, self._cases[branch.label])
        return self._laws[key]

    def _weight_branches(self, tilt: Leaf | None) -> list[Branch]:
        if tilt is None:
            return [Branch(sp.S.Zero, (), sp.S.Zero, lambda k: sp.S.One)]
        return piece_branches(self.laws.entropic(TEACHER), tilt, self.ratios)

    def _input_law(self, leaf: Leaf, branch: Branch) -> Law:
        key = (leaf.species, leaf.side)
        if key not in self._laws:
            self._laws[key] = self.laws.entropic(leaf.species)
        return self._laws[key]


@dataclass(frozen=True)
class Draft:
    """A theory under construction: everything closed, in the natural symbols."""

    model: StaticModel
    system: ReplicaSymmetric
    raw: Opaque  # before any limit and gauge
    opaque: Opaque
    closing: Closing
    rho: sp.Expr
    teacher: bool


def _by_label(parts: list[tuple], which: int, y: sp.Symbol) -> sp.Expr:
    """One expression of the label: discrete labels choose their branch, the last one is for all others."""
    *first, last = sorted(parts, key=lambda p: bool(p[0].measures))
    return sp.Piecewise(*((p[which], sp.Eq(y, p[0].label)) for p in first), (last[which], True)) if first else last[which]
