"""Equations that are solved in turn, levels that are one, integrals that vanish, and work that has an end."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import sympy as sp

from numerics import solve as solving
from numerics.attempts import in_turn
from numerics.blocks import blocks, part
from numerics.compile import compile_theory
from numerics.outcome import TOLERANCE
from numerics.problem import Problem
from numerics.recursion import run
from numerics.solve import solve
from numerics.status import CODES, Status
from replica.derive import derive
from replica.nodes import Gauss, average
from replica.spec import Spec
from replica.symbols import POSITIVE, REAL, Control, OrderParameter, control_symbol
from replica.theory import Recursion, Start, Stationary, Theory

a, h = control_symbol("a"), control_symbol("h")
x, y, z, w = sp.symbols("x y z w", real=True)


FIELD = Control(h, 0.2)


def stationary(equations, starts, controls=(FIELD,), domain=REAL, kind=Stationary, **more) -> Theory:
    unknowns = tuple(OrderParameter(symbol, symbol.name, domain) for symbol in equations)
    system = kind(unknowns, tuple(equations.values()), starts=starts, **more)
    return Theory("turns", "turns", controls, system, {u.name: u.symbol for u in unknowns}, {}, sp.S.Zero, {})


def guided() -> Theory:
    """y and z read x and w, which read only one another."""
    equations = {y: z / 2 + x, x: sp.tanh(2 * w + h), z: sp.cos(y) * w, w: x}
    return stationary(equations, (Start("one", {x: sp.S.Half, w: sp.S.Half, y: sp.S.Zero, z: sp.S.One}),))


def test_blocks_come_before_those_that_read_them():
    assert blocks(guided().system) == ((x, w), (y, z))
    chain = stationary({x: y, y: z + x, z: sp.cos(z)}, ())
    assert blocks(chain.system) == ((z,), (x, y))


def test_a_block_is_a_theory_whose_controls_are_the_unknowns_before_it():
    later = part(guided(), (y, z), frozenset({x, w}))
    assert [u.name for u in later.system.unknowns] == ["y", "z"]
    assert [c.name for c in later.controls] == ["h", "x", "w"] and [c.name for c in later.missing] == ["x", "w"]
    assert later.system.starts[0].values == {y: sp.S.Zero, z: sp.S.One}


def test_blocks_in_turn_lead_to_the_solutions_of_the_whole():
    problem = Problem(compile_theory(guided()))
    (found,), failed = in_turn(problem, {"h": 0.2}, ("one",), TOLERANCE, many=True)
    (whole,) = solve(problem.module, {"h": 0.2})
    assert found.status is Status.CONVERGED and not failed
    for name, value in whole.unknowns.items():
        assert found.unknowns[name] == pytest.approx(value, rel=1e-11)


def test_an_integral_that_vanishes_but_for_rounding_is_integrated():
    t = sp.Dummy("t", real=True)
    nothing = average(sp.cos(t) ** 2 + sp.sin(t) ** 2 - 1, Gauss([t], [0], [[1]]))
    (found,) = solve(compile_theory(stationary({x: average(sp.cos(x + t), Gauss([t], [0], [[1]])), y: nothing}, _at_zero(x, y))), {})
    assert found.status is Status.CONVERGED and abs(found["y"]) < 1e-14
    assert found["x"] == pytest.approx(math.exp(-0.5) * math.cos(found["x"]), abs=1e-13)


def _at_zero(*symbols: sp.Symbol) -> tuple[Start, ...]:
    return (Start("zero", dict.fromkeys(symbols, sp.Float(0.1))),)


def test_a_march_stops_where_its_evaluations_are_used_up():
    t = sp.Dummy("t", real=True)
    module = compile_theory(stationary({x: average(sp.tanh(2 * x + t + h), Gauss([t], [0], [[1]]))}, _at_zero(x)))
    free, bounded = Problem(module, np.full(1, 1e9)), Problem(module, np.full(1, 100.0))
    points, start = np.array([[0.2]]), np.array([[0.1]])
    assert CODES[free.march(points, start, TOLERANCE).status[0]] is Status.CONVERGED
    assert 0 < 1e9 - free.left[0] < 1e6
    march = bounded.march(points, start, TOLERANCE)
    assert CODES[march.status[0]] is Status.EXHAUSTED and bounded.exhausted


def test_a_point_that_takes_too_much_says_so(monkeypatch):
    t = sp.Dummy("t", real=True)
    module = compile_theory(stationary({x: average(sp.tanh(2 * x + t + h), Gauss([t], [0], [[1]]))}, _at_zero(x)))
    monkeypatch.setattr(solving, "WORK", 100.0)
    (failed,) = solve(module, {"h": 0.2})
    assert failed.status is Status.EXHAUSTED and "evaluations" in failed.sentence


def test_a_recursion_whose_overlap_is_no_number_says_so():
    """The half without averages: sqrt(1 - a) for a > 1."""
    theory = stationary(
        {x: sp.sqrt(y) + sp.sqrt(1 - a), y: x**2}, (Start("start", {x: sp.S.One, y: sp.S.One}),), (Control(a, 0.5),), POSITIVE, Recursion,
        conjugates=(y,), steps=sp.Integer(3),
    )
    theory = dataclasses.replace(theory, conjugates={"y": y}, order_parameters={"x": x})
    module = compile_theory(theory)
    assert run(module, {"a": 0.5}).status is Status.RUNNING
    assert run(module, {"a": 2.0}).status is Status.NON_FINITE


LOCAL = """
format = 1
name = "local entropy"
[student]
protocol = {{ kind = "gibbs", beta = inf }}
prior    = "binary"
loss     = {{ kind = "theta", margin = 0 }}
ensemble = {{ kind = "franz_parisi", overlap = "1 - 2*distance" }}
[ansatz]
kind = {ansatz}
[controls]
alpha    = {{ value = 0.5, domain = "(0, inf)" }}
distance = {{ value = 0.1, domain = "(0, 1)" }}
{more}
"""
PARISI = 'x = { value = 0.5, domain = "(0, 1)" }'


@pytest.mark.slow
def test_the_theory_with_a_level_less_is_that_of_replica_symmetry():
    one = derive(Spec.from_toml(LOCAL.format(ansatz='"rsb"\nk = 1\nx = "x"', more=PARISI)))
    coarser = one.coarser()
    assert [c.name for c in coarser.controls] == ["alpha", "distance"]
    assert [len(block) for block in blocks(one.system)] == [4, 7] and [len(block) for block in blocks(coarser.system)] == [2, 5]
    known = {u.symbol for u in coarser.system.unknowns}
    assert all(e.free_symbols <= known for e in map(sp.sympify, one.system.merged.values.values()))


@pytest.mark.slow
@pytest.mark.parametrize("parisi", [0.3, 0.8])
def test_local_entropy_where_levels_are_one_is_that_of_replica_symmetry(parisi):
    """Solutions of the binary perceptron at alpha = 1/2 are isolated: no states, whatever weight these are given."""
    (broken,) = solve(compile_theory(derive(Spec.from_toml(LOCAL.format(ansatz='"rsb"\nk = 1\nx = "x"', more=PARISI)))), {"x": parisi})
    (whole,) = solve(compile_theory(derive(Spec.from_toml(LOCAL.format(ansatz='"rs"', more="")))), {})
    assert broken.status is Status.AT_END and "levels of the ansatz are one" in broken.sentence
    assert "q1[reference,reference] - q0[reference,reference] = 0" in broken.note
    for name in ("local_entropy", "entropy", "free_entropy", "replicon"):
        assert broken[name] == pytest.approx(whole[name], abs=1e-9)
    assert broken["complexity"] == pytest.approx(0.0, abs=1e-10)
