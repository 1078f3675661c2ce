"""Averages whose mass lies on one side, or far out."""

import math
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.compile import Module, compile_theory
from numerics.solve import solve
from numerics.sweep import sweep
from replica.nodes import Flat, Gauss, Log2Cosh, LogAverage, Tilted
from replica.symbols import POSITIVE, REAL, Control, OrderParameter, control_symbol
from replica.theory import Start, Stationary, Theory

C = control_symbol("c")
S, H = sp.Dummy("s", real=True), sp.Dummy("h", real=True)
HALF, UNIT, OF_VARIANCE = Flat(S, 0, sp.oo), Gauss([H], [0], [[1]]), Gauss([H], [0], [[S]])

FALLING = {  # weights exp(-c s) on [0, inf), written in every way that the rewriting tells apart; all are 1
    "in the body": Tilted(C**2 * S * sp.exp(-C * S), 0, [HALF], normalised=True),
    "in the exponent": Tilted(C * S, -C * S, [HALF], normalised=False),
    "as a tilt of mass one": Tilted(C**2 * S, -C * S, [HALF], normalised=True),
    "of a log": C * sp.exp(LogAverage(-C * S, [HALF])),
    "of a variance": Tilted(C * sp.exp(-C * S) * C * H**2, 0, [HALF, OF_VARIANCE], normalised=True),
    "of a variance, tilted": Tilted(C * H**2, -C * S, [HALF, OF_VARIANCE], normalised=False),
    "with a kink": Tilted(C * sp.exp(-C * S) * sp.Abs(S - 1), 0, [HALF], normalised=True) / (1 - 1 / C + 2 * sp.exp(-C) / C),
    "under a field": Tilted(Tilted(C * S, -C * S, [HALF], normalised=False) * H**2, 0, [UNIT], normalised=True),
}
RISING = {  # a normal law with an integrand that grows, mass around c; all are 1
    "one way": Tilted(sp.exp(C * H - C**2 / 2), 0, [UNIT], normalised=True),
    "both ways": Tilted(sp.cosh(C * H) * sp.exp(-(C**2) / 2), 0, [UNIT], normalised=True),
    "of a log": sp.exp(LogAverage(Log2Cosh(C * H) - sp.log(2) - C**2 / 2, [UNIT])),
    "beyond a kink": 2 * Tilted(sp.exp(C * H - C**2 / 2) * sp.Heaviside(H - C), 0, [UNIT], normalised=True),
    "below a kink": 2 * Tilted(sp.exp(-C * H - C**2 / 2) * sp.Heaviside(-C - H), 0, [UNIT], normalised=True),
    "between kinks": 1 / sp.erf(1 / sp.sqrt(2)) * Tilted(
        sp.exp(C * H - C**2 / 2) * sp.Heaviside(H - C + 1) * sp.Heaviside(C + 1 - H), 0, [UNIT], normalised=True
    ),
}
BROAD = Tilted(sp.exp(C * H**2) * sp.Abs(H), 0, [UNIT], normalised=True)  # sqrt(2/pi)/(1 - 2 c), and none from c = 1/2 on


@cache
def module_of(value: sp.Expr, name: str) -> Module:
    x = sp.Symbol("X", real=True)
    unknown, start = OrderParameter(x, "average", REAL), Start("one", {x: sp.Float(0.5)})
    system = Stationary((unknown,), (value,), starts=(start,))
    return compile_theory(Theory("one average", name, (Control(C, 1.0, POSITIVE),), system, {"X": x}, {}, sp.S.Zero, {}))


@settings(max_examples=20, deadline=None)
@given(log_rate=st.floats(-3.0, 3.0))
def test_weights_that_fall_are_not_cut(log_rate):
    for form in FALLING:
        found = solve(module_of(FALLING[form], form), {"c": math.exp(log_rate)})[0]
        assert found.converged, (form, found.sentence)
        assert float(found["X"]) == pytest.approx(1, abs=1e-9), form


@settings(max_examples=20, deadline=None)
@given(c=st.floats(0.1, 16.0))
def test_integrands_that_rise_are_followed_to_their_mass(c):
    for form in RISING:
        found = solve(module_of(RISING[form], f"rising {form}"), {"c": c})[0]
        assert found.converged, (form, found.sentence)
        assert float(found["X"]) == pytest.approx(1, abs=1e-9), form


def test_a_kinked_integrand_as_broad_as_a_normal_law_three_times_wider():
    for c in (0.1, 0.4, 0.45):
        (found,) = solve(module_of(BROAD, "broad"), {"c": c})
        assert found.converged and float(found["X"]) == pytest.approx(math.sqrt(2 / math.pi) / (1 - 2 * c), rel=1e-10)


def test_mass_out_of_reach_is_a_status():
    for form, c in ((BROAD, 0.499), (BROAD, 0.51), (RISING["one way"], 40.0), (RISING["beyond a kink"], 40.0)):
        assert not solve(module_of(form, f"far {form}"), {"c": c})[0].converged


def test_mass_is_followed_where_only_a_control_moves_it():
    for form in ("one way", "beyond a kink"):
        data = sweep(module_of(RISING[form], f"rising {form}"), {"c": np.linspace(2, 16, 57)})
        np.testing.assert_allclose(data["X"].isel(solution=0), 1, rtol=1e-9, equal_nan=False)
