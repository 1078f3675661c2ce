"""The replica tree: counts, and its two gradients, which must be the same expression.

The universal gradient is made of products of scores; the other one differentiates the nested average by the heat rule.
They share the leaves and nothing else.
"""

import pytest
import sympy as sp

from replica.nodes.averages import distribute
from replica.tree import Functional, Node, Overlap, ReplicaTree, Side

n, x, y, z = sp.symbols("n x y_real z", positive=True)


def named(root):
    return ReplicaTree(root, n, lambda o: f"Q_{o.node}_{o.first}_{o.second}")


def k_rsb(k):
    """Teacher at the root and k levels of states, Parisi parameters x1, x2, ..."""
    parameters = sp.symbols(f"x1:{k + 1}", positive=True)
    node = Node("leaf", parameters[-1] if k else n, ("student",))
    for level in range(k, 0, -1):
        above = parameters[level - 2] if level > 1 else None
        node = Node(f"level{level}", (above if above is not None else n) / parameters[level - 1], (), (node,))
    return named(Node("root", leaves=("teacher",), children=(node,)))


TREES = {
    "rs": k_rsb(0),
    "1rsb": k_rsb(1),
    "2rsb": k_rsb(2),
    "storage": named(Node("root", children=(Node("replica", n, ("student",)),))),
    "robust": named(Node("root", children=(Node("group", n, ("centre",), (Node("copy", y, ("student",)),)),))),
    "coupled": named(Node("root", leaves=("teacher",), children=(Node("pair", n, ("one", "two")),))),
}


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("side", Side)
def test_universal_gradient_is_the_heat_rule(name, side):
    tree = TREES[name]
    terms = Functional(tree, side)
    value = terms.log_integral()
    for overlap in tree.order_parameters():
        difference = terms.gradient(overlap) - value.diff(tree.symbol(overlap, hat=side is Side.ENTROPIC))
        assert distribute(difference) == 0, overlap


def test_trace_of_one_step():
    tree = TREES["1rsb"]
    q0, q1 = Overlap("root", "student", "student"), Overlap("level1", "student", "student")
    own = Overlap(None, "student", "student")
    counts = tree.order_parameters()
    x1 = sp.Symbol("x1", positive=True)
    assert counts[own] == sp.Rational(1, 2)
    assert sp.expand(counts[q1] - (x1 - 1) / 2) == 0
    assert sp.expand(counts[q0] + x1 / 2) == 0


@pytest.mark.parametrize("name", TREES)
def test_pairs_add_up(name):
    """Over all nodes, ordered pairs of distinct leaves of one species number N (N - 1)."""
    tree = TREES[name]
    for s in tree.root.species():
        total = sum(copies * node.pairs(s, s) for node, _, copies in tree.nodes())
        count = tree.root.copies(s)
        assert sp.expand(total - count * (count - 1)) == 0


def test_teacher_overlap_is_a_gauge():
    own = Overlap("root", "teacher", "teacher")
    assert own not in TREES["rs"].overlaps()
    assert Overlap("root", "teacher", "student") in TREES["rs"].order_parameters()
