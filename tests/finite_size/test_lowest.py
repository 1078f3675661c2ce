"""Low energies of learners without a convex energy, and learners of an imposed norm."""

import numpy as np
import pytest

from replica.spec import Spec, SpecError
from simulate.draw import draw
from simulate.instance import Unsupported
from simulate.learn.target import target_of
from simulate.runs import simulate

BINARY = """
format = 1
name = "too many patterns"
[student]
protocol = "erm"
prior = "binary"
loss = "theta"
[controls]
alpha = { value = 1.5, domain = "(0, inf)" }
[run]
algorithms = [{ kind = "annealing", sweeps = 100 }]
"""
FREE = """
format = 1
name = "free weights"
[teacher]
prior = "gaussian"
channel = CHANNEL
[student]
protocol = "erm"
loss = LOSS
regularizer = { kind = "ridge", strength = 0.5 }
[controls]
alpha = { value = 1.5, domain = "(0, inf)" }
"""
HELD = """
format = 1
name = "stochastic synapses"
[student]
protocol = { kind = "gibbs", beta = "beta" }
prior = { kind = "uniform", low = -1, high = 1 }
self_overlap = "norm"
loss = { formula = "-log(H(-y*z / sqrt(1 - norm)))" }
[observables]
length = { overlap = ["student", "student"] }
[controls]
alpha = { value = 1.0, domain = "(0, inf)" }
beta = { value = 3.0, domain = "(0, inf]" }
norm = { value = 0.5, domain = "(0, 1)" }
"""


def test_annealing_reaches_the_enumerated_minimum():
    spec = Spec.from_toml(BINARY)
    exact, found = (simulate(spec, sizes=(12,), seeds=6, algorithm=name) for name in ("enumeration", "annealing"))
    np.testing.assert_allclose(found.values("energy", 12), exact.values("energy", 12), atol=1e-12, equal_nan=False)
    np.testing.assert_allclose(found.values("training_error", 12) * 18 / 12, exact.values("energy", 12), atol=1e-12, equal_nan=False)
    assert np.all(np.abs(found.values("overlap_restarts", 12)) <= 1 + 1e-12)


def test_a_sphere_is_annealed_below_its_typical_energy():
    spec = Spec.from_toml(BINARY.replace('"binary"', '"spherical"'))
    low = simulate(spec, {"alpha": 3.0}, (20,), 2)
    assert low.algorithm == "annealing"
    assert np.all(low.values("q", 20) == pytest.approx(1.0))
    assert np.all(low.values("training_error", 20) < 0.35)


def test_descent_ends_in_the_minimum_of_a_convex_energy():
    spec = Spec.from_toml(FREE.replace("CHANNEL", '{ kind = "linear", variance = 0.3 }').replace("LOSS", '"square"'))
    newton, descent = (simulate(spec, sizes=(30,), seeds=2, algorithm=name) for name in ("erm", "gradient_descent"))
    np.testing.assert_allclose(descent.values("energy", 30), newton.values("energy", 30), rtol=1e-8, equal_nan=False)
    assert np.all(descent.values("restarts_at_minimum", 30) == 1)


def test_descent_in_a_rugged_energy_depends_on_the_start():
    spec = Spec.from_toml(FREE.replace("CHANNEL", '"abs"').replace("LOSS", '{ formula = "(y - abs(z))**2" }'))
    runs = simulate(spec, sizes=(20,), seeds=2, algorithm="gradient_descent")
    assert len(runs.values("energy", 20)) == 2
    assert np.all(runs.values("restarts_at_minimum", 20) < 1)
    assert np.all(np.abs(runs.values("overlap_restarts", 20)) < 0.9)


def test_an_imposed_norm_is_kept_and_its_measure_is_uniform():
    """Three weights: the measure is that of the sphere inside the cube, summed here over random points."""
    spec = Spec.from_toml(HELD)
    runs = simulate(spec, sizes=(3,), seeds=4)
    assert runs.algorithm == "monte_carlo"
    assert np.all(runs.values("length", 3) == pytest.approx(0.5, abs=1e-12))
    points = np.random.default_rng(0).standard_normal((100_000, 3))
    points *= np.sqrt(1.5) / np.linalg.norm(points, axis=1, keepdims=True)
    points = points[np.all(np.abs(points) <= 1, axis=1)]
    assert not runs.failures
    full = spec.expand()
    for seed in range(4):
        instance = draw(full, full.at({}), 3, seed)
        target = target_of(instance, full.learners["student"])
        fields = points @ instance.arrays["x"].T / np.sqrt(3)
        level = target.log_likelihood(np.broadcast_to(instance.arrays["y"], fields.shape), fields).sum(axis=1)
        chance = np.exp(level - level.max())
        chance /= chance.sum()
        assert runs.values("energy", 3)[seed] == pytest.approx(-(chance @ level) / 3.0 / 3, rel=0.1)
        assert runs.values("q", 3)[seed] == pytest.approx(np.sum((chance @ points) ** 2) / 3, abs=0.06)


def test_refusals_are_sentences():
    with pytest.raises(Unsupported, match="does not impose self_overlap; take monte_carlo"):
        simulate(Spec.from_toml(HELD), sizes=(10,), seeds=1, algorithm="amp")
    with pytest.raises(Unsupported, match="ends at zero temperature"):
        simulate(Spec.from_toml(HELD), sizes=(10,), seeds=1, algorithm="annealing")
    with pytest.raises(Unsupported, match="takes an erm learner with free weights, found a learner with 'prior'"):
        simulate(Spec.from_toml(BINARY), sizes=(10,), seeds=1, algorithm="gradient_descent")
    reached = Spec.from_toml(HELD.replace('"(0, 1)"', '"(0, 4)"').replace("sqrt(1 - norm)", "sqrt(5 - norm)"))
    with pytest.raises(SpecError, match=r"cannot be reached; it lies in \[0, 1\]"):
        simulate(reached, {"norm": 1.5}, (10,), 1)
