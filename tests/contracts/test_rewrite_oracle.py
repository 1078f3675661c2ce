"""Rewritten averages against the oracle, which evaluates the same nodes from their definitions."""

import math
import sys
from pathlib import Path

import pytest
import sympy as sp

sys.path[:0] = [str(Path(__file__).parent)]

from program_numbers import Numbers  # noqa: E402

from numerics.oracle import evaluate  # noqa: E402
from numerics.rewrite import RewriteError, rewrite  # noqa: E402
from replica.nodes import (  # noqa: E402
    Counting,
    Discrete,
    Flat,
    Gauss,
    LogAverage,
    LogH,
    Moreau,
    Prox,
    ProxSlope,
    Softplus,
    Tilted,
    average,
)
from replica.symbols import POSITIVE, Control  # noqa: E402
from replica.theory import Stationary, Theory  # noqa: E402

q, qh, b, m, chi, y, h = sp.symbols("q qh b m chi y h", real=True)
v, w, u, k, label, second = (sp.Dummy(n, real=True) for n in ("v", "w", "u", "k", "y", "z"))
CONTROLS = tuple(Control(s, 0.5, POSITIVE) for s in (q, qh, b, chi))
AT = {q: "0.6", qh: "2.3", b: "0.7", m: "0.3", chi: "0.8", y: "1", h: "0.7"}
FIELD = Gauss([v], [h], [[q]])
LINE = Flat(w, -sp.oo, sp.oo)


def theory(*expressions):
    return Theory("test", "test", CONTROLS, Stationary((), ()), {}, {}, sp.S.Zero, {f"e{i}": e for i, e in enumerate(expressions)})


def agree(*expressions, at=AT, digits=13, panels=60, tolerance=1e-11):
    program = rewrite(theory(*expressions))
    values = Numbers(program, panels)([program.values[f"e{i}"] for i in range(len(expressions))], at)
    for value, expression in zip(values, expressions, strict=True):
        exact = float(evaluate(expression, at, digits))
        assert value == pytest.approx(exact, rel=tolerance, abs=tolerance)
    return program


def both(exponent, *measures, body=v):
    return LogAverage(exponent, measures), Tilted(body, exponent, measures)


@pytest.mark.parametrize("place", ["0.7", "-13.1"])
@pytest.mark.parametrize(
    "log_density",
    [-sp.Abs(w) / b - sp.log(2 * b), -(w**4), -sp.log(1 + w**2) * 2, sp.log(sp.exp(-(w**2)) + sp.exp(-((w - 2) ** 2)))],
    ids=["laplace", "quartic", "student", "two bumps"],
)
def test_explicit_density(log_density, place):
    agree(*both(log_density - qh * w**2 / 2 + h * w, LINE, body=w), at=AT | {h: place})


@pytest.mark.parametrize("precision", ["0.001", "2.3", "40000"])
@pytest.mark.parametrize("place", ["0.7", "-60"])
def test_uniform_density(precision, place):
    agree(*both(-qh * w**2 / 2 + h * w, Flat(w, -1, 1), body=w), at=AT | {qh: precision, h: place})


@pytest.mark.parametrize("place", ["0.7", "-13.1"])
@pytest.mark.parametrize(
    "exponent",
    [-3 * sp.Max(0, 1 - v), -3 * Softplus(-v), -sp.Abs(sp.Max(0, v) - b), -sp.Abs(v**2 - 1), -3 * (v - y) ** 2],
    ids=["hinge", "logistic", "nested kinks", "quadratic kink", "quadratic"],
)
def test_tilted_field(exponent, place):
    agree(*both(exponent, FIELD), at=AT | {h: place})


LOSSES = {
    "huber": sp.Piecewise((u**2 / 2, sp.Abs(u) <= b), (b * sp.Abs(u) - b**2 / 2, True)),
    "absolute": sp.Abs(u - y),
    "exponential": sp.exp(-u),
    "cubic hinge": sp.Max(0, 1 - u) ** 3,
    "epsilon": sp.Max(0, sp.Abs(u - y) - b),
    "smooth with a kink": Softplus(-u) + sp.Abs(u) / 3,
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_proximal_point(loss):
    p, slope = Prox(loss, u, chi, v), ProxSlope(loss, u, chi, v)
    tilt = sp.log(2) + LogH(-m * v)
    agree(Tilted(p**2 * (v + slope), tilt, [FIELD], True), at=AT | {h: "-0.4"}, digits=9, tolerance=1e-10)


@pytest.mark.parametrize("name", ["epsilon", "smooth with a kink"])
def test_envelope_and_a_step_at_the_proximal_point(name):
    p, envelope = Prox(LOSSES[name], u, chi, v), Moreau(LOSSES[name], u, chi, v)
    agree(average(envelope * sp.Heaviside(p - sp.Rational(1, 3)), FIELD), at=AT | {h: "-0.4"}, digits=9, tolerance=1e-10)


@pytest.mark.parametrize("width", ["0.001", "1000"])
def test_exponential_loss_far_from_its_minimum(width):
    agree(average(Prox(sp.exp(-u), u, chi, v), FIELD), at=AT | {h: "-8", chi: width}, digits=11)


def test_two_proximal_points_in_one_average_are_explicit_if_quadratic():
    first, other = (Prox(sp.Abs(u - s), u, chi, v) for s in (y, -b))
    agree(average(first * other, FIELD), digits=12)


def test_discrete_labels_share_a_loop():
    log_law = LogH(-label * v / sp.sqrt(1 - q))
    three = Discrete(label, [1, -1, 0], [sp.S.Zero, sp.log(2), -sp.log(3)])
    two = Discrete(label, [1, -1])
    program = agree(Tilted(log_law, log_law, [two, FIELD], True), *both(log_law, three, FIELD, body=v * label))
    assert len(program.loops) == 1


def test_counts():
    agree(Tilted(k**2, -sp.exp(h / 9) + k * h / 9 - sp.loggamma(k + 1), [Counting(k)]), panels=8)


@pytest.mark.parametrize("covariance", [[[q, m], [m, 1]], [[q, q], [q, q]], [[0, 0], [0, 1]]], ids=str)
def test_joint_fields(covariance):
    joint = Gauss([v, second], [h, m], covariance)
    program = rewrite(theory(average(v**2 * sp.exp(second / 2), joint)))
    (c11, c12), (_, c22) = ([float(sp.sympify(c).subs(AT)) for c in row] for row in covariance)
    exact = ((0.7 + c12 / 2) ** 2 + c11) * math.exp(0.3 / 2 + c22 / 8)
    assert Numbers(program, 20)([program.values["e0"]], AT)[0] == pytest.approx(exact, rel=1e-12)


def test_inner_kink_moves_with_the_outer_field():
    inner = Gauss([second], [v], [[1]])
    program = rewrite(theory(average(sp.Abs(second - v / 2), inner, FIELD)))
    assert [len(loop.inside) for loop in program.loops] == [0, 1, 1]
    mean, deviation = 0.35, math.sqrt(1 + 0.6 / 4)  # of second - v/2
    exact = deviation * math.sqrt(2 / math.pi) * math.exp(-((mean / deviation) ** 2) / 2) + mean * math.erf(mean / deviation / math.sqrt(2))
    assert Numbers(program, 20)([program.values["e0"]], AT)[0] == pytest.approx(exact, rel=1e-12)


def test_field_of_the_prox_is_integrated_inside():
    """y = z + noise reads the field; the absolute loss reads y: the order must be turned."""
    p = Prox(sp.Abs(u - second), u, chi, v)
    program = rewrite(theory(average((p - v) ** 2, Gauss([second], [m * v / q], [[sp.Float(0.5)]]), FIELD)))
    assert max(len(loop.inside) for loop in program.loops) == 1
    values = [Numbers(program, n)([program.values["e0"]], AT)[0] for n in (12, 24)]
    assert values[0] == pytest.approx(values[1], rel=1e-7)


def test_kink_that_cannot_be_placed_is_refused():
    with pytest.raises(RewriteError, match="cannot tell where"):
        rewrite(theory(average(sp.Abs(sp.cos(v)), FIELD)))


def test_equal_averages_share_their_loops():
    other = sp.Dummy("other", real=True)
    program = rewrite(theory(average(sp.tanh(v), FIELD), average(sp.exp(sp.tanh(other)), Gauss([other], [h], [[q]]))))
    assert len(program.loops) == 1
