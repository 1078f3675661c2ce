"""Networks on structured data: trained, copied, frozen and read, and how fast their outputs turn on the hypercube."""

from itertools import product

import numpy as np
import pytest
import sympy as sp

from replica.papers import defrosting
from replica.spec import Spec, load
from simulate.learn.estimate import Estimate
from simulate.learn.features import Layers
from simulate.measure import measure_all
from simulate.naming import with_vector
from simulate.representations import boolean_mean_dimension
from tests.finite_size.trained import trained


def brute_mean_dimension(estimate, d):
    """The spectrum of an output over the hypercube by its Walsh transform."""
    points = np.array(list(product([-1.0, 1.0], repeat=d)))
    values = estimate.field(points)
    sets = np.array(list(product([0, 1], repeat=d)))
    weight = np.array([np.mean(values * np.prod(np.where(chosen, points, 1.0), axis=1)) ** 2 for chosen in sets])
    return sets.sum(axis=1) @ weight / weight[sets.any(axis=1)].sum()


def test_mean_dimension_is_that_of_the_walsh_spectrum():
    rng, z = np.random.default_rng(0), sp.Symbol("z", real=True)
    layers = Layers((rng.standard_normal((12, 8)), rng.standard_normal((6, 12))), (sp.tanh(2 * z), z))
    for estimate in (Estimate(rng.standard_normal(12), layers=layers.up_to(1)), Estimate(rng.standard_normal(6), layers=layers, bias=0.3)):
        expected = brute_mean_dimension(estimate, 8)
        assert expected > 1.05
        assert boolean_mean_dimension(estimate, 8, rng) == pytest.approx(expected, rel=0.04)
    assert boolean_mean_dimension(Estimate(rng.standard_normal(8)), 8, rng) == pytest.approx(1, rel=0.04)


TRANSFER = defrosting.SPEC.replace("batch = 100, steps = 600", "batch = 32, steps = 150").replace(
    "[observables]",
    """[observables]
frozen_layer = { kind = "similarity", between = ["pretrained", "thawed"], layer = 1, measure = "cka" }
trained_layer = { kind = "similarity", between = ["pretrained", "thawed"], layer = 2, measure = "cka" }""",
)


def test_networks_are_trained_copied_frozen_and_read():
    instance, outcome = trained(TRANSFER, 60, alpha_source=6.0, alpha_target=2.0, eta_F=0.8, k=1)
    truth = instance.truth
    assert truth["F_source"].shape == (18, 60) and truth["rule_source"].shape == (18,)
    assert np.mean(truth["F_source"] * truth["F_target"]) == pytest.approx(0.8, abs=0.1)
    net, thawed, head = (outcome.estimates[name] for name in ("pretrained", "thawed", "head"))
    assert net.extras["training_error"] < 0.25
    np.testing.assert_array_equal(net.layers.maps[0], thawed.layers.maps[0])
    assert np.max(np.abs(net.layers.maps[1] - thawed.layers.maps[1])) > 0.05
    rows = np.array([part == "target" for part, _ in instance.cells])[instance.arrays["cell"]]
    x, y = instance.arrays["x"][rows], instance.arrays["y"][rows]
    phi = net.layers(x) / np.sqrt(30)
    slope = phi.T @ (-y / (1 + np.exp(y * (phi @ head.mean)))) + 0.1 * head.mean
    assert np.max(np.abs(slope)) < 1e-6
    found = measure_all(instance, outcome, np.random.default_rng(0))
    assert found["frozen_layer"] == pytest.approx(1, abs=1e-9) and found["trained_layer"] < 0.999
    assert found["generalization_error[pretrained]"] < 0.5


def test_results_of_one_theory_have_the_names_of_runs_of_several_learners():
    found = with_vector(Spec.from_toml(TRANSFER).expand(), {"q": 2.0, "generalization_error": 0.2})
    assert found["q"] == found["q[head,head]"] == 2 and found["generalization_error[head]"] == 0.2
    assert with_vector(load("ridge_linear").expand(), {"q": 2.0}) == {"q": 2.0}
