"""The replica tree: counts, nested averages, gradients."""

from replica.tree.functional import Functional, Jet
from replica.tree.leaf import Leaf, Side
from replica.tree.term import Term
from replica.tree.tree import Node, Overlap, ReplicaTree

__all__ = ["Functional", "Jet", "Leaf", "Node", "Overlap", "ReplicaTree", "Side", "Term"]
