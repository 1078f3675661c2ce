"""What the samples of a cell say: proximal points and scores of every vector, and averages over a cell's fields and labels.

A later vector sees the points of earlier ones, and its field moves with their scores, chi_21 g_1; an earlier one never moves back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

from replica.families.draft import Closing
from replica.families.model import TEACHER, Case, Underivable, channel_cases
from replica.families.staged.problem import Cell, Pair, Problem, output
from replica.families.staged.symbols import Names
from replica.law import Law, Quadratic
from replica.nodes import Flat, Gauss, Moreau, Prox, Tilted
from replica.nodes.joint import JointLoss, JointPoint, JointScore
from replica.passes.separate import separate
from replica.tree import Leaf, Side


@dataclass(frozen=True)
class CellLaws:
    """The label of one cell for the lowering of averages: a channel of a latent's field, one value, or a random sign."""

    cell: Cell
    bayes: bool = False

    def temperatures(self) -> Mapping[sp.Symbol, sp.Expr]:
        return {}

    def cases(self, field: sp.Expr, variance: sp.Expr) -> tuple[Case, ...]:
        if self.cell.of is not None:
            return channel_cases(self.cell.channel, field, variance)
        y = sp.Dummy("y", real=True)
        values = (self.cell.value,) if self.cell.value is not None else (sp.S.One, -sp.S.One)
        return tuple(Case(value, (), y, (Quadratic(-sp.log(len(values)), sp.S.Zero, sp.S.Zero),)) for value in values)

    def energetic(self, species: str, case: Case) -> Law:
        return case.at_label()

    def entropic(self, species: str) -> Law:
        raise Underivable(f"the law of {species} is not known to a cell")


@dataclass
class Samples:
    """Scores and averages of every cell, in the order parameters of a problem."""

    problem: Problem
    names: Names
    _closings: dict[Pair, Closing] = field(default_factory=dict)
    _fields: dict[tuple[Pair, str], sp.Dummy] = field(default_factory=dict)
    _labels: dict[Pair, sp.Dummy] = field(default_factory=dict)
    _answers: dict[Pair, dict[tuple[str, ...], tuple]] = field(default_factory=dict)

    def label(self, cell: Cell) -> sp.Symbol:
        return self._labels.setdefault(cell.key, sp.Dummy("y", real=True))

    def field(self, cell: Cell, name: str) -> sp.Symbol:
        """The field that a sample puts on a vector that has not seen it, bias included."""
        return self._fields.setdefault((cell.key, name), sp.Dummy(f"omega_{name}", real=True))

    # Gaussian law of the fields ---------------------------------------------------------------------------------

    def _dressed(self, cell: Cell, entry) -> sp.Expr:
        return sp.Add(*(cell.variance[k] * self.problem.sizes[k] * entry(k) for k in self.problem.bases if cell.variance[k] != 0))

    def covariance(self, cell: Cell, a: str, b: str) -> sp.Expr:
        return self._dressed(cell, lambda k: self.names.q(k, a, b))

    def response(self, cell: Cell, a: str, b: str) -> sp.Expr:
        """How far the field of a moves per unit score of b; zero where nothing carries it."""
        return self._dressed(cell, lambda k: self.names.chi(k, a, b)) if (a, b) in self.problem.responses else sp.S.Zero

    def with_label(self, cell: Cell, a: str) -> sp.Expr:
        """Covariance of a vector's field with the field that gives the label."""
        assert cell.of is not None
        return self._dressed(cell, lambda k: self.names.m(k, a, str(cell.of)))

    def mean(self, cell: Cell, a: str) -> sp.Expr:
        sizes, bases = self.problem.sizes, [k for k in self.problem.bases if cell.level[k] != 0]
        shifts = (c * cell.level[k] * sizes[k] * self.names.m(k, a, t) for t, c in cell.mean.items() for k in bases)
        return sp.Add(*shifts) + (self.names.bias(a) if self.problem.vector(a).bias else sp.S.Zero)

    def label_variance(self, cell: Cell) -> sp.Expr:
        """Of the field that gives the label, centered on its mean in the cell."""
        assert cell.of is not None
        if cell.total is not None:
            return cell.total
        of = cell.of
        return sp.Add(
            *(s.total(cell.variance[k] * s.profile[k] * s.moment(of, of)) for s in self.problem.sites for k in self.problem.bases)
        )

    def label_mean(self, cell: Cell) -> sp.Expr:
        assert cell.of is not None
        of = cell.of
        return cell.bias + sp.Add(*(c * s.total(s.moment(of, t)) for t, c in cell.mean.items() for s in self.problem.sites))

    def teacher(self, cell: Cell, vectors: tuple[str, ...]) -> Leaf:
        """Law of the label given the fields of some vectors: what they leave open of the label's own field."""
        assert cell.of is not None
        if not vectors:
            return Leaf(TEACHER, Side.ENERGETIC, self.label_mean(cell), self.label_variance(cell), 0, (self.label(cell),))
        Q = sp.Matrix([[self.covariance(cell, a, b) for b in vectors] for a in vectors])
        row = sp.Matrix([[self.with_label(cell, a) for a in vectors]])
        slope = row * (Q.inv() if len(vectors) > 1 else sp.Matrix([[1 / Q[0, 0]]]))
        moved = sum((slope[0, i] * (self.field(cell, a) - self.mean(cell, a)) for i, a in enumerate(vectors)), sp.S.Zero)
        left = self.label_variance(cell) - (slope * row.T)[0, 0]
        return Leaf(TEACHER, Side.ENERGETIC, self.label_mean(cell) + moved, left, 0, (self.label(cell),))

    # points and scores ------------------------------------------------------------------------------------------

    def _proximal(self, cell: Cell, name: str) -> tuple[sp.Expr, ...]:
        """(loss, u, chi, h) of a vector's proximal point in a cell where it is trained."""
        vector = self.problem.vector(name)
        h: sp.Expr = self.field(cell, name)
        for other in self.problem.fields(cell.key, name)[:-1]:
            before = self.problem.vector(other)
            if cell.key in before.losses and before.stage < vector.stage:
                h = h + self.response(cell, name, other) * self.score(cell, other)
        u = sp.Dummy("u", real=True)
        loss = vector.losses[cell.key](self.label(cell), u)
        seen = {output(other): self.point(cell, other) for other in vector.reads(cell.key)}
        return loss.xreplace(seen), u, self.response(cell, name, name), h

    def _joint(self, cell: Cell, name: str) -> tuple | None:
        """(losses, us, V, fields, number) of the joint proximal point of vectors that answer a cell together; None where one is alone."""
        names = self.problem.together(cell.key, name)
        if len(names) == 1:
            return None
        if names not in self._answers.setdefault(cell.key, {}):
            losses, us, _, fields = zip(*(self._proximal(cell, a) for a in names), strict=True)
            self._answers[cell.key][names] = (losses, us, [[self.response(cell, a, b) for b in names] for a in names], fields)
        return *self._answers[cell.key][names], names.index(name)

    def point(self, cell: Cell, name: str) -> sp.Expr:
        """The field after training, on a sample of the training set; on one that a vector never saw, its field as it is."""
        if cell.key not in self.problem.vector(name).losses:
            return self.field(cell, name)
        joint = self._joint(cell, name)
        return JointPoint(*joint) if joint else Prox(*self._proximal(cell, name))

    def score(self, cell: Cell, name: str) -> sp.Expr:
        """Minus the slope of the loss at the point."""
        if joint := self._joint(cell, name):
            return JointScore(*joint)
        loss, u, chi, h = self._proximal(cell, name)
        return (Prox(loss, u, chi, h) - h) / chi

    def loss(self, cell: Cell, name: str) -> sp.Expr:
        """The loss at the point: what the envelope has besides the distance."""
        if joint := self._joint(cell, name):
            return JointLoss(*joint)
        loss, u, chi, h = self._proximal(cell, name)
        return Moreau(loss, u, chi, h) - (Prox(loss, u, chi, h) - h) ** 2 / (2 * chi)

    # averages ---------------------------------------------------------------------------------------------------

    def average(self, cell: Cell, body: sp.Expr, order: int = 0) -> sp.Expr:
        """E[body] over the fields of a cell and its label, closed; with `order` 1, times the score of the label's law.

        Args:
            body: in `field`s and `label` of the cell.
        """
        if body == 0:
            return sp.S.Zero
        vectors = tuple(v.name for v in self.problem.vectors if self.field(cell, v.name) in body.free_symbols)
        label = self.label(cell)
        measures: tuple = ()
        if vectors:
            Q = [[self.covariance(cell, a, b) for b in vectors] for a in vectors]
            measures = (Gauss([self.field(cell, a) for a in vectors], [self.mean(cell, a) for a in vectors], Q),)
        tilt: sp.Expr = sp.S.Zero
        if cell.of is not None and (order or label in body.free_symbols):
            tilt = self.teacher(cell, vectors)
            measures = (*measures, Flat(label, -sp.oo, sp.oo))
            body = body * tilt.ratio(order)
        elif not vectors and label not in body.free_symbols:
            return body
        return separate(self._closing(cell).energetic(Tilted(body, tilt, measures, normalised=True)))

    def _closing(self, cell: Cell) -> Closing:
        if cell.key not in self._closings:
            self._closings[cell.key] = Closing(CellLaws(cell), self.label(cell))  # type: ignore[arg-type]
        return self._closings[cell.key]
