"""Variables that averages and proximal nodes bind are their own, whatever name they have outside."""

import sympy as sp

from numerics.reads import free
from numerics.rewrite.walk import substitute
from replica.nodes import Gauss, LogAverage, LogH, Prox, Tilted

x, y, a = sp.symbols("x y a", real=True)


def test_a_variable_bound_inside_is_not_replaced():
    inner = LogAverage(LogH(x + y), [Gauss([x], [0], [[a]])])
    done = substitute(x + inner, {x: sp.Integer(2)})
    assert free(done) == {y, a}
    (node,) = done.atoms(LogAverage)
    (bound,) = node.bound
    assert node.exponent == LogH(bound + y) and bound != x


def test_a_mean_may_read_the_outer_variable_of_the_same_name():
    inner = Tilted(x, LogH(x), [Gauss([x], [a * x], [[1]])])
    done = substitute(x * inner, {x: y})
    assert free(done) == {y, a}
    (node,) = done.atoms(Tilted)
    (bound,) = node.bound
    assert node.body == bound and node.measures[0].means[0] == a * y


def test_replaced_parameters_reach_the_inside():
    inner = Tilted(x * a, LogH(a * x), [Gauss([x], [y], [[a]])])
    done = substitute(inner, {a: sp.Integer(3), y: sp.Integer(5)})
    assert done == Tilted(3 * x, LogH(3 * x), [Gauss([x], [5], [[3]])])


def test_the_point_of_a_loss_is_bound():
    done = substitute(x + Prox(sp.Abs(x), x, a, x), {x: y})
    assert free(done) == {y, a}
    (node,) = done.atoms(Prox)
    assert node.h == y and node.loss == sp.Abs(node.u) and node.u != y
