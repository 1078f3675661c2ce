"""Scalar functions of GASP beside the published ones: arXiv 1905.05313 and the authors' program, phase retrieval with a ridge."""

import numpy as np
import pytest
import sympy as sp
from scipy.special import log_ndtr

from replica.families.broken import broken
from replica.families.ground_state import minimizer_scores
from replica.labels import RealLabels
from replica.spec import Spec
from simulate.algorithms.parts.rules import BrokenRules, label_domain
from simulate.runs import simulate

RIDGE = 0.3


def published(y, omega, spread, V, x):
    """(1/x) log E_h exp(-x min_u [(u - h)^2/(2V) + (y - |u|)^2]), h normal around omega."""
    D, E = 1 + 2 * V, 1 + 2 * V + 2 * x * spread
    a = np.sqrt(spread * D * E)
    plus, minus = ((2 * x * spread * y + sign * omega * D) / a for sign in (1, -1))
    logs = [log_ndtr(t) - x * (omega - sign * y) ** 2 / E for t, sign in ((plus, 1), (minus, -1))]
    return (np.logaddexp(*logs) + np.log(D / E) / 2) / x


@pytest.mark.parametrize("x", [0.5, 5.0, 50.0])
def test_scalar_functions_are_the_published_ones(x):
    scores = minimizer_scores(lambda y, u: (y - sp.Abs(u)) ** 2, lambda w: sp.Rational(3, 10) * w**2 / 2)
    rules = BrokenRules(broken(scores), (), label_domain(RealLabels(sp.S.Zero, sp.oo)), {}, x)
    rng = np.random.default_rng(0)
    y, omega, spread, V, e = np.abs(rng.standard_normal(300)), 1.5 * rng.standard_normal(300), 0.2, 0.7, 1e-4

    def slope(change, order=1):
        low, here, high = (published(y, *(v + k * e * c for v, c in zip((omega, spread, V), change, strict=True)), x) for k in (-1, 0, 1))
        return (high - low) / (2 * e) if order == 1 else (high - 2 * here + low) / e**2

    score, variance, total = rules.output(y, omega, V, spread)
    np.testing.assert_allclose(score, slope((1, 0, 0)), atol=2e-5)
    np.testing.assert_allclose(variance, 2 * slope((0, 0, 1)) - score**2, atol=2e-4)
    np.testing.assert_allclose(total, slope((1, 0, 0), 2), atol=2e-3)
    A, A_states, B = 2.0 + 0.01 * x, 0.01, rng.standard_normal(50)
    mean, variance, total = rules.weight(A, A_states, B)
    rest = A + RIDGE - x * A_states
    np.testing.assert_allclose(mean, B / rest, rtol=1e-10)
    np.testing.assert_allclose(variance, A_states / ((A + RIDGE) * rest), rtol=1e-8)
    np.testing.assert_allclose(total, 1 / rest, rtol=1e-8)


SEARCH = """
format = 1
name = "phase retrieval, least squares"
[teacher]
prior = "gaussian"
channel = "abs"
[student]
protocol = "erm"
loss = { formula = "(y - abs(z))**2" }
regularizer = { kind = "ridge", strength = 0.1 }
[ansatz]
kind = "rsb"
k = 1
x = "x"
[controls]
alpha = { value = 1.5, domain = "(0, inf)" }
x = { value = 5.0, domain = "(0, inf)" }
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "alpha", "found"),
    [("gasp", 1.15, False), ("gasp", 1.4, True), ("gamp", 1.5, False), ("gamp", 2.2, True)],
)
def test_signals_are_found_above_the_thresholds_of_state_evolution(algorithm, alpha, found):
    """1.273 for GASP at x = 5 and 1.904 for GAMP, ridge 0.1: state evolution by an independent program, and the files of GASP.jl."""
    options = {"damping": 0.5, "tolerance": 1e-3, "steps": 400, "restarts": 0}
    runs = simulate(Spec.from_toml(SEARCH), {"alpha": alpha}, [1000], 6, algorithm, options=options)
    cosines = [record.history["overlap"][-1] for record in runs.records.values()]
    assert np.mean([cosine > 0.9 for cosine in cosines]) == float(found), cosines
