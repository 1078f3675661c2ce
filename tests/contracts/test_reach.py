"""Where no start leads to a solution: continued from an easy point, lost with its last good point, or a condition that is never met."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import sympy as sp

from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.status import Status
from numerics.sweep import sweep
from replica.derive import derive
from replica.spec import Spec
from replica.symbols import POSITIVE, Control, OrderParameter
from tests.contracts import toys

NARROW = 0.3  # equations of the toys are finite only this near to the solution


@toys.kernel
def growing_residual(p, x, w, off, scr, out):
    root = math.exp(p[1])
    out[0] = p[0] - root if abs(p[0] - root) < NARROW else math.nan
    out[1], out[2] = 1.0, -root
    return 3


@toys.kernel
def ending_residual(p, x, w, off, scr, out):
    root = 1 - p[1]
    out[0] = p[0] - root if abs(p[0] - root) < NARROW else math.nan
    out[1], out[2] = 1.0, 1.0
    return 3


def toy(residual, easy):
    """One unknown, one control; the start is right at c = 0."""
    x = OrderParameter(sp.Symbol("x", real=True), "overlap", POSITIVE)
    bare = toys.theory("narrow", (x,), (Control(toys.C, 0.0),), {"one": (1,)})
    way = ({toys.C: sp.S.Zero},) if easy else ()
    starts = tuple(dataclasses.replace(s, easy=way) for s in bare.system.starts)
    theory = dataclasses.replace(bare, system=dataclasses.replace(bare.system, starts=starts))
    return toys.module(theory, residual, toys.first_value)


def test_a_solution_far_from_the_start_is_continued_from_where_it_is_easy():
    for easy in (True, False):  # without a word from the theory, from the control's own value
        (found,) = solve(toy(growing_residual, easy), {"c": 2.0})
        assert found.status is Status.CONVERGED and found["x"] == pytest.approx(math.exp(2), rel=1e-12)


def test_a_lost_branch_keeps_its_last_good_point_and_names_what_ends():
    lost = solve(toy(ending_residual, easy=True), {"c": 1.7})[0]
    assert lost.status is Status.LOST and not lost.converged and lost.at == {"c": 1.7}
    assert 0.9 < lost.reached["c"] < 1 and lost.order_parameters["x"] == pytest.approx(1 - lost.reached["c"], abs=1e-12)
    assert "continued from c = 0" in repr(lost) and "where x runs to the end of the domain" in repr(lost)


def test_a_sweep_reaches_every_point_that_solve_reaches():
    values = [3.0, 2.5, 2.0, -1.0]
    data = sweep(toy(growing_residual, easy=True), {"c": values})
    np.testing.assert_allclose(data["x"].isel(solution=0), np.exp(values), rtol=1e-12, equal_nan=False)


def capacity(condition: str, value: float):
    text = f"""
format = 1
name = "where a condition is met"

[student]
protocol = {{ kind = "gibbs", beta = inf }}
prior = "binary"
loss = "theta"

[controls]
alpha = {{ solve = "{condition}", value = {value}, domain = "(0, inf)" }}
"""
    return compile_theory(derive(Spec.from_toml(text)))


def test_a_condition_that_is_never_met_says_so():
    (failed, *_) = solve(capacity("entropy = 1", 0.5))  # more than log 2
    assert failed.status is Status.UNMET and not failed.converged
    assert "the condition on alpha is off by" in failed.sentence


def test_a_control_far_from_where_its_condition_is_met_is_moved_there():
    (found, *_) = solve(capacity("entropy = 0", 0.1))
    assert found.converged and found["alpha"] == pytest.approx(0.8330785997395792337, abs=1e-10)
