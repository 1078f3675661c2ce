"""The replica-symmetric tree of one learner, with or without a teacher: names and the two functionals."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.families.model import STUDENT, TEACHER
from replica.nodes import Flat
from replica.tree import Functional, Node, Overlap, ReplicaTree, Side, Term

n = sp.Symbol("n")

M = Overlap("root", TEACHER, STUDENT)
Q = Overlap("root", STUDENT, STUDENT)
Q_SELF = Overlap(None, STUDENT, STUDENT)
RHO = Overlap(None, TEACHER, TEACHER)
GAUGE = Overlap("root", TEACHER, TEACHER)

_LETTERS = {TEACHER: "h_star", STUDENT: "h"}
_NAMES = {M: "m", Q: "q", Q_SELF: "Q", RHO: "rho_0", GAUGE: "g"}


@dataclass(frozen=True)
class ReplicaSymmetric:
    """Root: the teacher (if any) and n copies of the student."""

    tree: ReplicaTree
    energetic: Term
    entropic: Functional
    label: sp.Symbol

    def symbol(self, overlap: Overlap, hat: bool = False) -> sp.Symbol:
        return self.tree.symbol(overlap, hat)

    def teacher_field(self, side: Side) -> sp.Symbol:
        terms = self.energetic if side is Side.ENERGETIC else self.entropic
        return terms.field(self.tree.root, TEACHER)

    def student_field(self, side: Side) -> sp.Symbol:
        terms = self.energetic if side is Side.ENERGETIC else self.entropic
        return terms.field(self.tree.root, STUDENT)


def replica_symmetric(teacher: bool, replicas: sp.Expr = n, eps: sp.Symbol | None = n) -> ReplicaSymmetric:
    """The tree; with `eps` None and an integer number of replicas its averages are exact."""
    root = Node("root", leaves=(TEACHER,) if teacher else (), children=(Node("replica", sp.sympify(replicas), (STUDENT,)),))
    tree = ReplicaTree(root, eps, _NAMES.__getitem__)
    y = sp.Dummy("y", real=True)
    energetic = Functional(tree, Side.ENERGETIC, root_measures=(Flat(y, -sp.oo, sp.oo),), extra=(y,), normalised=True, letters=_LETTERS)
    entropic = Functional(tree, Side.ENTROPIC, normalised=True, letters=_LETTERS)
    return ReplicaSymmetric(tree, energetic, entropic, y)
