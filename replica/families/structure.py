"""From learners and an ansatz to replica trees: who is copied how often, level by level.

A level is one replica limit: the learners of the first stage are copied n -> 0 times; a later learner stands on one copy of the
reference, s -> 0 times, and is stationary for its own part of the free entropy alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from replica.families.model import TEACHER
from replica.nodes import Flat
from replica.tree import Functional, Node, Overlap, ReplicaTree, Side, Term

n, s = sp.symbols("n s")


@dataclass(frozen=True)
class Member:
    """A learner as it stands in the tree.

    Args:
        name: the species.
        copies: real replicas of it in one replica of the system.
        silent: whether it reads no samples (a centre that only gathers others).
    """

    name: str
    copies: sp.Expr = sp.S.One
    silent: bool = False


@dataclass(frozen=True)
class Level:
    """One replica limit: its tree, both functionals, and the overlaps that are stationary in it."""

    tree: ReplicaTree
    energetic: Term
    entropic: Functional
    own: tuple[Overlap, ...]

    def functional(self, side: Side) -> Term:
        return self.energetic if side is Side.ENERGETIC else self.entropic


@dataclass(frozen=True)
class Structure:
    """All levels of a static theory, with one set of names and one label."""

    teacher: bool
    members: tuple[Member, ...]
    levels: tuple[Level, ...]
    label: sp.Symbol
    vanishing: frozenset[Overlap] = frozenset()  # overlaps that are zero by symmetry, with their conjugates

    @cached_property
    def known(self) -> frozenset[Overlap]:
        """Overlaps that are order parameters of some level; any other one is a gauge."""
        return frozenset(o for level in self.levels for o in level.own)

    def chain(self, species: str) -> list[Overlap]:
        """The overlaps of a species with other copies of itself, from the root inwards, then its length."""
        found: dict[str, Overlap] = {}
        for level in self.levels:
            for overlap in level.own:
                if (overlap.first, overlap.second) == (species, species) and overlap.node is not None:
                    found.setdefault(level.tree.name(overlap), overlap)
        return [*(o for o in found.values() if o not in self.vanishing), Overlap(None, species, species)]

    def gauges(self, level: Level) -> Iterator[tuple[Node, str]]:
        """(node, species) where a species stands once, so that its overlap with itself there is free."""
        names = {level.tree.name(o) for o in self.known}
        for node, _, _ in level.tree.nodes():
            for species in node.species():
                alone = node.name != "root" and not node.children and len(node.leaves) == 1
                if not alone and level.tree.name(Overlap(node.name, species, species)) not in names:
                    yield node, species


def replicated(
    teacher: bool, members: tuple[Member, ...], steps: tuple[sp.Expr, ...] = (), probes: tuple[Member, ...] = (), named: bool = False
) -> Structure:
    """The trees of learners trained together, and of probes around one of their copies.

    Args:
        teacher: whether a teacher stands at the root.
        members: learners of the first stage; one replica of the system holds all of them.
        steps: Parisi parameters, outermost first; empty for replica symmetry.
        probes: learners of a second stage, on one copy of the (only) first learner, which may stand in real replicas.
        named: whether overlaps carry their learner's name although it stands alone.
    """
    at_root = (TEACHER,) if teacher else ()
    root = Node("root", leaves=at_root, children=(_nested(n, steps, members),))
    roots = [root]
    if probes:
        (reference,) = members
        roots.append(Node("root", leaves=at_root, children=_hosted(sp.S.Zero, steps, reference, probes)))
    name = Names(tuple(roots), several=named or len(members) + len(probes) > 1)
    label = sp.Dummy("y", real=True)
    silent = frozenset(m.name for m in (*members, *probes) if m.silent)
    levels: list[Level] = []
    seen: set[str] = set()
    for tree_root, eps in zip(roots, (n, s), strict=False):
        tree = ReplicaTree(tree_root, eps, name)
        energetic = Functional(
            tree, Side.ENERGETIC, silent, root_measures=(Flat(label, -sp.oo, sp.oo),), extra=(label,), normalised=True, letters=_LETTERS
        )
        entropic = Functional(tree, Side.ENTROPIC, normalised=True, letters=_LETTERS)
        own = tuple(o for o in tree.order_parameters() if name(o) not in seen)
        seen |= {name(o) for o in own}
        levels.append(Level(tree, energetic, entropic, own))
    return Structure(teacher, (*members, *probes), tuple(levels), label)


_LETTERS = {TEACHER: "h_star"}


def _block(name: str, copies: sp.Expr, members: tuple[Member, ...]) -> Node:
    """One replica of the system: learners that stand once are its leaves, copied ones its children."""
    if len(members) == 1 and members[0].copies != 1:  # y real replicas and nobody to gather them
        return Node(name, copies, (), (_copied(members[0]),))
    return Node(name, copies, tuple(m.name for m in members if m.copies == 1), tuple(_copied(m) for m in members if m.copies != 1))


def _copied(member: Member) -> Node:
    return Node(f"copies_{member.name}", member.copies, (member.name,))


def _nested(copies: sp.Expr, steps: tuple[sp.Expr, ...], members: tuple[Member, ...], depth: int = 1) -> Node:
    """Groups within groups: n/x1 states of x1/x2 states of ... of x_k replicas."""
    if not steps:
        return _block("replica", copies, members)
    x, *rest = steps
    return Node(f"level{depth}", copies / x, (), (_nested(x, tuple(rest), members, depth + 1),))


def _hosted(copies: sp.Expr, steps: tuple[sp.Expr, ...], reference: Member, probes: tuple[Member, ...], depth: int = 1) -> tuple[Node, ...]:
    """The reference's own tree, one path of it singled out, with probes on the copy at its end."""
    if not steps:
        host = Node("host", sp.S.One, (reference.name,), (_block("probe", s, probes),))
        if reference.copies == 1:
            return (Node("replica", copies - 1, (reference.name,)), host)
        others = replace(_copied(reference), multiplicity=reference.copies - 1)
        return (_block("replica", copies - 1, (reference,)), Node("replica_host", sp.S.One, (), (others, host), "replica"))
    x, *rest = steps
    plain = Node(f"level{depth}", copies / x - 1, (), (_nested(x, tuple(rest), (reference,), depth + 1),))
    return (plain, Node(f"level{depth}_host", sp.S.One, (), _hosted(x, tuple(rest), reference, probes, depth + 1), f"level{depth}"))


class Names:
    """How overlaps are called: m with the teacher, q (q0, q1, ... from the root inwards) between copies, Q for lengths."""

    def __init__(self, roots: tuple[Node, ...], several: bool) -> None:
        self.several = several
        self.depth: dict[tuple[str, str, str], int] = {}
        self.deep: dict[tuple[str, str], int] = {}
        for root in roots:
            self._walk(root, {})

    def _walk(self, node: Node, above: dict[tuple[str, str], int]) -> None:
        if node.name != "root" and not node.children and len(node.leaves) == 1:
            return
        here = dict(above)
        species = node.species()
        for a in species:
            for b in species:
                here[a, b] = above.get((a, b), -1) + 1
                self.depth[node.name, a, b] = here[a, b]
                if a != b or node.copies(a) != 1:
                    self.deep[a, b] = max(self.deep.get((a, b), 0), here[a, b])
        for child in node.children:
            self._walk(child, here)

    def __call__(self, overlap: Overlap) -> str:
        a, b = overlap.first, overlap.second
        if TEACHER in (a, b):
            if a == b:
                return "rho_0" if overlap.node is None else "g"
            other = b if a == TEACHER else a
            return f"m[{other}]" if self.several else "m"
        brackets = f"[{a},{b}]" if self.several else ""
        if overlap.node is None:
            return f"Q[{a}]" if self.several else "Q"
        depth, deepest = self.depth[overlap.node, a, b], self.deep.get((a, b), -1)
        if depth > deepest:  # a copy that stands alone there
            return f"g{depth}{brackets}"
        return f"q{depth if deepest else ''}{brackets}"

    def place(self, overlap: Overlap) -> int:
        """How deep below the root two copies part."""
        assert overlap.node is not None
        return self.depth[overlap.node, overlap.first, overlap.second]

    def fewer(self, overlap: Overlap, depth: int) -> str:
        """What copies of the same two species that part at a depth are called where there is a level less."""
        brackets = f"[{overlap.first},{overlap.second}]" if self.several else ""
        return f"q{depth if self.deep[overlap.first, overlap.second] > 1 else ''}{brackets}"
