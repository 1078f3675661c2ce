"""A static model as local laws: what every leaf of the replica tree integrates, and what a label may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from replica.ingredients import Channel, Loss, Prior, Regularizer
from replica.labels import CountLabels, DiscreteLabels
from replica.law import Atom, Density, Law, Piece, Quadratic, from_density, from_log_density, joined, log_of, substitute
from replica.nodes import Counting, Flat, Gauss, Measure, Tilted
from replica.nodes.piecewise import Undecided, pieces

TEACHER, STUDENT = "teacher", "student"


def inverse_temperature(species: str) -> sp.Symbol:
    """The factor of a species' own energy where it stands outside its leaf; put in with the laws."""
    return sp.Symbol(f"beta_[{species}]", positive=True)


class Underivable(ValueError):
    """The spec is sound and no theory of this family exists for it; the sentence says why."""


def refuse_undeclared(name: str, learner: Any) -> None:
    """Refuse a learner of which the spec itself says that it has no theory.

    Raises:
        Underivable: with the reason that the spec gives.
    """
    if learner.theory == "none":
        reason = f" ({learner.reason})" if learner.reason else ""
        raise Underivable(f"learner '{name}' says theory = \"none\"{reason}: it is simulated, never derived")


@dataclass(frozen=True)
class Case:
    """One kind of label.

    Args:
        label: its value, an expression of the measures' variables.
        measures: what it is averaged over besides the fields.
        variable, law: the channel as a law of the field, with the symbol `variable` for the label.
        tilt: False when the label is a function of the teacher's own field, which is then among the measures.
        indicator: 1 where this kind of label occurs.
    """

    label: sp.Expr
    measures: tuple[Measure, ...]
    variable: sp.Symbol
    law: Law
    tilt: bool = True
    indicator: sp.Expr = sp.S.One

    def at_label(self) -> Law:
        """The law at the label's value."""
        return substitute(self.law, {self.variable: self.label})


@dataclass(frozen=True)
class LocalLaws:
    """Laws of the leaves.

    Args:
        prior, channel: of the teacher; None for a storage problem with random labels.
        student_prior: reference measure of a Gibbs student, None for flat (ERM) or the truth (Bayes).
        beta: inverse temperature; oo for ground states of a 0/1 loss (Gibbs) or the minimum (ERM).
    """

    prior: Prior | None
    channel: Channel | None
    student_prior: Prior | None
    loss: Loss | None
    regularizer: Regularizer | None
    beta: sp.Expr | None
    bayes: bool = False

    @property
    def counts_solutions(self) -> bool:
        """Whether exp(-beta loss) at beta = inf is 0 or 1, so that Z is a volume of solutions."""
        if self.loss is None:
            return True
        try:
            return bool(_ground_states(self.loss.formula(sp.S.One, z := sp.Dummy("z", real=True)), z))
        except Underivable:
            return False

    def entropic(self, species: str) -> Law:
        """The law of one weight."""
        if species == TEACHER or self.bayes:
            assert self.prior is not None
            return prior_law(self.prior)
        if self.student_prior is None:
            raise Underivable("a Gibbs student needs a prior")
        law = prior_law(self.student_prior)
        if self.regularizer is None or self.beta is None:
            return law
        return _with_energy(self.student_prior, self.beta, self.regularizer)

    def energetic(self, species: str, case: Case) -> Law:
        """The law of one field, given the label."""
        if species == TEACHER or self.bayes:
            return case.at_label()
        assert self.loss is not None and self.beta is not None
        return self.student_law(case.label)

    def temperatures(self) -> dict[sp.Symbol, sp.Expr]:
        """What the inverse temperature of the student is; a posterior has 1."""
        return {inverse_temperature(STUDENT): sp.S.One if self.bayes or self.beta is None else self.beta}

    def student_law(self, label: sp.Expr) -> Law:
        """exp(-beta loss) of a field, at a label."""
        assert self.loss is not None and self.beta is not None
        z = sp.Dummy("z", real=True)
        loss = self.loss.formula(label, z)
        if self.beta == sp.oo:
            return _ground_states(loss, z)
        return from_log_density(-self.beta * loss, z)

    def cases(self, teacher_field: sp.Expr, teacher_variance: sp.Expr) -> tuple[Case, ...]:
        """Every kind of label, given the field and the variance of the teacher's leaf."""
        if self.channel is None:
            y = sp.Dummy("y", real=True)
            return tuple(Case(sp.Integer(value), (), y, (Quadratic(-sp.log(2), sp.S.Zero, sp.S.Zero),)) for value in (1, -1))
        return channel_cases(self.channel, teacher_field, teacher_variance)


@dataclass(frozen=True)
class SharedLaws:
    """Several learners on the same teacher and samples: each species has its own laws, the labels are common."""

    by: Mapping[str, LocalLaws]

    @property
    def teacher(self) -> LocalLaws:
        """The laws of the truth, which every learner's record carries."""
        return next(iter(self.by.values()))

    @property
    def bayes(self) -> bool:
        return False

    def temperatures(self) -> dict[sp.Symbol, sp.Expr]:
        return {inverse_temperature(name): value for name, laws in self.by.items() for value in laws.temperatures().values()}

    def entropic(self, species: str) -> Law:
        return self.teacher.entropic(TEACHER) if species == TEACHER else self.by[species].entropic(STUDENT)

    def energetic(self, species: str, case: Case) -> Law:
        return self.teacher.energetic(TEACHER, case) if species == TEACHER else self.by[species].energetic(STUDENT, case)

    def cases(self, teacher_field: sp.Expr, teacher_variance: sp.Expr) -> tuple[Case, ...]:
        return self.teacher.cases(teacher_field, teacher_variance)


def prior_law(prior: Prior) -> Law:
    """Atoms and density of a prior as pieces."""
    w = sp.Dummy("w", real=True)
    lower, upper = prior.support()
    atoms = tuple(Atom(location, log_of(weight)) for location, weight in prior.atoms())
    return from_density(prior.density(w), w, lower, upper) + atoms  # atoms last: their weight may be zero, as at rho = 1


def _with_energy(prior: Prior, beta: sp.Expr, regularizer: Regularizer) -> Law:
    w = sp.Dummy("w", real=True)
    lower, upper = prior.support()
    penalty = regularizer.formula(w)
    atoms = tuple(Atom(x, log_of(p) - beta * penalty.xreplace({w: x})) for x, p in prior.atoms())
    density = prior.density(w)
    rest = from_log_density(log_of(density) - beta * penalty, w, lower, upper) if density != 0 else ()
    return atoms + rest


def _ground_states(loss: sp.Expr, z: sp.Symbol) -> Law:
    """exp(-beta loss) as beta -> oo of a loss that is constant between break points: uniform where it is smallest."""
    try:
        parts = pieces(loss, z)
    except Undecided as error:
        raise Underivable(f"the ground states of this loss are not known: {error}") from None
    if any(part.free_symbols for _, _, part in parts):
        raise Underivable("beta = inf is built for losses that count errors (theta); use protocol 'erm' for the minimum of a smooth loss")
    lowest = min(part for _, _, part in parts)
    return joined(tuple(Quadratic(sp.S.Zero, sp.S.Zero, sp.S.Zero, a, b) for a, b, part in parts if part == lowest))


def channel_cases(channel: Channel, field: sp.Expr, variance: sp.Expr) -> tuple[Case, ...]:
    """Labels of a channel: a sum, a count, a real label with a density, or a function of the field."""
    z, y = sp.Dummy("z", real=True), sp.Dummy("y", real=True)
    labels = channel.labels()
    if isinstance(labels, DiscreteLabels):
        atoms = sorted(labels.atoms, reverse=True)
        return tuple(Case(value, (), y, from_density(channel.density(value, z), z)) for value in atoms)
    if isinstance(labels, CountLabels):
        return (Case(y, (Counting(y),), y, from_density(channel.density(y, z), z)),)
    density = channel.density(y, z)
    if density is not None:
        return (Case(y, (Flat(y, labels.lower, labels.upper),), y, from_density(density, z)),)
    xi = sp.Dummy("xi", real=True)
    rule = channel.map(z, xi)
    if rule is None or xi in rule.free_symbols:
        raise Underivable(f"channel '{channel.kind}' has neither a density nor a noiseless map")
    return _mapped(rule, z, field, variance)


def _mapped(rule: sp.Expr, z: sp.Symbol, field: sp.Expr, variance: sp.Expr) -> tuple[Case, ...]:
    """A noiseless piecewise linear map: constant pieces are atoms of the label, the others give it a density."""
    try:
        parts = [(a, b, sp.expand(part)) for a, b, part in pieces(rule, z)]
    except Undecided as error:
        raise Underivable(f"the channel's map cannot be inverted: {error}") from None
    found, inverse, open_parts = [], [], []
    y = sp.Dummy("y", real=True)
    for a, b, part in parts:
        slope = part.coeff(z, 1)
        offset = part - slope * z
        if z in slope.free_symbols or z in sp.expand(offset).free_symbols:
            raise Underivable("the channel's map is not piecewise linear; give it noise or a density")
        if slope == 0:
            found.append(Case(part, (), y, (Quadratic(sp.S.Zero, sp.S.Zero, sp.S.Zero, a, b),)))
        else:
            inverse.append(Atom((y - offset) / slope, -sp.log(sp.Abs(slope))))
            open_parts.append((a, b))
    if inverse:
        own = sp.Dummy("z", real=True)
        value, indicator, law = rule.xreplace({z: own}), sp.S.One, tuple(inverse)
        if found:
            if len(inverse) != 1:
                raise Underivable("a channel's map with flat pieces and several sloped ones is not built")
            a, b = open_parts[0]
            indicator = (sp.Heaviside(own - a) if a != -sp.oo else sp.S.One) * (sp.Heaviside(b - own) if b != sp.oo else sp.S.One)
            value = pieces(rule, z, a, b)[0][2].xreplace({z: own})
        found.append(Case(value, (Gauss([own], [field], [[variance]]),), y, law, tilt=False, indicator=indicator))
    return tuple(found)


def second_moment(prior: Prior) -> sp.Expr:
    """E w^2 of a prior: closed where a piece integrates, else an average over its density."""
    pinned = prior.pinned_norm()
    if pinned is not None:
        return pinned
    total = sp.Add(*(p * x**2 for x, p in prior.atoms()))
    w = sp.Dummy("w", real=True)
    density = prior.density(w)
    return total + sp.Add(*(_second_moment(piece) for piece in (from_density(density, w, *prior.support()) if density != 0 else ())))


def _second_moment(piece: Piece) -> sp.Expr:
    if isinstance(piece, Quadratic) and piece.tail is None:
        if piece.c2 != 0 and (piece.lower, piece.upper) == (-sp.oo, sp.oo):
            variance, mean = -1 / piece.c2, -piece.c1 / piece.c2
            mass = sp.exp(piece.c0 + piece.c1**2 * variance / 2) * sp.sqrt(2 * sp.pi * variance)
            return sp.powsimp(mass) * (variance + mean**2)
        if piece.c2 == 0:
            return sp.exp(piece.c0) * (_primitive(piece.c1, piece.upper) - _primitive(piece.c1, piece.lower))
    if isinstance(piece, Density):
        return Tilted(
            piece.variable**2, piece.log_density, (Flat(piece.variable, piece.lower, piece.upper, piece.breaks),), normalised=True
        )
    assert isinstance(piece, Quadratic)
    w = sp.Dummy("w", real=True)
    return Tilted(w**2, piece.c0 + piece.c1 * w + piece.c2 * w**2 / 2, (Flat(w, piece.lower, piece.upper),), normalised=True)


def _primitive(rate: sp.Expr, end: sp.Expr) -> sp.Expr:
    """Primitive of w^2 exp(rate w), zero at an infinite end where it decays."""
    if end in (sp.oo, -sp.oo):
        return sp.S.Zero
    return end**3 / 3 if rate == 0 else sp.exp(rate * end) * (end**2 / rate - 2 * end / rate**2 + 2 / rate**3)
