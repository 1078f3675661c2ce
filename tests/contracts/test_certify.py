"""Thirty digits, against an independent integration of the same equation."""

from __future__ import annotations

import dataclasses

import mpmath
import pytest

from numerics.certify import certify
from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.status import Status
from tests import hand_theories


@pytest.fixture(scope="module")
def sign():
    return compile_theory(hand_theories.bayes_sign())


def test_thirty_digits_solve_the_textbook_equation(sign):
    (one,) = solve(sign, {"alpha": 0.1})
    sure = certify(sign, one, 30)
    assert sure.agreement is not None and sure.agreement >= 14 and sure.quadrature_error < 1e-30
    assert len(sure["q"].lstrip("0.")) >= 29 and abs(float(sure["q"]) - one["q"]) < 1e-14
    with mpmath.workdps(40):
        q = mpmath.mpf(sure["q"])

        def integrand(t):
            x = -mpmath.sqrt(q) * t / mpmath.sqrt(1 - q)
            return mpmath.npdf(t) * mpmath.npdf(x) ** 2 / mpmath.ncdf(-x)

        # alpha = 1/10 exactly: a double would be off by 5e-18
        q_hat = 2 * mpmath.mpf(1) / 10 / (1 - q) * mpmath.quad(integrand, [-14, -7, 0, 7, 14])
        assert abs(q - q_hat / (1 + q_hat)) < mpmath.mpf(10) ** -29


def test_backends_and_digits_agree(sign):
    (one,) = solve(sign, {"alpha": 0.5})
    flint, pure, longer = certify(sign, one, 25, "flint"), certify(sign, one, 25, "mpmath"), certify(sign, one, 40, "flint")
    for name in ("q", "generalization_error", "free_entropy"):
        assert flint[name] == pure[name]
        assert str(longer[name])[:24] == str(flint[name])[:24]


def test_what_cannot_be_certified_is_refused(sign):
    (one,) = solve(sign)
    with pytest.raises(ValueError, match="digits must be at least 16, got 10"):
        certify(sign, one, 10)


def test_windows_widen_with_the_digits():
    logistic = compile_theory(hand_theories.logistic())
    (one,) = solve(logistic)
    some, more = certify(logistic, one, 18), certify(logistic, one, 32)
    assert some.agreement is not None and some.agreement >= 13
    for name in ("m", "q", "chi", "free_entropy", "training_loss"):
        assert str(more[name])[:18] == str(some[name])[:18]
    with mpmath.workdps(40):
        m, q, chi, chi_hat = (mpmath.mpf(more.unknowns[name]) for name in ("m", "q", "chi", "chi_hat"))
        c = m / (q * mpmath.sqrt(1 - m * m / q))

        def integrand(z):
            slope = 1 / (1 + mpmath.exp(z))
            field = z - chi * slope
            return mpmath.npdf(field / mpmath.sqrt(q)) / mpmath.sqrt(q) * mpmath.erfc(-c * field / mpmath.sqrt(2)) * slope * (1 - slope)

        reach = 14 * mpmath.sqrt(q)
        ends = [-reach, -reach / 2, 0, reach / 2, reach + chi]
        assert abs(chi_hat - 2 * mpmath.quad(integrand, ends)) < mpmath.mpf(10) ** -29


def test_digits_that_doubles_could_not_give_are_not_called_limited(sign):
    (one,) = solve(sign)
    assert certify(sign, dataclasses.replace(one, status=Status.LIMITED), 20).status is Status.CONVERGED
