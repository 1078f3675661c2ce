"""Two learners that were trained independently on the same data: what their copies have in common.

Each has its own tree with n -> 0 copies, and they meet at the root alone.  In a tree with n copies of one and s of the other the term
of order n s holds their overlap; its slopes are averages of products of the two learners' own root scores, untilted by either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from replica.families.composition import Composition
from replica.families.draft import Closing
from replica.families.limits import Plan
from replica.families.model import TEACHER, SharedLaws
from replica.families.replicated import Sheets, Unknown
from replica.families.structure import n, s
from replica.nodes import Flat, Gauss, Tilted
from replica.passes.gauge import minimal
from replica.passes.gaussian import factored
from replica.passes.merge import normal
from replica.passes.one_by_one import one_by_one
from replica.passes.still import without_still_fields
from replica.passes.walk import bottom_up, replaced
from replica.symbols import Domain, OrderParameter
from replica.theory import Theory
from replica.tree import Functional, Leaf, Node, Overlap, ReplicaTree, Side


@dataclass(frozen=True)
class Part:
    """One of several independent learners: its own equations and theory."""

    name: str
    composition: Composition
    sheets: Sheets
    theory: Theory

    @property
    def root(self) -> Overlap:
        """The overlap of two copies that have nothing but the data in common."""
        return self.sheets.structure.chain(self.name)[0]

    @property
    def cold(self) -> bool:
        return self.sheets.plan is not None

    def received(self, overlap: Overlap) -> sp.Expr:
        """What the conjugates make of an overlap."""
        (level,) = self.sheets.levels
        return self.sheets.received(level.inputs[overlap], self.sheets.power(self.sheets.symbol(overlap)))

    def sent(self, overlap: Overlap) -> sp.Expr:
        """What the overlaps make of a conjugate, per sample."""
        (level,) = self.sheets.levels
        return self.sheets.energetic(level.outputs[overlap], self.sheets.power(self.sheets.symbol(overlap, True)))


@dataclass(frozen=True)
class Pair:
    """The overlap of two independent learners.

    Its unknowns are how far the copies are from being as alike as their own overlaps allow: 1 - cosine of the root fields, of what
    the teacher leaves of them where there is one, and of the conjugate fields.  They lie in (0, 2) wherever a pair exists.
    """

    one: Part
    other: Part

    @property
    def overlap(self) -> Overlap:
        return Overlap("root", self.one.name, self.other.name)

    @property
    def name(self) -> str:
        return f"q[{self.one.name},{self.other.name}]"

    @cached_property
    def tree(self) -> ReplicaTree:
        trees = {part.name: part.sheets.structure.levels[0].tree for part in (self.one, self.other)}
        first, second = (tree.root for tree in trees.values())
        copies = tuple(replace(child, multiplicity=child.multiplicity.xreplace({n: s})) for child in second.children)

        def name(overlap: Overlap) -> str:
            owners = {overlap.first, overlap.second} - {TEACHER}
            return self.name if len(owners) == 2 else trees[owners.pop() if owners else self.one.name].name(overlap)

        return ReplicaTree(Node("root", leaves=first.leaves, children=(*first.children, *copies)), n, name)

    @cached_property
    def label(self) -> sp.Symbol:
        return sp.Dummy("y", real=True)

    @cached_property
    def closing(self) -> Closing:
        return Closing(SharedLaws({part.name: part.composition.first.laws for part in (self.one, self.other)}), self.label)

    def functional(self, side: Side) -> Functional:
        return self._functionals[side]

    @cached_property
    def _functionals(self) -> dict[Side, Functional]:
        samples = Functional(
            self.tree,
            Side.ENERGETIC,
            root_measures=(Flat(self.label, -sp.oo, sp.oo),),
            extra=(self.label,),
            normalised=True,
            letters={TEACHER: "h_star"},
        )
        return {Side.ENERGETIC: samples, Side.ENTROPIC: Functional(self.tree, Side.ENTROPIC, normalised=True, letters={TEACHER: "h_star"})}

    def slope(self, side: Side) -> sp.Expr:
        """d log I / d overlap over the number of pairs, as both numbers of copies vanish."""
        count = self.tree.coefficient(self.tree.overlaps()[self.overlap])
        return self.arranged(self.functional(side).gradient(self.overlap) / count, side)

    def _difference(self, side: Side, lengths: list[sp.Expr]) -> sp.Expr:
        """1 - cosine of both learners' scores, by the mean square of their difference, which keeps its digits where they agree.

        Args:
            lengths: mean squares of the scores, from each learner's own equations.
        """
        samples = self.functional(side)
        one, other = (samples.root_score(part.name) for part in (self.one, self.other))
        assert one.a == 0 and other.b == 0
        first, second = self._units if side is Side.ENERGETIC else (sp.S.One, sp.S.One)
        apart = self.closed(self.arranged(samples.root_average((one.b / first - other.a / s / second) ** 2), side), side)
        own = [sp.sqrt(value) for value in lengths]
        return (apart.xreplace(dict.fromkeys(self._units, sp.S.One)) - (own[0] - own[1]) ** 2) / (2 * own[0] * own[1])

    @cached_property
    def _units(self) -> tuple[sp.Symbol, sp.Symbol]:
        """In which scores are counted: in a limit they carry the power with which these grow."""
        return sp.Dummy("unit_one", positive=True), sp.Dummy("unit_other", positive=True)

    def arranged(self, expression: sp.Expr, side: Side) -> sp.Expr:
        """An average at the root without the teacher's own field, fields one after the other."""
        expression = expression.xreplace({s: sp.S.Zero})
        if TEACHER in self.tree.root.leaves:
            gauge = self.tree.symbol(Overlap("root", TEACHER, TEACHER), hat=side is Side.ENTROPIC)
            expression = minimal(expression, self.functional(side).field(self.tree.root, TEACHER), gauge)
        return normal(without_still_fields(one_by_one(expression)))

    @cached_property
    def plan(self) -> Plan | None:
        """The limit that one learner or both are taken in."""
        plans = {part.name: part.sheets.plan for part in (self.one, self.other) if part.sheets.plan is not None}
        if not plans:
            return None
        weights = self.functional(Side.ENTROPIC)
        powers = {symbol: power for plan in plans.values() for symbol, power in plan.powers.items()}
        units = {unit: int(part.cold) for unit, part in zip(self._units, (self.one, self.other), strict=True)}
        fields = {weights.field(node, name): 1 for node, _, _ in self.tree.nodes() for name in plans if name in node.species()}

        def rule(side: Side):
            return lambda leaf, scalar: plans[leaf.species].rules[side](leaf, scalar) if leaf.species in plans else None

        return Plan(
            next(iter(plans.values())).meaning,
            powers | {self.tree.symbol(self.overlap, True): len(plans)} | units,
            fields,
            {side: rule(side) for side in Side},
            {symbol: value for plan in plans.values() for symbol, value in plan.fixed.items()},
        )

    def closed(self, expression: sp.Expr, side: Side, power: int = 0) -> sp.Expr:
        """An arranged average in the unknowns; in a limit, the coefficient of B^power."""
        expression = expression.xreplace(self.one.sheets.chart | self.other.sheets.chart)
        if self.plan is not None:
            expression = self.plan.leading(expression, side, power)
        expression, names = self._short(expression, side)
        closed = self.closing.energetic(expression) if side is Side.ENERGETIC else factored(self.closing.entropic(expression))
        return self.settled(closed.xreplace(names))

    def _short(self, expression: sp.Expr, side: Side) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
        """Slopes and variances of root fields under names of their own while squares are completed; and what the names stand for."""
        samples = self.functional(side)
        names: dict[sp.Expr, sp.Symbol] = {}
        fields = [samples.field(self.tree.root, name) for name in self.tree.root.species()]

        def name(e: sp.Expr, positive: bool) -> sp.Expr:
            return e if e.is_Atom else names.setdefault(e, sp.Dummy("c", positive=True) if positive else sp.Dummy("c", real=True))

        def line(e: sp.Expr) -> sp.Expr:
            slopes = [sp.expand(e).coeff(h) for h in fields]
            rest = sp.expand(e - sp.Add(*(slope * h for slope, h in zip(slopes, fields, strict=True))))
            return e if rest != 0 else sp.Add(*(name(sp.factor(slope), False) * h for slope, h in zip(slopes, fields, strict=True)))

        def visit(e: sp.Basic) -> sp.Basic:
            if isinstance(e, Gauss) and len(e.variables) == 1 and e.variables[0] in fields:
                return Gauss(e.variables, [line(e.means[0])], [[name(e.covariance[0, 0], True)]])
            if isinstance(e, Leaf) and e.species == TEACHER:
                return Leaf(e.args[0], e.args[1], line(e.h), name(sp.factor(e.A), side is Side.ENERGETIC), e.order, e.extra)
            return e

        return bottom_up(expression, visit), {symbol: value for value, symbol in names.items()}

    def settled(self, expression: sp.Expr) -> sp.Expr:
        """Everything in the unknowns of the two learners and of their pair."""
        own = replaced(self.one.sheets.settled(self.other.sheets.settled(expression)), self._chart)
        return replaced(bottom_up(own, _factored_variance), self._steps)

    @property
    def _steps(self) -> dict[sp.Basic, sp.Expr]:
        return dict(self.one.composition.parisi) | dict(self.other.composition.parisi)

    @cached_property
    def gap(self) -> sp.Symbol:
        return sp.Symbol(f"gap[{self.one.name},{self.other.name}]", real=True)

    @cached_property
    def gap_hat(self) -> sp.Symbol:
        return sp.Symbol(f"{self.gap.name}_hat", real=True)

    @cached_property
    def _chart(self) -> dict[sp.Symbol, sp.Expr]:
        """The overlap and its conjugate in terms of the gaps."""
        found = {}
        for hat, gap in ((False, self.gap), (True, self.gap_hat)):
            lengths = [part.sheets.settled(part.sheets.symbol(part.root, hat)) for part in (self.one, self.other)]
            given = [part.sheets.symbol(Overlap("root", TEACHER, part.name)) for part in (self.one, self.other)]
            found[self.tree.symbol(self.overlap, hat)] = self._common(lengths, given, hat) + (1 - gap) * self._most(lengths, given, hat)
        return found

    def _common(self, lengths: list[sp.Expr], given: list[sp.Expr], hat: bool) -> sp.Expr:
        """What two fields have in common through the teacher's."""
        return sp.S.Zero if hat or not self._taught else given[0] * given[1] / self.one.sheets.rho

    def _most(self, lengths: list[sp.Expr], given: list[sp.Expr], hat: bool) -> sp.Expr:
        """The largest covariance of what the teacher leaves of them."""
        if not hat and self._taught:
            lengths = [q - m**2 / self.one.sheets.rho for q, m in zip(lengths, given, strict=True)]
        return sp.sqrt(lengths[0] * lengths[1])

    @property
    def _taught(self) -> bool:
        return TEACHER in self.tree.root.leaves

    def value(self, hat: bool = False) -> sp.Expr:
        """The overlap or its conjugate in the unknowns."""
        return self._chart[self.tree.symbol(self.overlap, hat)].xreplace(self._steps)

    def _received(self) -> sp.Expr:
        """1 - cosine of the mean weights, less what the teacher gives them both."""
        parts = (self.one, self.other)
        lengths = [part.received(part.root) for part in parts]
        given = [part.received(Overlap("root", TEACHER, part.name)) for part in parts]
        got = self.closed(self.slope(Side.ENTROPIC), Side.ENTROPIC)
        return 1 - (got - self._common(lengths, given, False)) / self._most(lengths, given, False)

    def _tidy(self, e: sp.Expr) -> sp.Expr:
        """With variances that keep a length as the conjugates give them, and roots of squares taken where unknowns are positive."""
        kept = {V: value for part in (self.one, self.other) for V, value in part.sheets.kept.items() if V not in value.free_symbols}
        unknowns = [u.parameter for part in (self.one, self.other) for u in part.sheets.unknowns]
        positive = {u.symbol: sp.Dummy(u.name, positive=True) for u in unknowns if u.domain.lower >= 0}
        e = e.xreplace(self._steps)
        if not e.atoms(Tilted):
            e = sp.factor(e.xreplace(kept).xreplace(positive))
        return e.xreplace({v: k for k, v in positive.items()})

    def unknowns(self) -> list[Unknown]:
        """Both gaps, with their equations and starts."""
        parts = (self.one, self.other)
        domain, start = Domain(0.0, 2.0), sp.Rational(1, 2)
        gap = self._received() if self._taught else self._difference(Side.ENTROPIC, [part.received(part.root) for part in parts])
        gap, gap_hat = (self._tidy(e) for e in (gap, self._difference(Side.ENERGETIC, [part.sent(part.root) for part in parts])))
        of = f"{self.one.name} and {self.other.name}"
        return [
            Unknown(OrderParameter(self.gap, f"1 - cosine of what samples tell {of}", domain), gap, start),
            Unknown(OrderParameter(self.gap_hat, f"conjugate: 1 - cosine of the forces on {of}", domain), gap_hat, start, True),
        ]


def _factored_variance(e: sp.Basic) -> sp.Basic:
    """1 - (1 - gap)^2 as a product, which keeps its digits as the gap closes."""
    if isinstance(e, Gauss) and len(e.variables) == 1:
        variance = e.covariance[0, 0]
        if not variance.is_Atom and variance.is_rational_function():
            return Gauss(e.variables, e.means, [[sp.factor(variance)]])
    return e
