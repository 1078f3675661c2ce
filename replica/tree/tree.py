"""The replica ansatz as a rooted tree: who shares an ancestor with whom, and how often.

A node carries leaves (one copy of a species each) and child nodes with multiplicities.  The overlap of two leaves
depends on their deepest common ancestor and their species only, so everything that an ansatz says is this tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy as sp


@dataclass(frozen=True)
class Node:
    """`multiplicity`: copies of this node under one copy of its parent; any expression (n, n/x, -1, y).

    `like` names a sibling of the same structure, of which this node is one copy set apart: their fields share names, so that
    what they have in common cancels.
    """

    name: str
    multiplicity: sp.Expr = sp.S.One
    leaves: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()
    like: str = ""

    def species(self) -> tuple[str, ...]:
        """Species at or below this node, in order of appearance."""
        found = dict.fromkeys(self.leaves)
        for child in self.children:
            found |= dict.fromkeys(child.species())
        return tuple(found)

    def copies(self, species: str) -> sp.Expr:
        """N_v(s): copies of a species under one copy of this node."""
        return sp.Integer(self.leaves.count(species)) + sum((c.multiplicity * c.copies(species) for c in self.children), sp.S.Zero)

    def pairs(self, s: str, t: str) -> sp.Expr:
        """Ordered pairs of distinct leaves (s, t) whose deepest common ancestor is this node, per copy of it."""
        count = self.copies(s) * self.copies(t) - sum((c.multiplicity * c.copies(s) * c.copies(t) for c in self.children), sp.S.Zero)
        return sp.expand(count - (self.leaves.count(s) if s == t else 0))


@dataclass(frozen=True)
class Overlap:
    """The overlap (or conjugate) of two species at a node; `node` None is a self-overlap."""

    node: str | None
    first: str
    second: str


@dataclass(frozen=True)
class ReplicaTree:
    """A tree, the small parameter of its multiplicities, and the names of its overlaps.

    Args:
        root: the tree.
        eps: the multiplicities are polynomials in it and the coefficient of its first power is the theory (n -> 0);
            None evaluates the tree at its multiplicities as they are, which is exact at integers.
        name: how an ansatz calls an overlap; called once per overlap and side ("", "_hat" is appended for conjugates).
    """

    root: Node
    eps: sp.Symbol | None
    name: Callable[[Overlap], str]

    def nodes(self) -> Iterator[tuple[Node, Node | None, sp.Expr]]:
        """(node, parent, copies of the node in all), root first."""

        def walk(node, parent, copies):
            yield node, parent, copies
            for child in node.children:
                yield from walk(child, node, copies * child.multiplicity)

        return walk(self.root, None, self.root.multiplicity)

    def coefficient(self, count: sp.Expr) -> sp.Expr:
        """What a count contributes to the theory: its first-order part in eps."""
        count = sp.expand(count)
        return count if self.eps is None else count.coeff(self.eps, 1)

    def overlaps(self) -> dict[Overlap, sp.Expr]:
        """Every overlap whose number of pairs is not identically zero, with its count (unordered pairs, copies).

        The question is asked of the symbolic count: with n = 0 put in first, n(n-1) pairs would be lost.
        """
        found: dict[Overlap, sp.Expr] = {}
        for node, _, copies in self.nodes():
            names = node.species()
            for i, s in enumerate(names):
                for t in names[i:]:
                    count = sp.expand(copies * node.pairs(s, t) * (sp.Rational(1, 2) if s == t else 1))
                    if count != 0:
                        found[Overlap(node.name, s, t)] = count
        for s in self.root.species():
            found[Overlap(None, s, s)] = sp.expand(self.root.multiplicity * self.root.copies(s) / 2)
        return found

    def symbol(self, overlap: Overlap, hat: bool = False) -> sp.Symbol:
        """The order parameter of an overlap, or its conjugate; a gauge when the overlap has no pairs."""
        return sp.Symbol(self.name(overlap) + ("_hat" if hat else ""), real=True)

    def order_parameters(self) -> dict[Overlap, sp.Expr]:
        """Overlaps that count in the limit, with the coefficient of their product with the conjugate."""
        found = {o: self.coefficient(c) for o, c in self.overlaps().items()}
        return {o: c for o, c in found.items() if c != 0}

    def trace(self) -> sp.Expr:
        """sum over pairs of Q_ab Qh_ab + 1/2 sum_a Q_aa Qh_aa; it enters the free entropy with a minus."""
        return sp.Add(*(c * self.symbol(o) * self.symbol(o, hat=True) for o, c in self.order_parameters().items()))
