"""Disorder that couples the weights themselves: the energetic term is a function of the overlaps, pair by pair.

Averaged over Gaussian couplings of mean J0 and variance J2, prod_a exp(-beta_a H(w_a)) over d^p/p! groups of coordinates becomes

    exp d [ sum_a beta_a J0' m_a^p + 1/2 sum_ab beta_a beta_b J2' Q_ab^p ],        J' = lim J d^(p-1)/p!,

so each pair of leaves contributes a term of its own overlap, and the tree says how many pairs have it.  Patterns that are summed over
are samples: fields of the weights at their load, with the law exp(-beta energy).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from replica.disorder import Disorder
from replica.families.lengths import imposed_norm
from replica.families.model import TEACHER, SharedLaws, Underivable, inverse_temperature
from replica.families.rs import ReplicaSymmetric
from replica.families.structure import Level, Structure
from replica.passes.close import Ratios
from replica.tree import Functional, Leaf, Node, Overlap, ReplicaTree, Side


@dataclass(frozen=True)
class Strengths:
    """Couplings in the limit of many coordinates.

    Args:
        order: p.
        mean, variance: J0', J2' per coordinate; squares: coefficient of |w|^4/d^2 in the energy per coordinate.
        load: patterns per coordinate; length: energy per pattern and |w|^2/d.
    """

    order: int
    mean: sp.Expr
    variance: sp.Expr
    squares: sp.Expr
    load: sp.Expr = sp.S.Zero
    length: sp.Expr = sp.S.Zero


def strengths(law: Disorder) -> Strengths:
    """The limits of a bound law.

    Raises:
        Underivable: couplings that do not scale so that the energy is extensive.
    """
    try:
        p = law.order()
    except (TypeError, ValueError):
        raise Underivable(f"data.law: '{law.kind}' needs an integer order p; a control has no theory here") from None
    d = sp.Symbol("d", positive=True)
    moments, patterns = law.moments(d), law.patterns()

    def extensive(what: str, value: sp.Expr, order: int) -> sp.Expr:
        limit = sp.limit(value * d ** (order - 1) / sp.factorial(order), d, sp.oo)
        if limit.has(sp.oo, sp.zoo, sp.nan):
            raise Underivable(f"data.law: the {what} of the couplings of '{law.kind}' gives no extensive energy")
        return limit

    found = (
        extensive("mean", moments.mean, p),
        extensive("variance", moments.variance, p),
        extensive("square", moments.squares, 2),
    )
    return Strengths(p, *found, *((patterns.load, patterns.length) if patterns is not None else ()))


@dataclass
class PairTerms:
    """The energetic side of coupled weights, in the place of a `Functional`.

    Args:
        tree: which pairs there are.
        strengths: of the couplings.
        fields: the functional of patterns, where there are some.
        lengths: species -> |w|^2/d where its prior imposes it.
    """

    tree: ReplicaTree
    strengths: Strengths
    fields: Functional
    lengths: Mapping[str, sp.Expr]

    @property
    def silent(self) -> frozenset[str]:
        """No field of the latent is seen: it acts through its overlap."""
        return self.fields.silent

    def field(self, node: Node | None, s: str) -> sp.Expr:
        return self.fields.field(node, s)

    def log_integral(self) -> sp.Expr:
        imposed = {self.tree.symbol(Overlap(None, s, s)): value for s, value in self.lengths.items()}
        pairs = sp.Add(*(count * self._pair(o) for o, count in self._counted.items())).xreplace(imposed)
        return pairs + self.strengths.load * self.fields.log_integral() if self.strengths.load != 0 else pairs

    def gradient(self, overlap: Overlap) -> sp.Expr:
        """d log I / d overlap (one factor for the unordered pair)."""
        pairs = self._counted.get(overlap, sp.S.Zero) * self._pair(overlap).diff(self.tree.symbol(overlap))
        return pairs + self.strengths.load * self.fields.gradient(overlap) if self.strengths.load != 0 else pairs

    def squared_slope(self, s: str) -> sp.Expr:
        """d conjugate / d overlap of two copies of s that are nearest to each other, times the copies; for the replicon."""
        q = self.tree.symbol(self._nearest(s))
        pairs = self.tree.coefficient(self.tree.root.copies(s)) * inverse_temperature(s) ** 2 * self._power(q).diff(q, 2)
        return pairs + self.strengths.load * self.fields.squared_slope(s) if self.strengths.load != 0 else pairs

    @cached_property
    def _counted(self) -> Mapping[Overlap, sp.Expr]:
        return self.tree.order_parameters()

    def _power(self, q: sp.Expr) -> sp.Expr:
        return self.strengths.variance * q**self.strengths.order

    def _pair(self, overlap: Overlap) -> sp.Expr:
        """What one unordered pair adds; a leaf with itself counts half, so that its own terms are doubled."""
        q, s, t = self.tree.symbol(overlap), overlap.first, overlap.second
        if s == t == TEACHER:
            return sp.S.Zero
        if TEACHER in (s, t):
            other = t if s == TEACHER else s
            return inverse_temperature(other) * self.strengths.mean * q**self.strengths.order
        both = inverse_temperature(s) * inverse_temperature(t) * self._power(q)
        if overlap.node is not None:
            return both
        given = self.strengths
        return both - 2 * inverse_temperature(s) * (given.squares * q**2 + given.load * given.length * q)

    def _nearest(self, s: str) -> Overlap:
        return [o for o in self._counted if (o.first, o.second) == (s, s) and o.node is not None][-1]


def coupled(structure: Structure, law: Disorder, laws: SharedLaws) -> Structure:
    """The same replicas with couplings instead of samples; overlaps that symmetry keeps at zero are taken out."""
    norms = {m.name: imposed_norm(laws.by[m.name]) for m in structure.members}
    lengths = {name: norm for name, norm in norms.items() if norm is not None}

    def change(level: Level) -> Level:
        assert isinstance(level.energetic, Functional)
        return replace(level, energetic=paired(level.tree, level.energetic, law, lengths))

    levels = tuple(change(level) for level in structure.levels)
    return replace(structure, levels=levels, vanishing=_vanishing(structure, strengths(law), laws))


def _vanishing(structure: Structure, given: Strengths, laws: SharedLaws) -> frozenset[Overlap]:
    """The overlap at the root where it is zero at every temperature.

    Without a latent and with a symmetric law of the weights it can be zero; it stays zero where it makes no field to first order, so
    that a small one dies out.  Where couplings are linear in it (p = 2, patterns) it may grow, and it is solved for.
    """
    if structure.teacher or given.load != 0 or len(structure.members) > 1:
        return frozenset()
    (species,) = (m.name for m in structure.members)
    *between, _own = structure.chain(species)
    q = sp.Symbol("q")
    dies_out = (given.variance * q**given.order).diff(q, 2).xreplace({q: sp.S.Zero}) == 0
    centered = Ratios()(laws.entropic(species), Leaf(species, Side.ENTROPIC, sp.S.Zero, sp.Symbol("A", real=True), 1)) == 0
    return frozenset(between[:1]) if len(between) > 1 and dies_out and centered else frozenset()


def paired(tree: ReplicaTree, samples: Functional, law: Disorder, lengths: Mapping[str, sp.Expr]) -> PairTerms:
    """The energetic side of a tree with couplings where it had samples; patterns take the samples' place."""
    return PairTerms(tree, strengths(law), replace(samples, silent=samples.silent | {TEACHER}, _fields={}, _cache={}), lengths)


def coupled_rs(system: ReplicaSymmetric, law: Disorder) -> ReplicaSymmetric:
    """The same for a learner that stands alone."""
    assert isinstance(system.energetic, Functional)
    return replace(system, energetic=paired(system.tree, system.energetic, law, {}))
