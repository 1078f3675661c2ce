"""Both terms of the free entropy, and their gradient, as nested averages over one tree.

A tree-structured Gaussian is a sum of increments, one per node on the way from the root, so the energetic and the
entropic term are the same nested average; they differ in the leaf function and in whose increments are used.
Multiplicities are jets p0 + eps p1, and the coefficient of eps is carried along with the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp

from replica.nodes import Gauss, LogAverage, Measure, Sigmoid, Softplus, Tilted
from replica.tree.leaf import Leaf, Side
from replica.tree.tree import Node, Overlap, ReplicaTree


@dataclass(frozen=True)
class Jet:
    """a + eps b, truncated."""

    a: sp.Expr = sp.S.Zero
    b: sp.Expr = sp.S.Zero

    def __add__(self, other: Jet) -> Jet:
        return Jet(self.a + other.a, self.b + other.b)

    def __sub__(self, other: Jet) -> Jet:
        return Jet(self.a - other.a, self.b - other.b)

    def __mul__(self, other: Jet) -> Jet:
        return Jet(self.a * other.a, self.a * other.b + self.b * other.a)


@dataclass
class Functional:
    """One side of a tree.

    Args:
        tree, side: which overlaps are increments and which leaf function is used.
        silent: species without a law on this side (their fields are left out of the measure).
        root_measures: further measures of the root (labels, classes), averaged together with its fields.
        extra: what the leaves read besides their field (the label).
        gates: node -> log-weight with which everything below one copy of it is switched on; switched off it has weight one.
    """

    tree: ReplicaTree
    side: Side
    silent: frozenset[str] = frozenset()
    root_measures: Sequence[Measure] = ()
    extra: tuple[sp.Expr, ...] = ()
    normalised: bool = False
    letters: Mapping[str, str] = field(default_factory=dict)  # how fields print
    gates: Mapping[str, sp.Expr] = field(default_factory=dict)
    _fields: dict[tuple[str, str], sp.Dummy] = field(default_factory=dict)
    _cache: dict[str, tuple] = field(default_factory=dict)

    def overlap(self, node: Node | None, s: str, t: str) -> sp.Expr:
        """Q^v_st of this side, in the tree's order of species; zero above the root."""
        if node is None:
            return sp.S.Zero
        order = self.tree.root.species()
        s, t = sorted((s, t), key=order.index)
        return self.tree.symbol(Overlap(node.name, s, t), hat=self.side is Side.ENTROPIC)

    def field(self, node: Node | None, s: str) -> sp.Expr:
        """The total field of a species at a node; zero above the root."""
        if node is None:
            return sp.S.Zero
        key = (node.like or node.name, s)
        if key not in self._fields:
            self._fields[key] = sp.Dummy(self.letters.get(s, f"h_{s}") + ("" if node is self.tree.root else f"_{node.name}"), real=True)
        return self._fields[key]

    def self_overlap(self, s: str) -> sp.Symbol:
        return self.tree.symbol(Overlap(None, s, s), hat=self.side is Side.ENTROPIC)

    def multiplicity(self, node: Node) -> Jet:
        p = sp.expand(node.multiplicity)
        eps = self.tree.eps
        return Jet(p) if eps is None else Jet(p.coeff(eps, 0), p.coeff(eps, 1))

    def species(self, node: Node) -> tuple[str, ...]:
        return tuple(s for s in node.species() if s not in self.silent)

    def leaf(self, node: Node, s: str, h_from: Node | None) -> Leaf:
        return Leaf(s, self.side, self.field(h_from, s), self.self_overlap(s) - self.overlap(h_from, s, s), 0, self.extra)

    def collapses(self, node: Node) -> bool:
        """A single leaf averaged over its own coordinate is a leaf of the parent (semigroup)."""
        return node is not self.tree.root and not node.children and len(node.leaves) == 1

    def measures(self, node: Node, parent: Node | None) -> tuple[Measure, ...]:
        names = self.species(node)
        increment = [[self.overlap(node, s, t) - self.overlap(parent, s, t) for t in names] for s in names]
        gauss = Gauss([self.field(node, s) for s in names], [self.field(parent, s) for s in names], increment)
        return (gauss, *self.root_measures) if node is self.tree.root else (gauss,)

    def exponent(self, node: Node) -> Jet:
        """T = sum of log F over leaves + sum over children of p_c log F_c, as a jet."""
        total = Jet(sp.Add(*(self.leaf(node, s, node) for s in node.leaves if s not in self.silent)))
        for child in node.children:
            total += self.multiplicity(child) * self.value(child, node)
        return Jet(sp.expand_mul(total.a), total.b)  # one copy set apart and its plain siblings add up again

    def value(self, node: Node, parent: Node | None) -> Jet:
        """log F_v as a jet, a function of the parent's fields."""
        if self.collapses(node):
            s = node.leaves[0]
            return Jet(self.leaf(node, s, parent)) if s not in self.silent else Jet()
        measures, T = self.measures(node, parent), self.exponent(node)
        flag = self.normalised and node is self.tree.root
        log = LogAverage(T.a, measures) if node is self.tree.root else _log_average(T.a, measures)
        jet = Jet(log, Tilted(T.b, T.a, measures, flag))
        if node.name not in self.gates:
            return jet
        odds = log + self.gates[node.name]
        return Jet(Softplus(odds), Sigmoid(odds) * jet.b)

    def log_integral(self) -> sp.Expr:
        """log I: at integer multiplicities the value, else the coefficient of eps."""
        jet = self.value(self.tree.root, None)
        return jet.a if self.tree.eps is None else jet.b

    # universal gradient ------------------------------------------------------------------------------------------

    def _tilt(self, node: Node, parent: Node | None, y: Jet) -> Jet:
        """Average at a node tilted by its own exponent; behind a gate, of what vanishes where it is shut."""
        measures, T = self.measures(node, parent), self.exponent(node)
        flag = self.normalised and node is self.tree.root

        def mean(x):
            return _through(x, T.a, measures) or Tilted(x, T.a, measures, flag)

        jet = Jet(mean(y.a), mean(y.b) + mean(y.a * T.b) - mean(y.a) * mean(T.b))
        if node.name not in self.gates:
            return jet
        odds = _log_average(T.a, measures) + self.gates[node.name]
        return Jet(Sigmoid(odds), Sigmoid(odds) * Sigmoid(-odds) * mean(T.b)) * jet

    def _score(self, node: Node, parent: Node | None, s: str) -> Jet:
        """G_s = d log F_v / d h_s, in the parent's fields."""
        if s not in self.species(node):
            return Jet()
        if self.collapses(node):
            return Jet(self.leaf(node, s, parent).ratio(1))
        total = self._sum_of_scores(node, s)
        return self._tilt(node, parent, Jet(sp.expand_mul(total.a), total.b))

    def _sum_of_scores(self, node: Node, s: str) -> Jet:
        total = Jet(sp.Integer(node.leaves.count(s)) * self.leaf(node, s, node).ratio(1)) if s in node.leaves else Jet()
        for child in node.children:
            total += self.multiplicity(child) * self._score(child, node, s)
        return total

    def root_average(self, body: sp.Expr) -> sp.Expr:
        """E body over the fields of the root, tilted by what stands there."""
        root = self.tree.root
        return Tilted(body, self.exponent(root).a, self.measures(root, None), self.normalised)

    def root_score(self, s: str) -> Jet:
        """Sum over copies of s of the slope of log F in its field, in the root's fields."""
        return self._sum_of_scores(self.tree.root, s)

    def _path(self, name: str) -> list[Node]:
        def search(node, trail):
            trail = [*trail, node]
            if node.name == name:
                return trail
            for child in node.children:
                found = search(child, trail)
                if found:
                    return found
            return []

        return search(self.tree.root, [])

    def _transport(self, path: list[Node], y: Jet) -> sp.Expr:
        """Average from a node up to the root, weighted with the multiplicities on the way."""
        for depth in range(len(path) - 1, -1, -1):
            node, parent = path[depth], path[depth - 1] if depth else None
            y = self._tilt(node, parent, y) if not self.collapses(node) else y
            y = self.multiplicity(node) * y
        return y.a if self.tree.eps is None else y.b

    def gradient(self, overlap: Overlap) -> sp.Expr:
        """d log I / d overlap (one factor for the unordered pair), universal form: averages of products of scores."""
        s, t = overlap.first, overlap.second
        if s in self.silent or t in self.silent:
            return sp.S.Zero
        if overlap.node is None:
            return sp.Add(*(self._self_term(node, s) for node, _, _ in self.tree.nodes() if s in node.leaves)) / 2
        path = self._path(overlap.node)
        node = path[-1]
        product = self._sum_of_scores(node, s) * self._sum_of_scores(node, t)
        for child in node.children:
            product -= self.multiplicity(child) * self._score(child, node, s) * self._score(child, node, t)
        if s == t and s in node.leaves:
            product -= Jet(sp.Integer(node.leaves.count(s)) * self.leaf(node, s, node).ratio(1) ** 2)
        return self._transport(path, product) * (sp.Rational(1, 2) if s == t else 1)

    def squared_slope(self, s: str) -> sp.Expr:
        """Sum over copies of s of <(d g/d h)^2>, the slope of a copy's own score squared; for the replicon."""

        def body(leaf: Leaf) -> sp.Expr:
            return (leaf.ratio(2) - leaf.ratio(1) ** 2) ** 2

        return sp.Add(*(self._leaf_term(node, s, body) for node, _, _ in self.tree.nodes() if s in node.leaves))

    def squared_slope_of(self, name: str, s: str) -> sp.Expr:
        """Sum over copies of a node of <(d G/d h)^2>, G the score per leaf s on it; for the replicon between such copies."""
        path = self._path(name)
        slope = self._score(path[-1], path[-2], s).a.diff(self.field(path[-2], s))
        each = sp.expand_mul(slope / path[-1].copies(s))
        return self._transport(path[:-1], self.multiplicity(path[-1]) * Jet(each**2))

    def _self_term(self, node: Node, s: str) -> sp.Expr:
        return self._leaf_term(node, s, lambda leaf: leaf.ratio(2))

    def _leaf_term(self, node: Node, s: str, body: Callable[[Leaf], sp.Expr]) -> sp.Expr:
        """The copies of s on a node, summed, averaged up to the root."""
        path = self._path(node.name)
        copies = sp.Integer(node.leaves.count(s))
        if self.collapses(node):
            y = self.multiplicity(node) * Jet(copies * body(self.leaf(node, s, path[-2])))
            return self._transport(path[:-1], y)
        return self._transport(path, Jet(copies * body(self.leaf(node, s, node))))


def _log_average(exponent: sp.Expr, measures: tuple[Measure, ...]) -> sp.Expr:
    """log E e^exponent without fields that nothing reads; a leaf alone becomes a leaf of the parent (semigroup)."""
    read = exponent.free_symbols
    kept: list[Measure] = []
    for m in measures:
        assert isinstance(m, Gauss)
        inside = [i for i, v in enumerate(m.variables) if v in read]
        if inside:
            variables, means = [m.variables[i] for i in inside], [m.means[i] for i in inside]
            kept.append(Gauss(variables, means, sp.Matrix(m.covariance).extract(inside, inside)))
    if isinstance(exponent, Leaf) and exponent.order == 0 and len(kept) == 1 and kept[0].variables == (exponent.h,):
        (own,) = kept
        return Leaf(exponent.species, exponent.side, own.means[0], exponent.A + own.covariance[0, 0], 0, exponent.extra)
    return LogAverage(exponent, kept) if kept else exponent


def _through(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> sp.Expr | None:
    """<R_k> under the leaf's own tilt: by the semigroup, R_k of the leaf that the parent sees."""
    if not (isinstance(body, Leaf) and isinstance(exponent, Leaf) and body.at_order(0) == exponent):
        return None
    above = _log_average(exponent, measures) if all(isinstance(m, Gauss) for m in measures) else None
    return above.at_order(body.order) if isinstance(above, Leaf) else None
