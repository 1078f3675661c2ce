"""State evolution: against closed maps, static solutions, published thresholds, and the algorithm itself."""

from math import asin, pi, sqrt

import numpy as np
import pytest

from numerics.compile import compile_theory
from numerics.equations import Equations
from numerics.recursion import iterate, run, trajectory
from numerics.solve import solve
from numerics.status import Status
from replica.derive import Underivable, derive
from replica.spec import Spec
from simulate.finite_size import Verdict
from simulate.report import validate

PHASE = """
format = 1
name = "phase retrieval by message passing"

[teacher]
prior = "gaussian"
channel = "abs"

[student]
protocol = {{ kind = "amp", steps = {steps}, start = {start}, damping = {damping} }}
{student}

[controls]
alpha = {{ value = 1.3, domain = "(0, inf)" }}
{controls}
"""
MISMATCHED = 'loss = { formula = "(y - abs(z))**2" }\nregularizer = { kind = "ridge", strength = "lambda" }'
LAMBDA = 'lambda = { value = 0.1, domain = "[0, inf)" }'
BROKEN = '\n[ansatz]\nkind = "rsb"\nk = 1\nx = "x"\n'


def phase(steps=50, start=0.001, damping=0.0, student="", controls="", more=""):
    text = PHASE.format(steps=steps, start=start, damping=damping, student=student, controls=controls)
    return compile_theory(derive(Spec.from_toml(text + more)))


def test_gamp_follows_the_closed_map():
    """Closed form for (y - |h|)^2 at replica symmetry: own calculation (angles between half planes), no part of the engine."""
    alpha, strength, damping = 1.7, 0.3, 0.25
    module = phase(12, 0.2, damping, MISMATCHED, LAMBDA)
    found = trajectory(module, {"alpha": alpha, "lambda": strength})
    m, q, chi = 0.2, 1.0, 1.0
    for step in range(13):
        got = [float(found[name][step]) for name in ("m", "q", "chi")]
        np.testing.assert_allclose(got, (m, q, chi), rtol=1e-8)
        c = m / sqrt(q)
        s, D = sqrt(1 - c * c), 1 + 2 * chi
        m_hat = 4 * alpha * asin(c) / (pi * D)
        q_hat = 4 * alpha / D**2 * (1 + q - 4 / pi * sqrt(q) * (s + c * asin(c)))
        A = 2 * alpha / D * (1 - 2 * s / (pi * sqrt(q))) + strength
        images = (m_hat / A, (m_hat**2 + q_hat) / A**2, 1 / A)
        m, q, chi = (damping * old + (1 - damping) * new for old, new in zip((m, q, chi), images, strict=True))


@pytest.mark.parametrize(("alpha", "recovered"), [(1.12, False), (1.14, True)])
def test_bayes_optimal_threshold(alpha, recovered):
    """1.12847 (Barbier et al., PNAS 116 (2019) 5451: 1.13)."""
    found = run(phase(2000), {"alpha": alpha})
    assert (found.status is Status.AT_END) == recovered
    assert (float(found["overlap"]) > 0.999) == recovered


def test_nothing_is_learnt_below_one_half():
    """Weak recovery at 1/2 (Mondelli & Montanari 2019; Barbier et al. 2019)."""
    module = phase(40)
    first, last = ([float(trajectory(module, {"alpha": a})["q"][k]) for a in (0.49, 0.51)] for k in (0, -1))
    assert last[0] < first[0] and last[1] > first[1]


def test_the_fixed_point_is_the_static_solution():
    static = """
format = 1
name = "logistic"
[teacher]
prior = "gaussian"
channel = "sign"
[student]
protocol = {protocol}
loss = "logistic"
regularizer = {{ kind = "ridge", strength = 0.5 }}
[controls]
alpha = {{ value = 2.0, domain = "(0, inf)" }}
"""
    modules = [
        compile_theory(derive(Spec.from_toml(static.format(protocol=p)))) for p in ('"erm"', '{ kind = "amp", steps = 500, start = 0.1 }')
    ]
    rest, reached = (solve(module)[0] for module in modules)
    assert reached.status is Status.CONVERGED and 5 < reached.steps < 500
    for name in ("m", "q", "chi", "generalization_error"):
        assert float(reached[name]) == pytest.approx(float(rest[name]), abs=1e-9)
    times = reached.to_json()["trajectory"]["time"]
    assert times[0] == 0 and times[-1] == reached.steps


def test_the_algorithm_follows_state_evolution():
    text = PHASE.format(steps=5, start=0.3, damping=0.0, student="", controls="")
    report = validate(Spec.from_toml(text), {"alpha": 1.5}, [400, 800], 12)
    assert {"q@1", "q@2", "q@3", "q@5", "overlap@5"} <= set(report.z_scores)
    assert report.verdict is Verdict.AGREES, str(report)


def test_a_start_without_signal_is_refused():
    with pytest.raises(Underivable, match="start = 0 must be above 0"):
        phase(start=0)


@pytest.mark.slow
def test_broken_symmetry_at_vanishing_parisi_parameter_is_symmetric():
    parisi = LAMBDA + '\nx = { value = 1.0, domain = "(0, inf)" }'
    broken, whole = phase(3, 0.1, 0.5, MISMATCHED, parisi, BROKEN), phase(3, 0.1, 0.5, MISMATCHED, LAMBDA)

    def images(module, values):
        equations = Equations(module)
        p = np.array([values[name] for name in (*equations.problem.names, *equations.problem.controls)])
        equations.choose(p)
        return dict(zip(equations.problem.names, p[: equations.n] - equations.look(p).residual, strict=True))

    point = {"alpha": 1.5, "lambda": 0.2, "chi": 0.7, "m": 0.4, "m_hat": 0.5, "chi_hat": 0.9}
    one = images(broken, point | {"x": 1e-7, "q0": 0.8, "delta_q1": 0.3, "q0_hat": 0.6, "delta_q1_hat": 0.2})
    other = images(whole, point | {"q": 1.1, "q_hat": 0.8})
    assert one["q0_hat"] + one["delta_q1_hat"] == pytest.approx(other["q_hat"], rel=1e-5)
    assert one["q0"] + one["delta_q1"] == pytest.approx(other["q"], rel=1e-5)
    for name in ("m", "chi", "m_hat", "chi_hat"):
        assert one[name] == pytest.approx(other[name], rel=1e-5)


def test_steps_and_damping_may_be_controls():
    more = '\nsteps = { value = 4, domain = "[0, inf)" }\nkept = { value = 0.25, domain = "[0, 2]" }\n'
    declared, written = phase('"steps"', 0.2, '"kept"', MISMATCHED, LAMBDA + more), phase(6, 0.2, 0.5, MISMATCHED, LAMBDA)
    at = {"alpha": 1.7, "lambda": 0.3}
    np.testing.assert_array_equal(iterate(declared, at | {"steps": 6, "kept": 0.5})[0].states, iterate(written, at)[0].states)
    for wrong, sentence in (({"steps": 2.5}, "whole number"), ({"steps": 0}, "whole number"), ({"kept": 1.0}, "must lie in")):
        with pytest.raises(ValueError, match=sentence):
            iterate(declared, at | wrong)


@pytest.mark.slow
def test_thresholds_of_gamp():
    """Brackets around an independent program's values, which agree with the result files of GASP.jl."""
    whole = phase(20000, 0.001, 0.5, MISMATCHED, LAMBDA)
    for strength, low, high in ((0.1, 1.90, 1.91), (1.0, 1.759, 1.7597)):
        reached = [iterate(whole, {"alpha": a, "lambda": strength})[0].states[-1] for a in (low, high)]
        cosines = [state[0] / sqrt(state[1]) for state in reached]
        assert cosines[0] < 0.9 < cosines[1]
