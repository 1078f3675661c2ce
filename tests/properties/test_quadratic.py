"""Closed Gaussian averages against sums over nodes, equality up to writing, and parts replaced in expressions."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import sympy as sp

from replica.nodes import Gauss, LogAverage, LogH, Tilted
from replica.passes.alike import _PRIMES, alike
from replica.passes.quadratic import closed_average, closed_inside
from replica.passes.walk import replaced

g, h, k, u, v, w = (sp.Dummy(name, real=True) for name in "ghkuvw")
a, b, x = sp.symbols("a b x", real=True)
VALUES = {a: 0.7, b: 0.4, x: 0.6}
OUTER = Gauss([g, k], [0, a], [[1, b - a / 5], [b - a / 5, 2]])  # 0.26 in the corner
STATE = Gauss([h], [g / 2 + k * b], [[a]])
INNER = Gauss([u, v], [h, g], [[2, b], [b, 1]])
TILT = x * h**2 / 4 + h * b - x * k * h / 3
DEEP = -(u**2) / 2 + u * v / 3 + h * v / 5


def nodes(count: int, mean, variance: float) -> tuple[np.ndarray, np.ndarray]:
    z, weights = np.polynomial.hermite_e.hermegauss(count)
    return mean + np.sqrt(variance) * z, weights / weights.sum()


def summed(body, exponent, law: Gauss, at: dict, count: int = 48) -> tuple[float, float]:
    """(mean, log of the tilt's mean) under a law of one or two variables, by sums; `body` is a function of the values."""
    numbers = {s: sp.Float(value) for s, value in at.items()}
    means = [float(m.xreplace(numbers)) for m in law.means]
    C = np.array(law.covariance.xreplace(numbers), float)
    first, weights = nodes(count, means[0], C[0, 0])
    exponent = sp.lambdify([*law.variables], exponent.xreplace(numbers), "numpy")
    if len(means) == 1:
        logs, values = exponent(first), np.array([body({**at, law.variables[0]: p}) for p in first])
    else:
        slope = C[0, 1] / C[0, 0]
        second = [nodes(count, means[1] + slope * (p - means[0]), C[1, 1] - slope * C[0, 1]) for p in first]
        logs = np.array([exponent(p, s[0]) for p, s in zip(first, second, strict=True)])
        grid = [(p, q) for p, s in zip(first, second, strict=True) for q in s[0]]
        values = np.array([body({**at, law.variables[0]: p, law.variables[1]: q}) for p, q in grid]).reshape(count, count)
        weights = weights[:, None] * second[0][1]
    tilted = weights * np.exp(logs)
    return float((tilted * values).sum() / tilted.sum()), float(np.log(tilted.sum()))


def test_averages_within_an_average():
    within = Tilted(Tilted(u * v, DEEP, [INNER]) + h * LogAverage(DEEP, [INNER]), TILT, [STATE])
    closed = closed_inside(within)
    assert not closed.has(Tilted, LogAverage) and closed.is_polynomial(g, k)
    at = VALUES | {g: 0.3, k: -0.8}

    def body(point):
        mean, log = summed(lambda p: p[u] * p[v], DEEP, INNER, point, 20)
        return mean + point[h] * log

    assert float(closed.xreplace(at)) == pytest.approx(summed(body, TILT, STATE, at, 20)[0], rel=1e-9)


def test_average_over_fields_that_are_correlated():
    done = closed_average(g * k**2 - k, -(g**2) / 3 + a * g * k / 4, (OUTER,))
    assert done is not None
    mean, log = summed(lambda p: p[g] * p[k] ** 2 - p[k], (-(g**2) / 3 + a * g * k / 4).xreplace(VALUES), OUTER, VALUES, 64)
    assert [float(done.mean.xreplace(VALUES)), float(done.log.xreplace(VALUES))] == pytest.approx([mean, log], rel=1e-9)


def test_a_deviation_forgets_the_mean():
    own = Tilted(h, TILT, [STATE])
    spread = closed_inside(Tilted((h - own) ** 2, TILT, [STATE]))
    assert sp.cancel(spread - a / (1 - a * x / 2)) == 0


def test_what_is_not_gaussian_stays():
    tail = Tilted(h, LogH(h), [STATE])
    assert closed_average(h, LogH(h), (STATE,)) is None and closed_inside(tail) == tail
    assert closed_inside(tail * Tilted(h, TILT, [STATE])) != tail * Tilted(h, TILT, [STATE])


def test_alike_is_equality_up_to_writing():
    one = LogH((a - b) / sp.sqrt(x)) / (a - b) ** 2 + Tilted(h**2, LogH(h), [STATE])
    other = Tilted(w**2, LogH(w), [Gauss([w], [g / 2 + k * b], [[a]])]) + LogH(-(b - a) / sp.sqrt(x)) / (b**2 + a**2 - 2 * a * b)
    assert alike([(one, other)])
    assert not alike([(one, other + 1)]) and not alike([(LogH(a), LogH(-a))]) and not alike([(sp.sqrt(a), a)])


def test_alike_takes_another_point_where_a_denominator_vanishes():
    (prime, *_), here = _PRIMES, Random(0).randrange(1, _PRIMES[0])  # `here` is the value of the first symbol at the first point
    for pole in (sp.Rational(1, prime), 1 / (a - here), 1 / (b * prime + 2 * prime)):
        assert alike([(pole + (a + b) ** 2, a**2 + b**2 + 2 * a * b + pole)])
        assert not alike([(pole + a, pole + b)])
    nowhere = sp.Pow((a + b) ** 2 - a**2 - b**2 - 2 * a * b, -1)
    assert not alike([(nowhere + a, a)])


def test_the_larger_of_two_is_decided_when_it_is_known():
    found = replaced(sp.Max(a, b, evaluate=False), {b: 2 * a})
    assert isinstance(found, sp.Max) and set(found.args) == {a, 2 * a}
    assert replaced(sp.Max(a, b, evaluate=False), {a: sp.Integer(1), b: sp.Integer(2)}) == 2
