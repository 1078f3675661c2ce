"""Trained means of random signs: gradients of the declared and of the derived loss, symmetries, the theory's energy, and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import derive
from replica.spec import Spec, load
from simulate.algorithms.gradient_ascent import GradientAscent
from simulate.algorithms.stochastic_weights import StochasticWeights
from simulate.draw import draw
from simulate.instance import Instance, Unsupported
from simulate.iteration import Status
from simulate.iteration.options import options_of
from simulate.learn.held import held
from simulate.runs import simulate
from tests.contracts.test_algorithms import MEANS

SIGNS = load("binary_storage")


def declared():
    return Spec.from_toml(MEANS)


def made(cls, name, instance, **options):
    return cls(instance, options_of(instance.spec, name, instance.at, options))


@pytest.fixture(scope="module")
def pair():
    """The declared loss of means, and the derived one of signs, on the same samples."""
    full, signs = declared().expand(), SIGNS.expand()
    instance = draw(full, full.at({"q_star": 0.6}), 30, 0)
    same = Instance(signs, signs.at({"alpha": 0.5}), 30, 0, instance.arrays, {}, instance.cells)
    return made(GradientAscent, "gradient_ascent", instance), made(StochasticWeights, "stochastic_weights", same)


def test_the_gradient_is_that_of_the_declared_loss(pair):
    one, _ = pair
    rng = np.random.default_rng(0)
    w, direction = rng.uniform(-1, 1, 30), rng.standard_normal(30)
    _, gradient = one.slope(w, 0.6)
    rise = (one.slope(w + 1e-6 * direction, 0.6)[0] - one.slope(w - 1e-6 * direction, 0.6)[0]) / 2e-6
    assert gradient @ direction == pytest.approx(rise, rel=1e-7)


def test_the_loss_of_means_follows_from_that_of_signs(pair):
    """Up to the mean square of the inputs, which the declaration takes for 1."""
    one, other = pair
    w = held(np.random.default_rng(1).standard_normal(30), 0.6, -1, 1)
    certainty = 1 - 0.4 / other.matrix.power
    (energy, gradient), (derived, same) = one.slope(w, 0.6), other.slope(w, certainty)
    assert derived == pytest.approx(energy, rel=1e-12)
    np.testing.assert_allclose(same, gradient, rtol=1e-10)


def test_steps_do_not_know_the_order_of_samples_and_weights_nor_their_signs(pair):
    rng = np.random.default_rng(2)
    for one, norm in zip(pair, (0.6, 0.5), strict=True):
        instance = one.instance
        rows, columns, signs = rng.permutation(15), rng.permutation(30), rng.choice([-1.0, 1.0], 30)
        arrays = {**instance.arrays, "x": instance.arrays["x"][rows][:, columns] * signs, "y": instance.arrays["y"][rows]}
        other = type(one)(Instance(instance.spec, instance.at, 30, 0, arrays, {}, instance.cells), one.options, "cpu", one.common)
        here = one.begun(rng, norm)
        there = {**here, "w": here["w"][columns] * signs, "before": here["before"][columns] * signs}
        for _ in range(5):
            one.move(here, norm, 0.1)
            other.move(there, norm, 0.1)
        np.testing.assert_allclose(there["w"], here["w"][columns] * signs, atol=1e-10)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99), st.floats(0.3, 2), st.floats(0.3, 2))
def test_held_weights_are_the_nearest_allowed(seed, part, low, high):
    """A multiple of what is given, cut off; nothing else of that length in the range has a larger product with it."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(20)
    norm = part * float(np.mean(np.where(w > 0, high, low) ** 2))
    found = held(w, norm, -low, high)
    assert np.mean(found**2) == pytest.approx(norm, rel=1e-9) and found.min() >= -low and found.max() <= high
    for _ in range(10):
        other = held(found + 0.1 * rng.standard_normal(20), norm, -low, high)
        assert other @ w <= found @ w + 1e-9


def test_a_length_out_of_reach_is_said():
    assert held(np.array([1.0, -2.0, 0.0]), 3.0).tolist() == pytest.approx([9**0.5 / 5**0.5, -2 * 9**0.5 / 5**0.5, 0.0])
    assert held(np.array([0.1, -2.0]), 1.0, -1, 1).tolist() == [1.0, -1.0]
    with pytest.raises(Unsupported, match="cannot be reached by weights between -1 and 1"):
        held(np.array([1.0, 0.0]), 0.9, -1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("q_star", [0.3, 0.6])
def test_the_least_energy_of_means_is_that_of_the_theory(q_star):
    (point,) = solve(compile_theory(derive(declared())), {"q_star": q_star})
    runs = simulate(declared(), {"q_star": q_star}, [200], 12, "gradient_ascent", options={"rate": 0.1, "momentum": 0.9})
    assert {record.status for record in runs.records.values()} == {Status.CONVERGED}
    energy = runs.values("energy", 200)
    assert abs(energy.mean() - point.observables["energy"]) < 4 * energy.std(ddof=1) / 12**0.5 + 1 / 200


@pytest.mark.slow
def test_the_energy_on_the_way_lies_beside_that_of_the_theory():
    """Means are driven to certainty slowly enough that they stay near the lowest energy, where symmetry holds."""
    module = compile_theory(derive(declared()))
    runs = simulate(SIGNS, {"alpha": 0.5, "kappa": 0.0}, [500], 8, "stochastic_weights", options={"steps": 3000})
    certainty, energy = (runs.history(name, 500)[1] for name in ("q_star", "energy_of_means"))
    assert runs.values("energy", 500).tolist() == [0.0] * 8
    for q_star in (0.4, 0.6, 0.7):
        found = [np.interp(q_star, c[~np.isnan(c)], e[~np.isnan(c)]) for c, e in zip(certainty, energy, strict=True)]
        (point,) = solve(module, {"q_star": q_star})
        assert abs(np.mean(found) - point.observables["energy"]) < 4 * np.std(found, ddof=1) / 8**0.5 + 1 / 500


def test_solutions_are_found_and_are_solutions():
    runs = simulate(SIGNS, {"alpha": 0.4, "kappa": 0.0}, [201], 3, "stochastic_weights")
    assert [record.status for record in runs.records.values()] == [Status.SOLVED] * 3
    assert np.all(runs.values("energy", 201) == 0)
    runs = simulate(SIGNS, {"alpha": 2.0, "kappa": 0.0}, [51], 1, "stochastic_weights", options={"steps": 60})
    assert [record.status for record in runs.records.values()] == [Status.LIMIT] and runs.failures


@pytest.mark.parametrize(
    ("name", "algorithm", "sentence"),
    [
        ("logistic_sign", "stochastic_weights", "few values"),
        ("binary_storage", "gradient_ascent", "has no slope to follow"),
        ("bayes_binary", "gradient_ascent", "a learner with a loss"),
        ("sk", "gradient_ascent", "need samples"),
    ],
)
def test_what_cannot_be_trained_is_said(name, algorithm, sentence):
    with pytest.raises(Unsupported, match=sentence):
        simulate(load(name), {}, [30], 1, algorithm)


def test_convex_energies_have_the_minimum_of_the_optimizer():
    spec = load("logistic_sign")
    found = simulate(spec, {}, [30], 2, "gradient_ascent", options={"rate": 0.3, "momentum": 0.8, "tolerance": 1e-9})
    np.testing.assert_allclose(found.values("q", 30), simulate(spec, {}, [30], 2, "erm").values("q", 30), rtol=1e-6)
