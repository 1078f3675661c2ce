"""Where branches stop and what is no event: ends that no step can pass, unknowns that vanish, zeros and crossings that are rounding."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

from benchmarks.hand_kernels import HandModule, kernel
from numerics.compile import compile_theory
from numerics.continuation import follow
from numerics.curve import Doubt
from numerics.equations import Equations
from numerics.lines import follow_event
from replica.derive import derive
from replica.spec import load
from replica.symbols import POSITIVE, Control, Domain, OrderParameter, control_symbol
from replica.theory import Start, Stationary, Theory
from tests.contracts import toys

C, D = control_symbol("c"), control_symbol("d")


def one_unknown(residual, values, domain: Domain, start: float, observables=(), control=POSITIVE, more=()) -> HandModule:
    x = OrderParameter(sp.Symbol("x", real=True), "unknown", domain)
    system = Stationary((x,), (x.symbol,), starts=(Start("one", {x.symbol: sp.Float(start)}),))
    controls = (Control(C, 0.5, control), *more)
    theory = Theory("toy", "toy-ends", controls, system, {"x": x.symbol}, {}, sp.S.Zero, dict.fromkeys(observables, x.symbol))
    return HandModule(theory, (), residual, values, toys.nothing, toys.no_probe)


@kernel
def parabola_residual(p, x, w, off, scr, out):
    out[0], out[1], out[2] = p[0] ** 2 + 0.6 - p[1], 2 * p[0], -1.0
    return 3


@kernel
def plain_values(p, x, w, off, scr, out):
    out[0], out[1] = -p[0], p[0]
    return 2


def test_a_branch_ends_where_the_domain_of_the_control_does():
    """A Parisi parameter up to 1, say: no step leads past it, and the branch is whole, found once."""
    upto = Domain(0.0, 1.0, closed_upper=True)
    found = follow(one_unknown(parabola_residual, plain_values, Domain(), 0.5, control=upto), {"c": (0.3, 1.0)})
    (branch,) = found.branches
    assert not branch.lost and all("c = 1 is the end of the range" in sentence for sentence in branch.ends)
    assert {round(float(one["x"]), 12) for one in (branch.points[0], branch.points[-1])} == {round(s * math.sqrt(0.4), 12) for s in (1, -1)}


def test_a_continuous_transition_loses_no_branch():
    """The overlap with a spike vanishes at snr = 1, where rounding hides the last of it."""
    found = follow(compile_theory(derive(load("spiked_wigner"))), {"snr": (0.3, 3.0)})
    (inner,) = [branch for branch in found.branches if not branch.at_end]
    assert not inner.lost and any("ran to the end of the domain at snr = 1.000000" in sentence for sentence in inner.ends), inner.ends
    assert min(one.at["snr"] for one in inner.points) == pytest.approx(1.0, abs=1e-6)


@kernel
def flat_residual(p, x, w, off, scr, out):
    out[0], out[1], out[2] = p[0] - p[1], 1.0, -1.0
    return 3


@kernel
def noisy_values(p, x, w, off, scr, out):
    out[0], out[1], out[2] = -p[0], p[0], 1e-15 * math.cos(40 * p[1])
    return 3


def test_an_observable_that_vanishes_all_along_has_no_zeros():
    """Complexity where Parisi parameters are extremized."""
    found = follow(one_unknown(flat_residual, noisy_values, Domain(), 0.5, ("complexity",)), {"c": (0.1, 2.0)})
    assert not found.special and not found.notes


@kernel
def unstable_values(p, x, w, off, scr, out):
    m, b, h = p[0], p[1], p[2]
    out[0], out[1], out[2] = math.log(2 * math.cosh(b * m + h)) - b * m * m / 2, m, -1.0
    return 3


def test_solutions_with_a_negative_replicon_cross_too():
    """Stability against breaking is another question than which solution of an ansatz wins: both sides say that they are unstable."""
    m = OrderParameter(sp.Symbol("m", real=True), "magnetisation", Domain(-1.0, 1.0))
    starts = {"up": (sp.Rational(9, 10),), "down": (sp.Rational(-9, 10),)}
    magnet = toys.theory("magnet", (m,), (Control(toys.B, 2.0, POSITIVE), Control(toys.H, 0.0)), starts)
    magnet = Theory(**{**magnet.__dict__, "observables": {"replicon": m.symbol}})
    found = follow(toys.module(magnet, toys.curie_weiss_residual, unstable_values), {"h": (-0.6, 0.6)}, {"b": 2.0})
    (crossing,) = found.events("transition")
    assert abs(crossing.at["h"]) < 1e-14 and [one.stable for one in crossing.solutions] == [False, False]


@kernel
def tilted_residual(p, x, w, off, scr, out):
    out[0], out[1], out[2], out[3] = p[0] - p[1], 1.0, -1.0, 0.0
    return 4


@kernel
def tilted_values(p, x, w, off, scr, out):
    out[0], out[1], out[2] = -p[0], p[0], p[0] + p[2] - 1.5
    return 3


def test_a_line_ends_where_the_domain_of_a_control_does():
    """Entropy x + d - 3/2, x = c, zero at c = 3/2 - d; d lies in (0, 1] and starts at 1."""
    more = (Control(D, 1.0, Domain(0.0, 1.0, closed_upper=True)),)
    module = one_unknown(tilted_residual, tilted_values, Domain(), 0.5, ("entropy",), more=more)
    (event,) = follow(module, {"c": (0.1, 2.0)}).special
    line = follow_event(module, event, {"c": (0.1, 2.0), "d": (0.2, 1.0)})
    assert sorted(line.ends) == ["d = 0.2 is the end of the range", "d = 1.0 is the end of the range"]
    for point in line.points:
        assert point["c"] == pytest.approx(1.5 - point["d"], abs=1e-13)


def test_results_take_the_nodes_of_equations_that_need_fewer():
    large, small = (Equations(compile_theory(derive(load("bayes_sign")))) for _ in range(2))
    large.enlarge()
    p = np.array([*(0.5 for _ in range(large.n)), *(1.0 for _ in range(large.c))])
    small.choose(p)
    large.take(small)
    np.testing.assert_array_equal(large.values(p)[0], small.values(p)[0])


def test_doubling_is_given_up_where_it_moves_rounding():
    heard = Doubt()
    for moved in (3e-9, 2e-9, 2.5e-9, 1.8e-9):
        assert not heard.vain
        heard.hear((0, 1), moved, 1e-10)
    assert heard.vain
    for moved, rounding in ((0.4e-9, 1e-10), (1e-3, 1e-10)):  # halved, or far above rounding
        one = Doubt()
        for _ in range(6):
            one.hear((0, 1), moved, rounding)
            moved *= 0.45 if rounding * 100 > moved else 1.0
        assert not one.vain


@pytest.mark.slow
def test_followed_over_its_own_range_the_sk_model_has_one_branch_and_no_events():
    found = follow(compile_theory(derive(load("sk"))), {"beta": (1.1, 4.0)})
    assert len(found.branches) == 1 and not found.special and not found.notes and not found.branches[0].lost


@pytest.mark.slow
def test_free_entropies_that_are_one_do_not_cross():
    """At x = 1 the states of the p-spin model weigh as much as the paramagnet, at any temperature."""
    found = follow(compile_theory(derive(load("pspin"))), {"beta": (1.2, 2.0)})
    assert {one.kind for one in found.special} == {"fold", "replicon", "complexity_zero", "entropy_zero"}


@kernel
def touching_residual(p, x, w, off, scr, out):
    out[0], out[1] = p[0] - p[2] ** 2, p[1] - 1
    out[2], out[3], out[4], out[5] = 1.0, 0.0, 0.0, 1.0
    out[6], out[7] = -2 * p[2], 0.0
    return 8


@kernel
def touching_inside(p, x, w, off, scr, out):
    out[0] = p[0] - p[1] + 1
    return 1


@kernel
def touching_values(p, x, w, off, scr, out):
    out[0], out[1], out[2] = -p[0], p[0], p[1]
    return 3


def test_a_curve_that_touches_the_end_of_its_domain_goes_on():
    """x = c^2, y = 1 where x > y - 1, as a variance that vanishes where a probe is like its reference: a straight step leads outside."""
    x, y = (OrderParameter(sp.Symbol(name, real=True), "unknown", Domain()) for name in "xy")
    start = Start("one", {x.symbol: sp.S.Half, y.symbol: sp.S.One})
    system = Stationary((x, y), (x.symbol, y.symbol), constraints=(x.symbol - y.symbol + 1,), starts=(start,))
    controls = (Control(C, 0.5, Domain()),)
    theory = Theory("touching", "toy-touching", controls, system, {"x": x.symbol, "y": y.symbol}, {}, sp.S.Zero, {})
    module = HandModule(theory, (), touching_residual, touching_values, touching_inside, toys.no_probe)
    (branch,) = follow(module, {"c": (-1.0, 0.9)}).branches
    assert not branch.lost and {round(one.at["c"], 12) for one in (branch.points[0], branch.points[-1])} == {-1.0, 0.9}
