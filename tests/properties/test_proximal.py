"""Proximal points and Moreau envelopes of the node language, evaluated by the slow oracle, against their defining properties."""

import mpmath
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.oracle import evaluate
from replica.losses import Absolute, Exponential, Hinge, Huber, Logistic, Square
from replica.nodes import Moreau, Prox, ProxSlope
from replica.regularizers import L1, ElasticNet

FEW = settings(max_examples=4, derandomize=True, deadline=None, database=None)
u, chi, h = sp.Dummy("u", real=True), sp.Symbol("chi", positive=True), sp.Symbol("h", real=True)
FIELD = st.integers(-40, 40).map(lambda k: k / 10)
RESPONSE = st.integers(1, 40).map(lambda k: k / 10)

ENERGIES = {
    "square": Square().bind({}).formula(sp.S.One, u),
    "logistic": Logistic().bind({}).formula(sp.S.One, u),
    "hinge": Hinge().bind({}).formula(sp.S.One, u),
    "exponential": Exponential().bind({}).formula(sp.S.One, u),
    "absolute": Absolute().bind({}).formula(sp.S.One, u),
    "huber": Huber(delta=0.5).bind({}).formula(sp.S.One, u),
    "l1": L1(strength=0.7).bind({}).formula(u),
    "elastic_net": ElasticNet(l1=0.3, ridge=0.4).bind({}).formula(u),
    "root": sp.sqrt(1 + u**2),
}


def number(node, width: float, field: float) -> float:
    return float(evaluate(node, {chi: sp.Rational(str(width)), h: sp.Rational(str(field))}, 20))


def energy(name: str, point: float) -> float:
    return float(ENERGIES[name].xreplace({u: sp.Float(point, 25)}).evalf(20))


@pytest.mark.parametrize("name", ENERGIES)
@given(width=RESPONSE, field=FIELD, other=FIELD)
@FEW
def test_firmly_non_expansive(name, width, field, other):
    """(p - p')(x - x') >= (p - p')^2, and its slope lies in [0, 1]."""
    node = Prox(ENERGIES[name], u, chi, h)
    p, q = number(node, width, field), number(node, width, other)
    assert (p - q) * (field - other) >= (p - q) ** 2 - 1e-12
    slope = number(ProxSlope(ENERGIES[name], u, chi, h), width, field)
    assert -1e-12 <= slope <= 1 + 1e-12


@pytest.mark.parametrize("name", ENERGIES)
@given(width=RESPONSE, field=FIELD)
@FEW
def test_the_envelope_is_the_least_value(name, width, field):
    """Below the energy itself, below the objective at points nearby, and attained at the proximal point."""
    value = number(Moreau(ENERGIES[name], u, chi, h), width, field)
    point = number(Prox(ENERGIES[name], u, chi, h), width, field)
    assert value <= energy(name, field) + 1e-12
    assert value == pytest.approx((point - field) ** 2 / (2 * width) + energy(name, point), abs=1e-12)
    for step in (-0.5, -1e-3, 1e-3, 0.5):
        assert value <= (point + step - field) ** 2 / (2 * width) + energy(name, point + step) + 1e-12


@pytest.mark.parametrize("name", ["logistic", "exponential", "root", "huber"])
@given(width=RESPONSE, field=FIELD)
@FEW
def test_derivatives_of_the_envelope(name, width, field):
    """By the node's own rules: dM/dh = (h - prox)/chi and dM/dchi = -(dM/dh)^2/2, against difference quotients."""
    node = Moreau(ENERGIES[name], u, chi, h)
    at = {chi: sp.Rational(str(width)), h: sp.Rational(str(field)) + sp.Rational(1, 777)}
    step = sp.Rational(1, 10**8)
    for symbol in (h, chi):
        exact = evaluate(node.diff(symbol), at, 30)
        up, down = (evaluate(node, {**at, symbol: at[symbol] + s}, 30) for s in (step, -step))
        assert abs(exact - (up - down) / (2 * mpmath.mpf(str(float(step))))) < 1e-9
