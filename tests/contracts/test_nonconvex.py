"""Proximal points that jump: averages against brute force, slopes as derivatives of what jumps, strange losses."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from scipy import optimize

sys.path[:0] = [str(Path(__file__).parent)]

from program_numbers import Numbers  # noqa: E402

from numerics.rewrite import RewriteError, rewrite  # noqa: E402
from numerics.rewrite.sample import along, evaluate  # noqa: E402
from replica.nodes import Gauss, Log2Cosh, LogH, Moreau, Prox, ProxSlope, Sigmoid, Tilted, average  # noqa: E402
from replica.symbols import POSITIVE, Control  # noqa: E402
from replica.theory import Stationary, Theory  # noqa: E402

q, chi, b, y, h = sp.symbols("q chi b y h", real=True)
u, v = sp.Dummy("u", real=True), sp.Dummy("v", real=True)
CONTROLS = tuple(Control(s, 0.5, POSITIVE) for s in (q, chi, b, y))
AT = {q: 0.6, b: 0.7, y: 1.1, h: 0.3}
FIELD = Gauss([v], [h], [[q]])
MEAN, VARIANCE = 0.3, 0.6

LOSSES = {
    "step": (sp.Heaviside(b - u, sp.S.Half), lambda z: np.where(z < 0.7, 1.0, 0.0), [0.7]),
    "phase retrieval": ((y - sp.Abs(u)) ** 2, lambda z: (1.1 - np.abs(z)) ** 2, [0.0]),
    "ramp": (sp.Min(1, sp.Max(0, 1 - u)), lambda z: np.clip(1 - z, 0, 1), [0.0, 1.0]),
    "truncated square": (sp.Min(b, (u - y) ** 2), lambda z: np.minimum(0.7, (z - 1.1) ** 2), [1.1 - 0.7**0.5, 1.1 + 0.7**0.5]),
    "capped l1": (sp.Min(b, 3 * sp.Abs(u)), lambda z: np.minimum(0.7, 3 * np.abs(z)), [-0.7 / 3, 0.0, 0.7 / 3]),
    "box": (
        sp.Piecewise((-(u**2) / 3, sp.Abs(u) <= 1), (sp.oo, True)),
        lambda z: np.where(np.abs(z) <= 1, -(z**2) / 3, np.inf),
        [-1.0, 1.0],
    ),
    "log 2 cosh": (-Log2Cosh(u), lambda z: -np.logaddexp(z, -z), []),
    "1 - tanh": (1 - sp.tanh(u), lambda z: 1 - np.tanh(z), []),
    "savage": (Sigmoid(-2 * u) ** 2, lambda z: 1 / (1 + np.exp(2 * z)) ** 2, []),
    "tail": (-LogH((y - u) / b), None, []),
    "double well": ((u**2 - b) ** 2 / 4, lambda z: (z**2 - 0.7) ** 2 / 4, []),
    "bump": (1 - sp.exp(-((u - y) ** 2) / b), lambda z: 1 - np.exp(-((z - 1.1) ** 2) / 0.7), []),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_along_its_field_is_its_value_at_every_place(name):
    loss, held, places = LOSSES[name][0], {b: np.array([0.7]), y: np.array([1.1])}, np.linspace(-3, 3, 41)
    for expression in (loss, (1 + u) * sp.exp(-loss) * b):
        assert np.array_equal(along(expression, u, held)(places), evaluate(expression, held | {u: places}))


def rewritten(*expressions):
    return rewrite(Theory("test", "test", CONTROLS, Stationary((), ()), {}, {}, sp.S.Zero, {f"e{i}": e for i, e in enumerate(expressions)}))


def numbers(program, strength, count, panels=24):
    return Numbers(program, panels)([program.values[f"e{i}"] for i in range(count)], AT | {chi: strength})


def minima(loss, strength, fields, kinks):
    """(argmin, min) of (z - h)^2/(2 chi) + loss for every field, on a grid refined around its best point."""

    def energy(z):
        return (z - fields[:, None]) ** 2 / (2 * strength) + loss(z)

    places = np.array([k + d for k in kinks for d in (-1e-14, 0.0, 1e-14)])
    z = np.broadcast_to(np.sort(np.concatenate([np.linspace(-16, 16, 1601), places])), (len(fields), 1601 + len(places)))
    width = 0.02
    for _ in range(4):
        best = np.take_along_axis(z, energy(z).argmin(axis=1)[:, None], axis=1)
        z = np.concatenate([best + np.linspace(-width, width, 41), np.broadcast_to(places, (len(fields), len(places)))], axis=1)
        width /= 18
    values = energy(z)
    k = values.argmin(axis=1)[:, None]
    return np.take_along_axis(z, k, axis=1)[:, 0], np.take_along_axis(values, k, axis=1)[:, 0]


@pytest.mark.parametrize("strength", [0.6, 3.1])
@pytest.mark.parametrize("name", [n for n in LOSSES if LOSSES[n][1] is not None])
def test_envelopes_are_global_minima(name, strength):
    """Against a dense grid; fields are summed plainly, so digits are lost where the point jumps: those are the next test's business."""
    expression, loss, kinks = LOSSES[name]
    program = rewritten(average(Moreau(expression, u, chi, v), FIELD), average(Prox(expression, u, chi, v), FIELD))
    envelope, point = numbers(program, strength, 2)
    t = np.linspace(-8, 8, 2001)
    points, energies = minima(loss, strength, MEAN + math.sqrt(VARIANCE) * t, kinks)
    weight = np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi) * (t[1] - t[0])
    assert envelope == pytest.approx(weight @ energies, abs=2e-6)
    assert point == pytest.approx(weight @ points, abs=8e-3)


@pytest.mark.parametrize("strength", [0.6, 3.1])
@pytest.mark.parametrize("name", LOSSES)
def test_slopes_hold_what_jumps(name, strength):
    """Stein: E[g (v - mean)] = variance E[g'], for the proximal point, its square, a tilted one; and for the envelope."""
    p, slope, envelope = (node(LOSSES[name][0], u, chi, v) for node in (Prox, ProxSlope, Moreau))
    tilt = sp.log(2) + LogH(-v + h)
    pairs = [
        (p * (v - h), q * slope),
        (p**2 * (v - h), 2 * q * p * slope),
        (envelope * (v - h), q * (v - p) / chi),
        (p * v * (v - h), q * (p + v * slope)),
    ]
    expressions = [average(side, FIELD) for pair in pairs for side in pair]
    expressions += [Tilted(slope, tilt, [FIELD], True), Tilted(p * ((v - h) / q - tilt.diff(v)), tilt, [FIELD], True)]
    values = numbers(rewritten(*expressions), strength, len(expressions))
    np.testing.assert_allclose(values[::2], values[1::2], rtol=1e-11, atol=1e-12, equal_nan=False)


def test_a_tilt_with_an_envelope_keeps_the_jump():
    """E[p e^L]' through a normalised tilt: the response under the measure e^(-M) is that of a difference quotient."""
    p, slope, envelope = (node((y - sp.Abs(u)) ** 2, u, chi, v) for node in (Prox, ProxSlope, Moreau))
    moved = slope + p * (p - v) / chi
    expressions = [Tilted(moved, -envelope, [FIELD]), Tilted(p * (v - h) / q, -envelope, [FIELD])]
    values = numbers(rewritten(*expressions), 0.9, 2)
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_the_square_of_a_slope_is_infinite_where_the_point_jumps():
    program = rewritten(average(ProxSlope(-Log2Cosh(u), u, chi, v) ** 2, FIELD))
    assert numbers(program, 0.9, 1)[0] < math.inf
    assert numbers(program, 1.1, 1)[0] == math.inf


def test_jump_between_two_minima_of_equal_depth():
    """1 - tanh has one jump beyond chi = 1/max(-l''): its place against a root of the definition."""
    strength = 3.1

    def loss(z):
        return 1 - math.tanh(z)

    def branch(field, low, high):
        return optimize.minimize_scalar(
            lambda z: (z - field) ** 2 / (2 * strength) + loss(z), bounds=(low, high), method="bounded", options={"xatol": 1e-12}
        )

    field = optimize.brentq(lambda f: branch(f, -8, -0.66).fun - branch(f, -0.66, 4).fun, -4, -1, xtol=1e-14)
    step = sp.Heaviside(Prox(1 - sp.tanh(u), u, chi, v) + sp.Rational(1, 2))
    value = numbers(rewritten(average(step, FIELD)), strength, 1)[0]
    assert value == pytest.approx(math.erfc((field - MEAN) / math.sqrt(2 * VARIANCE)) / 2, abs=1e-9)


@pytest.mark.parametrize(
    ("loss", "words"),
    [(-(u**2), "falls faster"), (sp.cos(u), "bends down in"), (sp.tanh(u) + b * sp.tanh(3 * u - y), "change its shape")],
    ids=["parabola", "cosine", "two parameters"],
)
def test_what_has_no_integrable_proximal_point_is_refused(loss, words):
    with pytest.raises(RewriteError, match=words):
        rewritten(average(Prox(loss, u, chi, v), FIELD))
