"""Couplings between weights: what is drawn, the energy, and annealing against exact enumeration."""

from itertools import combinations, product
from math import factorial, prod

import numpy as np
import pytest

from replica import laws
from replica.spec import Spec
from simulate.draw import draw
from simulate.instance import Unsupported
from simulate.learn.couplings import Couplings
from simulate.runs import simulate

HEAD = 'format = 1\nname = "disorder"\n'
GLASS = (
    HEAD
    + """
[data]
law = {{ kind = "pspin", p = {p} }}
[student]
protocol = {{ kind = "gibbs", beta = "beta" }}
prior = "{prior}"
[controls]
beta = {{ value = inf, domain = "(0, inf]" }}
"""
)
HOPFIELD = (
    HEAD
    + """
[latent.pattern]
prior = "binary"
[data]
law = { kind = "hopfield", load = "alpha", condensed = "pattern" }
[student]
protocol = { kind = "gibbs", beta = "beta" }
prior = "binary"
[observables]
retrieval = { cosine = ["student", "pattern"] }
[controls]
alpha = { value = 0.05, domain = "[0, inf)" }
beta = { value = 10.0, domain = "(0, inf]" }
[run]
algorithms = [{ kind = "annealing", sweeps = 200 }]
"""
)
SPIKED = (
    HEAD
    + """
[latent.spike]
prior = "binary"
[data]
law = { kind = "spiked", of = ["spike"], snr = "snr" }
[student]
protocol = "bayes"
target = "spike"
[controls]
snr = { value = 2.0, domain = "[0, inf)" }
"""
)


def glass(p=2, prior="binary"):
    return Spec.from_toml(GLASS.format(p=p, prior=prior))


def direct(J, squares, w):
    """The energy by its definition, term by term."""
    d, p = len(w), J.ndim
    pairs = sum(w[i] ** 2 * w[j] ** 2 for i, j in combinations(range(d), 2))
    return -sum(J[places] * prod(w[list(places)]) for places in combinations(range(d), p)) + squares * pairs


@pytest.mark.parametrize("p", [2, 3, 4])
def test_energy_is_the_sum_over_groups_of_weights(p):
    rng = np.random.default_rng(p)
    J = laws.PSpin(p=p).bind({}).couplings(rng, 7, {})
    w = rng.standard_normal((5, 7))
    found = Couplings(J, 0.3).energy(w)
    np.testing.assert_allclose(found, [direct(J, 0.3, row) for row in w], rtol=1e-12, equal_nan=False)


@pytest.mark.parametrize(("p", "d"), [(2, 300), (3, 50)])
def test_couplings_have_the_declared_variance(p, d):
    J = laws.PSpin(p=p).bind({}).couplings(np.random.default_rng(1), d, {})
    values = np.array([J[places] for places in combinations(range(d), p)])
    assert np.var(values) == pytest.approx(factorial(p) / (2 * d ** (p - 1)), rel=6 * np.sqrt(2 / values.size))
    np.testing.assert_array_equal(J, np.swapaxes(J, 0, p - 1))
    assert not J[np.arange(d), np.arange(d)].any()


def test_hebbian_couplings_keep_the_condensed_pattern():
    spec = Spec.from_toml(HOPFIELD).expand()
    alone = draw(spec, spec.at({"alpha": 0.01}), 100, 0)
    pattern = alone.truth["pattern"]
    np.testing.assert_allclose(alone.arrays["J"], np.outer(pattern, pattern) / 100 - np.eye(100) / 100, atol=1e-14, equal_nan=False)
    many = draw(spec, spec.at({"alpha": 0.3}), 100, 0).arrays["J"]
    assert np.linalg.matrix_rank(many + 0.3 * np.eye(100)) == 30


def test_spiked_energy_is_minus_the_log_likelihood():
    rng, d, snr = np.random.default_rng(2), 9, 1.7
    law = laws.Spiked(of=("spike",), snr=snr).bind({})
    strength = np.sqrt(snr / d)
    Y = law.couplings(rng, d, {"spike": rng.standard_normal(d)}) / strength
    w = rng.standard_normal((4, d))
    above = np.triu_indices(d, 1)
    log_likelihood = np.array([-np.sum((Y - strength * np.outer(v, v))[above] ** 2) / 2 for v in w])
    energy = Couplings(strength * Y, law.squares(d)).energy(w)
    np.testing.assert_allclose(energy - energy[0], log_likelihood[0] - log_likelihood, rtol=1e-10, equal_nan=False)


def test_a_second_spike_is_in_the_matrix():
    a, b = np.eye(2, 40) * 20
    J = laws.Spiked(of=("a", "b"), snr=4).bind({}).couplings(np.random.default_rng(0), 40, {"a": a + b, "b": b})
    assert J[0, 1] == pytest.approx(4 / 40 * 400, rel=0.05)


@pytest.mark.parametrize(("p", "d"), [(2, 12), (3, 10)])
def test_annealing_finds_the_exact_ground_states(p, d):
    exact, found = (simulate(glass(p), sizes=(d,), seeds=8, algorithm=name) for name in ("enumeration", "annealing"))
    np.testing.assert_allclose(found.values("energy", d), exact.values("energy", d), rtol=1e-12, equal_nan=False)


def test_enumerated_minimum_is_the_smallest_energy():
    spec = glass(3).expand()
    J = draw(spec, spec.at({}), 8, 0).arrays["J"]
    least = min(direct(J, 0.0, np.array(w)) for w in product((-1.0, 1.0), repeat=8))
    assert simulate(spec, sizes=(8,), seeds=1, algorithm="enumeration").values("energy", 8)[0] == pytest.approx(least / 8, rel=1e-12)


def test_spherical_ground_state_of_pairs_is_the_top_eigenvector():
    spec = glass(2, "spherical").expand()
    found = simulate(spec, sizes=(30,), seeds=4).values("energy", 30)
    tops = [np.linalg.eigvalsh(draw(spec, spec.at({}), 30, seed).arrays["J"])[-1] / 2 for seed in range(4)]
    np.testing.assert_allclose(found, -np.array(tops), rtol=1e-2, equal_nan=False)
    assert np.all(found >= -np.array(tops) - 1e-12)


def test_thermal_energy_is_exact():
    both = (simulate(glass(), {"beta": 0.8}, (10,), 12, algorithm=name) for name in ("enumeration", "annealing"))
    exact, sampled = (runs.values("energy", 10) for runs in both)
    np.testing.assert_allclose(sampled, exact, atol=0.03, equal_nan=False)
    assert abs(np.mean(sampled - exact)) < 0.006


def test_spiked_posterior_of_chains_is_exact():
    exact, sampled = (simulate(Spec.from_toml(SPIKED), sizes=(12,), seeds=12, algorithm=name) for name in ("enumeration", "annealing"))
    assert len(sampled.failures) <= 2
    seeds = [row.seed for row in sampled.rows if row.observable == "m"]
    for name in ("m", "q"):
        np.testing.assert_allclose(sampled.values(name, 12), exact.values(name, 12)[seeds], atol=0.06, equal_nan=False)


def test_retrieval_is_lost_at_high_load():
    spec = Spec.from_toml(HOPFIELD)
    assert np.all(simulate(spec, sizes=(150,), seeds=4).values("retrieval", 150) > 0.97)
    assert np.mean(simulate(spec, {"alpha": 0.5, "beta": np.inf}, (150,), 4).values("retrieval", 150)) < 0.6


def test_what_a_spec_cannot_do_is_one_line():
    with pytest.raises(Unsupported, match="needs samples; couplings between weights can be annealed or enumerated"):
        simulate(glass(), sizes=(10,), seeds=1, algorithm="amp")
    with pytest.raises(Unsupported, match=r"enumeration of 2\*\*30 weight vectors is too long"):
        simulate(glass(), sizes=(30,), seeds=1, algorithm="enumeration")
    with pytest.raises(Unsupported, match="made of atoms or a sphere, not 'gaussian'"):
        simulate(glass(prior="gaussian"), {"beta": 1.0}, (10,), 1)
    with pytest.raises(Unsupported, match="couplings between 3 of 500 weights are too many"):
        simulate(glass(3), sizes=(500,), seeds=1)


@pytest.mark.slow
def test_ground_state_of_sk_approaches_the_limit():
    runs = simulate(glass(), sizes=(32, 64, 128), seeds=32)
    for d in (32, 64, 128):
        values = runs.values("energy", d)
        assert abs(values.mean() - (-0.76317 + 0.70 * d ** (-2 / 3))) < 4 * values.std(ddof=1) / np.sqrt(len(values)) + 0.003
