"""Samplers against closed forms and against each other; message passing against the reference curve and the exact posterior."""

import numpy as np
import pytest
import sympy as sp

from replica import channels, losses, priors
from replica.labels import SIGNS
from replica.nodes import Gauss, Hazard, Prox, ProxSlope, Tilted
from replica.protocols import Bayes, Gibbs
from replica.symbols import POSITIVE, Control
from replica.theory import Scores
from simulate.algorithms.gamp import GAMP
from simulate.algorithms.parts.functions import Functions
from simulate.algorithms.parts.rules import Rules, label_domain
from simulate.draw import draw
from simulate.finite_size import average, z_score
from simulate.iteration.run import run
from simulate.learn import enumeration, gibbs
from simulate.measure import measure
from tests.finite_size.systems import HandSpec, group, latent, learner
from tests.finite_size.test_training import reference

Y, OMEGA, V, A, B = sp.symbols("y omega V A B", real=True)
SIGN = Y * Hazard(-Y * OMEGA / sp.sqrt(V)) / sp.sqrt(V)


def bayes(prior, channel, **values):
    return HandSpec(learner(Bayes()), {"teacher": latent(prior)}, {"all": group(channel)}, values)


def scores(output, denoiser):
    unread = sp.S.Zero  # GAMP needs slopes, not what they are slopes of
    return Scores(Y, OMEGA, V, A, B, output, output.diff(OMEGA), denoiser, denoiser.diff(B), unread, unread)


def rules(output, denoiser):
    return Rules(scores(output, denoiser), (), label_domain(SIGNS), {}, None, False)


def pass_messages(instance, common):
    options = {"damping": 0.0, "tolerance": 1e-6, "steps": 400, "restarts": 4}
    outcome, _ = run(GAMP(instance, options, "cpu", common), lambda attempt: np.random.default_rng([instance.seed, attempt]))
    return outcome


def test_monte_carlo_finds_the_exact_gaussian_posterior():
    spec = bayes(priors.Gaussian(), channels.Linear(variance=0.5), alpha=2.0)
    instances = [draw(spec, spec.at({}), 15, seed) for seed in range(4)]
    for instance, estimate in zip(instances, gibbs.train(instances, spec.learner, sweeps=700), strict=True):
        x, y = instance.arrays["x"] / np.sqrt(15), instance.arrays["y"]
        covariance = np.linalg.inv(x.T @ x / 0.5 + np.eye(15))
        exact = covariance @ x.T @ y / 0.5
        assert not estimate.failure
        assert np.max(np.abs(estimate.mean - exact) / np.sqrt(np.diag(covariance))) < 0.35
        assert estimate.extras["Q"] == pytest.approx((exact @ exact + np.trace(covariance)) / 15, rel=0.1)


def test_monte_carlo_and_enumeration_agree():
    spec = bayes(priors.Binary(), channels.Logit(), alpha=2.0)
    instances = [draw(spec, spec.at({}), 10, seed) for seed in range(4)]
    exact = enumeration.train(instances, spec.learner)
    sampled = gibbs.train(instances, spec.learner, sweeps=1500)
    for a, b in zip(exact, sampled, strict=True):
        np.testing.assert_allclose(a.mean, b.mean, atol=0.1, equal_nan=False)


def test_sphere_is_kept():
    student = learner(Gibbs(float("inf")), losses.Theta(), prior=priors.Spherical())
    spec = HandSpec(student, {}, {"all": group(value="random")}, {"alpha": 0.5})
    instances = [draw(spec, spec.at({}), 30, seed) for seed in range(2)]
    for estimate in gibbs.train(instances, spec.learner, sweeps=60):
        assert estimate.extras["Q"] == pytest.approx(1.0, abs=1e-9)
        assert "no weights" not in estimate.failure


def test_message_passing_reaches_the_reference_curve():
    row = reference("P1_bo_sign_gauss.csv", alpha=2.0)
    spec = bayes(priors.Gaussian(), channels.Sign(), alpha=row["alpha"])
    common = rules(SIGN, B / (1 + A))
    found = []
    for seed in range(12):
        instance = draw(spec, spec.at({}), 300, seed)
        outcome = pass_messages(instance, common)
        assert not outcome.failure
        found.append(measure(instance, spec.learner, outcome.estimates["student"], np.random.default_rng(seed)))
    for name, theory in (("q", row["q_ref"]), ("m", row["q_ref"]), ("generalization_error", row["eg_ref"])):
        mean = average(np.array([f[name] for f in found]), 300)
        assert abs(z_score(mean.value, mean.stderr, mean.freedom, theory)) < 4, name


def test_message_passing_is_near_the_exact_posterior():
    """At d = 14 the two differ by finite-size terms only; scores of another noise are off by more."""
    spec = bayes(priors.Binary(), channels.Probit(variance=1.0), alpha=1.0)
    common = rules(SIGN.subs(V, V + 1), sp.tanh(B))
    instances = [draw(spec, spec.at({}), 14, seed) for seed in range(30)]
    exact = enumeration.train(instances, spec.learner)
    passed = [pass_messages(i, common) for i in instances]
    pairs = [(e, p.estimates["student"]) for e, p in zip(exact, passed, strict=True) if not p.failure]
    assert len(pairs) >= 20
    distance = np.mean([np.mean((e.mean - p.mean) ** 2) for e, p in pairs])
    other = [pass_messages(i, rules(SIGN, sp.tanh(B))) for i in instances]
    wrong = np.mean([np.mean((e.mean - p.estimates["student"].mean) ** 2) for e, p in zip(exact, other, strict=True) if not p.failure])
    assert distance < 0.01
    assert wrong > 5 * distance


def test_open_averages_are_integrated():
    z = sp.Dummy("z", real=True)
    tilted = Tilted((z - OMEGA) / V, -((Y - z) ** 2) / (2 * sp.Rational(1, 2)), [Gauss([z], [OMEGA], [[V]])])
    y, omega, v = np.array([0.3, -2.0, 1.5]), np.array([0.1, 0.4, -1.0]), np.array([0.2, 1.0, 2.5])
    arguments = (Control(Y, 1.0), Control(OMEGA, 0.3), Control(V, 1.0, POSITIVE))
    found = Functions({"score": tilted}, arguments)({"y": y, "omega": omega, "V": v})["score"]
    np.testing.assert_allclose(found, (y - omega) / (v + 0.5), rtol=1e-9, equal_nan=False)


def test_proximal_points_without_a_formula_are_found():
    u = sp.Dummy("u", real=True)
    point = Prox(sp.log(1 + sp.exp(-Y * u)), u, V, OMEGA)
    arguments = (Control(Y, 1.0, label_domain(SIGNS)), Control(OMEGA, 0.3), Control(V, 1.0, POSITIVE))
    rng = np.random.default_rng(0)
    at = {"y": rng.choice([-1.0, 1.0], 200), "omega": 30 * rng.standard_normal(200), "V": np.exp(3 * rng.standard_normal(200))}
    found = Functions({"point": point, "slope": ProxSlope(*point.args)}, arguments)(at)
    pull = -at["y"] / (1 + np.exp(at["y"] * found["point"]))
    np.testing.assert_allclose(found["point"] + at["V"] * pull, at["omega"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["slope"], 1 / (1 + at["V"] * -pull * at["y"] * (1 + pull * at["y"])), rtol=1e-9)
