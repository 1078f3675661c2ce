"""Declared laws against draws, and against quadrature: each kind's law and sampler share no formula where the kind has its own sampler."""

from itertools import combinations

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad

from replica import activations, channels, laws, losses, priors, regularizers
from replica.arrays import evaluate
from replica.convexity import is_convex
from replica.disorder import Disorder
from replica.draws import NotNormalized, mass
from replica.ingredients import Law, kinds
from replica.labels import CountLabels, DiscreteLabels

y, z, w, xi = (sp.Symbol(name, real=True) for name in ("y", "z", "w", "xi"))
SIGMAS = 5


def examples(package):
    return [e.bind({}) for cls in kinds(package).values() if cls.built for e in cls.examples()]


def close(drawn, expected):
    """The mean of draws agrees with its value within standard errors; what 1 in `size / 10` draws would show may be missing."""
    error = drawn.std() / np.sqrt(drawn.size) + 2 / drawn.size
    assert abs(drawn.mean() - expected) < SIGMAS * error, (drawn.mean(), expected, error)


def integral(function, lower, upper, points=()):
    cuts = [lower, *sorted(p for p in points if lower < p < upper), upper]
    return sum(quad(function, a, b, limit=200)[0] for a, b in zip(cuts, cuts[1:], strict=False))


def prior_average(prior, function):
    lower, upper = (float(end) for end in prior.support())
    density = prior.density(w)
    total = sum(float(weight) * function(float(atom)) for atom, weight in prior.atoms())
    if density == 0:
        return total
    return total + integral(lambda x: function(x) * float(evaluate(density, {w: x})), lower, upper, points=(-1, 0, 1))


@pytest.mark.parametrize("prior", examples(priors), ids=repr)
def test_prior_is_normalized_and_agrees_with_its_draws(prior):
    assert prior_average(prior, lambda x: 1.0) == pytest.approx(1, abs=1e-7)
    drawn = prior.sample(np.random.default_rng(7), (4, 50_000)).ravel()
    for a, b in ((0.0, 0.0), (0.7, 0.4), (2.0, -1.1)):  # the tilts that a posterior makes
        for power in (0, 1, 2):

            def tilted(x, a=a, b=b, power=power):
                return np.exp(-a * x**2 / 2 + b * x) * x**power

            close(tilted(drawn), prior_average(prior, tilted))
    lower, upper = (float(end) for end in prior.support())
    assert lower <= drawn.min() and drawn.max() <= upper


@pytest.mark.parametrize("prior", [p for p in examples(priors) if p.pinned_norm() is not None], ids=repr)
def test_pinned_norm_is_exact(prior):
    drawn = prior.sample(np.random.default_rng(1), (5, 300))
    np.testing.assert_allclose((drawn**2).mean(axis=1), float(prior.pinned_norm()), rtol=1e-12, equal_nan=False)


FIELDS = (-2.1, -0.3, 0.05, 1.4)


def label_average(channel, field, function):
    """Average over y given z from the density, or over xi from the map."""
    law = channel.density(y, z)
    if law is None:
        rule = channel.map(z, xi)
        return integral(
            lambda x: function(float(evaluate(rule, {z: field, xi: x}))) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi), -9, 9, (-field,)
        )
    labels = channel.labels()
    if isinstance(labels, DiscreteLabels):
        return sum(function(float(atom)) * float(evaluate(law, {y: float(atom), z: field})) for atom in labels.atoms)
    if isinstance(labels, CountLabels):
        return sum(function(k) * float(evaluate(law, {y: float(k), z: field})) for k in range(120))
    return integral(
        lambda v: function(v) * float(evaluate(law, {y: v, z: field})), float(labels.lower), float(labels.upper), (-5, field, 5)
    )


@pytest.mark.parametrize("channel", examples(channels), ids=repr)
def test_channel_is_normalized_and_agrees_with_its_draws(channel):
    rng = np.random.default_rng(3)
    for field in FIELDS:
        assert label_average(channel, field, lambda v: 1.0) == pytest.approx(1, abs=1e-7)
        size = 600 if isinstance(channel, channels.Density) else 20_000
        drawn = channel.sample(rng, np.full((2, size // 2), field))
        assert drawn.shape == (2, size // 2) and drawn.dtype == float
        for function in (lambda v: v, lambda v: np.exp(-v * v / 3), lambda v: np.tanh(v - 0.5)):
            close(function(drawn), label_average(channel, field, function))


@pytest.mark.parametrize("channel", [c for c in examples(channels) if c.map(z, xi) is not None and c.density(y, z) is not None], ids=repr)
def test_map_and_density_are_one_law(channel):
    rule = channel.map(z, xi)
    for field in FIELDS:

        def weighted(x, field=field):
            return np.tanh(float(evaluate(rule, {z: field, xi: x})) - 0.4) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)

        by_map = integral(weighted, -9, 9, (-2 * field,))
        assert label_average(channel, field, lambda v: np.tanh(v - 0.4)) == pytest.approx(by_map, abs=1e-7)


VECTORS = [law for law in examples(laws) if type(law).sample is not Law.sample and not isinstance(law, Disorder)]


@pytest.mark.parametrize("law", VECTORS, ids=repr)
def test_inputs_have_unit_variance(law):
    x = law.sample(np.random.default_rng(5), 400, 300)
    assert x.shape == (400, 300)
    close(x, 0.0)
    close(x**2, 1.0)
    close(x[:, 1:] * x[:, :-1], 0.0)


@pytest.mark.parametrize("law", [law for law in examples(laws) if isinstance(law, Disorder)], ids=repr)
def test_couplings_are_symmetric_and_have_the_declared_moments(law):
    """Against a latent of ones, where every product of its coordinates is one."""
    d, size = (24, sp.Symbol("d")) if law.order() > 2 else (150, sp.Symbol("d"))
    drawn = law.couplings(np.random.default_rng(6), d, {name: np.ones(d) for name in law.planted()})
    assert drawn.shape == (d,) * law.order()
    np.testing.assert_array_equal(drawn, np.swapaxes(drawn, 0, law.order() - 1))
    assert not drawn[np.arange(d), np.arange(d)].any()
    moments = law.moments(size)
    mean, variance, squares = (float(e.subs(size, d)) for e in (moments.mean, moments.variance, moments.squares))
    assert squares == pytest.approx(law.squares(d), rel=1e-12)
    if law.patterns() is not None:
        variance = float(law.patterns().load) / d
    above = np.array([drawn[places] for places in combinations(range(d), law.order())])
    assert abs(above.mean() - mean) < SIGMAS * np.sqrt(variance / above.size) * (1 if law.patterns() is None else 2)
    assert np.var(above) == pytest.approx(variance, rel=SIGMAS * np.sqrt(2 / above.size) + (0.3 if law.patterns() else 0))


CONVEX = {"zero", "square", "logistic", "hinge", "huber", "absolute", "exponential", "cross_entropy", "ridge", "l1", "elastic_net"}


@pytest.mark.parametrize("energy", examples(losses) + examples(regularizers), ids=repr)
def test_energy_is_finite_and_convex_where_it_should_be(energy):
    points = np.random.default_rng(11).uniform(-8, 8, 2000)
    for label in (-1.0, 1.0):
        expr = energy.formula(y, z) if energy.slot == "loss" else energy.formula(z)
        values = evaluate(expr, {y: np.full_like(points, label), z: points})
        assert np.isfinite(values).all() and values.min() >= 0
        if energy.kind in CONVEX:
            assert is_convex(expr, z, {y: label})


def test_what_is_not_convex_is_seen():
    assert not is_convex(losses.Theta().formula(y, z), z, {y: 1.0})
    assert not is_convex(losses.Formula("(y - abs(z))**2").formula(y, z), z, {y: 1.0})
    assert is_convex(losses.Formula("(y - abs(z))**2").formula(y, z), z, {y: -1.0})
    assert not is_convex(regularizers.Formula("log(1 + w**2)").formula(w), w, {})


def test_losses_are_the_published_ones():
    at = {y: -1.0, z: 0.6}
    expected = {
        "zero": 0,
        "square": 1.28,
        "logistic": np.log1p(np.exp(0.6)),
        "hinge": 1.6,
        "huber": 1.1,
        "absolute": 1.6,
        "exponential": np.exp(0.6),
        "theta": 1,
        "cross_entropy": np.log1p(np.exp(0.6)),
    }
    for kind, value in expected.items():
        assert float(evaluate(kinds(losses)[kind]().formula(y, z), at)) == pytest.approx(value, rel=1e-14), kind
    assert float(evaluate(losses.CrossEntropy().formula(y, z), {y: 0.0, z: 0.6})) == pytest.approx(np.log1p(np.exp(0.6)))
    assert float(evaluate(losses.Theta("kappa").bind({"kappa": 2}).formula(y, z), {y: 1.0, z: 1.9})) == 1
    assert float(evaluate(regularizers.ElasticNet(0.3, 0.5).formula(w), {w: -2.0})) == pytest.approx(1.6)


def test_activations():
    expected = {"linear": -0.7, "erf": -0.5160727, "relu": 0, "tanh": np.tanh(-0.7), "sign": -1, "quadratic": 0.49}
    for kind, value in expected.items():
        assert float(evaluate(kinds(activations)[kind]().formula(z), {z: -0.7})) == pytest.approx(value, abs=1e-6), kind


@pytest.mark.parametrize(
    "text, found", [("exp(-w**2/2)", "2.50663"), ("1 + 0*w", "does not converge"), ("1/(1 + abs(w))", "integrates to")]
)
def test_density_that_is_not_normalized_is_refused(text, found):
    prior = priors.Density(text).bind({})
    with pytest.raises(NotNormalized, match=found):
        prior.check_mass()
    with pytest.raises(NotNormalized):
        prior.sample(np.random.default_rng(0), (3,))


def test_channel_that_is_not_normalized_is_refused():
    for channel in (
        channels.Density("exp(-(y - z)**2)"),
        channels.Density("sigmoid(y*z)/2", values=(-1, 1)),
        channels.Density("z*y", values=(-1, 1)),
    ):
        with pytest.raises(NotNormalized, match="z = 0.5"):
            channel.sample(np.random.default_rng(0), np.full(3, 0.5))


def test_mass_of_a_density_with_a_divergence_and_of_heavy_tails():
    with np.errstate(divide="ignore"):
        assert mass(0.0, 1.0, lambda x: 0.5 / np.sqrt(x)) == pytest.approx(1, abs=1e-4)
    assert mass(-np.inf, np.inf, lambda x: 1 / (np.pi * (1 + x**2))) == pytest.approx(1, abs=1e-5)
