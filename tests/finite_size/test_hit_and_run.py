"""Samples of solutions on a sphere against rejection sampling, and what lies between two of them."""

import numpy as np
import pytest

from replica.spec import Spec
from simulate.finite_size import average
from simulate.instance import Unsupported
from simulate.learn.hit_and_run import find, free_angle, move
from simulate.runs import simulate

TWO = """
format = 1
name = "two margins"
[learner.a]
protocol = { kind = "gibbs", beta = inf }
prior = "PRIOR"
loss = { kind = "theta", margin = "kappa" }
[learner.b]
like = "a"
loss = { kind = "theta", margin = "kappa_high" }
[observables]
both = { cosine = ["a", "b"] }
barrier = { kind = "geodesic_energy", vertices = ["a", "b"], at = "gamma", margin = "kappa" }
[controls]
alpha = { value = 1.0, domain = "(0, inf)" }
kappa = { value = -0.5, domain = "(-inf, inf)" }
kappa_high = { value = -0.5, domain = "(-inf, inf)" }
gamma = { value = 0.5, domain = "[0, 1]" }
"""


@pytest.mark.parametrize(("d", "n", "margin"), [(4, 5, 0.0), (4, 9, -0.7), (3, 2, 0.2)])
def test_the_uniform_measure_is_kept(d, n, margin):
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((n, d)) / np.sqrt(d)
    rows *= np.sign(rows[:, :1])  # so that there are solutions, near the first axis
    everywhere = rng.standard_normal((200_000, d))
    everywhere *= np.sqrt(d) / np.linalg.norm(everywhere, axis=1, keepdims=True)
    exact = everywhere[np.all(everywhere @ rows.T >= margin, axis=1)]
    assert len(exact) > 2000
    w = exact[0].copy()
    found = np.empty((3000, d))
    for row in found:
        move(rows, rows @ rows.T, margin, w, 2, rng)
        row[:] = w
    assert np.min(found @ rows.T) > margin - 1e-9
    np.testing.assert_allclose(np.sum(found**2, axis=1), d, rtol=1e-9, equal_nan=False)
    for feature in (lambda x: x, lambda x: (x[:, :, None] * x[:, None, :]).reshape(len(x), -1), lambda x: x @ rows.T > margin + 0.3):
        own, theirs = feature(found).astype(float), feature(exact).astype(float)
        blocks = own.reshape(30, 100, -1).mean(axis=1)
        error = np.sqrt(blocks.var(axis=0, ddof=1) / 30 + theirs.var(axis=0) / len(theirs)) + 1e-9
        assert np.max(np.abs(own.mean(axis=0) - theirs.mean(axis=0)) / error) < 5


def test_free_arcs_are_all_of_them():
    rng = np.random.default_rng(6)
    grid = np.linspace(0, 2 * np.pi, 200_001)
    for margin in (-1.2, -0.3, 0.0, 0.3):
        z, u = np.abs(rng.standard_normal(6)) + max(margin, 0), rng.standard_normal(6)
        free = np.all(np.outer(np.cos(grid), z) + np.outer(np.sin(grid), u) >= margin, axis=1)
        total = free.mean()
        for part in (0.1, 0.5, 0.9):
            angle = free_angle(z, u, margin, part)
            assert np.mean(free & (grid < angle)) / total == pytest.approx(part, abs=1e-3)


def test_a_first_solution_is_found_or_its_absence_said():
    rng = np.random.default_rng(7)
    rows = rng.standard_normal((80, 80)) / np.sqrt(80)
    start = rng.standard_normal(80) * np.sqrt(80) / np.linalg.norm(rng.standard_normal(80))
    w = find(rows, 0.0, start)
    assert np.all(rows @ w >= 0) and np.linalg.norm(w) == pytest.approx(np.linalg.norm(start))
    assert find(np.concatenate([rows, -rows]), 0.1, start) is None


def test_barrier_between_typical_solutions():
    """Replica theory gives 0.0100 per weight half way, at alpha = 1 and margin -1/2, and an overlap that both learners share."""
    runs = simulate(Spec.from_toml(TWO.replace("PRIOR", "spherical")), sizes=(40,), seeds=12)
    assert runs.algorithm == "hit_and_run" and not runs.failures
    barrier = average(runs.values("barrier", 40), 40)
    assert barrier.stderr < 0.002
    assert abs(barrier.value - 0.0100) < 4 * barrier.stderr
    np.testing.assert_allclose(runs.values("both", 40), runs.values("q[a,b]", 40), rtol=1e-12, equal_nan=False)
    assert np.mean(runs.values("q[a,b]", 40)) == pytest.approx(np.mean(runs.values("q[a,a]", 40)), abs=0.02)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_no_energy_at_the_ends(gamma):
    spec = Spec.from_toml(TWO.replace("PRIOR", "spherical"))
    assert np.all(simulate(spec, {"gamma": gamma, "kappa_high": -0.2}, (30,), 2).values("barrier", 30) == 0)


def test_refusals_are_sentences():
    with pytest.raises(Unsupported, match="needs a spherical prior, not 'binary'"):
        simulate(Spec.from_toml(TWO.replace("PRIOR", "binary")), sizes=(20,), seeds=1)
    runs = simulate(Spec.from_toml(TWO.replace("PRIOR", "spherical")), {"kappa": 1.0, "alpha": 4.0}, (20,), 1)
    assert "a: no weights with all margins above 1 were found" in runs.failures[0].sentence
