"""Algorithms that take steps: one protocol, symmetries of message passing, resume, and how runs end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replica.spec import Spec, load
from simulate.algorithms import ALGORITHMS
from simulate.algorithms.gamp import GAMP
from simulate.algorithms.gasp import GASP
from simulate.algorithms.parts.matrix import Matrix
from simulate.draw import draw
from simulate.instance import Instance, Unsupported
from simulate.iteration import Status, solver
from simulate.iteration import run as running
from simulate.iteration.options import options_of
from simulate.learn import stages
from simulate.runs import simulate

SIGNS = """
format = 1
name = "storage, inputs of signs"
[student]
protocol = { kind = "gibbs", beta = inf }
prior = "binary"
loss = "theta"
[data]
law = "iid"
[controls]
alpha = { value = 0.5, domain = "(0, inf)" }
"""
POOL = """
format = 1
name = "pool of samples"
[teacher]
prior = "spherical"
channel = "sign"
[data]
alpha = 3
selection = { kind = "tilted", keep = "budget", by = "log_volume", tilt = 0 }
[student]
protocol = { kind = "gibbs", beta = inf }
loss = "theta"
prior = "spherical"
[controls]
budget = { value = 1.0, domain = "(0, inf)" }
"""
MEANS = """
format = 1
name = "means of random signs"
[student]
protocol = { kind = "gibbs", beta = inf }
prior = { kind = "uniform", low = -1, high = 1 }
self_overlap = "q_star"
loss = { formula = "-log(H(-y*z / sqrt(1 - q_star)))" }
[controls]
alpha = { value = 0.5, domain = "(0, inf)" }
q_star = { value = 0.5, domain = "(0, 1)" }
"""
RESUMED = {  # algorithm -> spec, controls, size, options: a run of more than four steps
    "amp": ("logistic_sign", {}, 40, {"restarts": 0}),
    "annealing": ("binary_storage", {"alpha": 0.5}, 41, {"sweeps": 4, "restarts": 2}),
    "bp": ("binary_storage", {"alpha": 0.4}, 41, {}),
    "edmc": ("binary_storage", {"alpha": 0.6}, 61, {"share": 0}),
    "focusing_bp": ("binary_storage", {"alpha": 0.5}, 61, {}),
    "gamp": ("logistic_sign", {}, 40, {}),
    "gradient_ascent": (MEANS, {}, 40, {}),
    "gasp": ("phase_retrieval", {"alpha": 2.5}, 40, {"steps": 12, "restarts": 1}),
    "label_informed": (POOL, {}, 30, {"batch": 4}),
    "max_sum": (SIGNS, {"alpha": 0.5}, 61, {}),
    "query_by_committee": (POOL, {}, 30, {"batch": 4, "members": 4}),
    "random_sampling": (POOL, {}, 30, {"batch": 4}),
    "reinforced_bp": ("binary_storage", {"alpha": 0.5}, 61, {}),
    "replicated_annealing": ("binary_storage", {"alpha": 0.6}, 41, {"sweeps": 10, "restarts": 1}),
    "replicated_sgd": ("binary_storage", {"alpha": 0.6}, 61, {"y": 3}),
    "sbpi": ("binary_storage", {"alpha": 0.6}, 101, {}),
    "stochastic_weights": ("binary_storage", {"alpha": 0.4}, 41, {}),
    "uncertainty_sampling": (POOL, {}, 30, {"batch": 4}),
}
ON_CLAUSES = {  # the same, of problems that are not samples
    "annealing of clauses": ("random_ksat", {"alpha": 3.0}, 40, {"sweeps": 20}),
    "bp of clauses": ("random_ksat", {"alpha": 2.0}, 40, {}),
    "edmc of clauses": ("random_ksat", {"alpha": 4.4}, 40, {"sweeps": 5, "steps": 12}),
    "focusing_bp of clauses": ("random_ksat", {"alpha": 4.2}, 80, {"steps": 40}),
}


def instance_of(name, d, seed=0, **at):
    spec = load(name).expand()
    return draw(spec, spec.at(at), d, seed)


def made(cls, instance, **options):
    name = cls.__name__.lower()
    return cls(instance, options_of(instance.spec, name, instance.at, options))


def ran(algorithm, seed=0):
    return running.run(algorithm, lambda attempt: np.random.default_rng([seed, attempt]))


@pytest.fixture(scope="module")
def gasp():
    return made(GASP, instance_of("phase_retrieval", 30, alpha=2.0))


@pytest.fixture(scope="module")
def gamp():
    return made(GAMP, instance_of("logistic_sign", 30, alpha=2.0))


def again(algorithm, instance):
    """The same algorithm on another instance of the same point."""
    return type(algorithm)(instance, algorithm.options, "cpu", algorithm.common)


def moved(instance, rows, columns, signs):
    arrays = dict(instance.arrays)
    arrays |= {"x": arrays["x"][rows][:, columns] * signs, "y": arrays["y"][rows]}
    truth = {name: w[columns] * signs for name, w in instance.truth.items()}
    return Instance(instance.spec, instance.at, instance.size, instance.seed, arrays, truth, instance.cells, instance.blocks)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["gamp", "gasp"]))
def test_steps_do_not_know_the_order_of_samples_and_weights_nor_their_signs(gamp, gasp, seed, which):
    one = {"gamp": gamp, "gasp": gasp}[which]
    rng = np.random.default_rng(seed)
    n, d = one.instance.arrays["x"].shape
    rows, columns, signs = rng.permutation(n), rng.permutation(d), rng.choice([-1.0, 1.0], d)
    other = again(one, moved(one.instance, rows, columns, signs))
    here = one.init(rng, 0)
    there = {**here, "mean": here["mean"][columns] * signs, "score": here["score"][rows]}
    for _ in range(4):
        one.step(here, rng)
        other.step(there, rng)
    np.testing.assert_allclose(there["mean"], here["mean"][columns] * signs, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(there["score"], here["score"][rows], rtol=1e-6, atol=1e-9)


def test_damping_moves_no_fixed_point(gamp):
    found = []
    for damping in (0.0, 0.6):
        algorithm = made(GAMP, gamp.instance, damping=damping, tolerance=1e-11, steps=2000)
        outcome, record = ran(algorithm, seed=1)
        assert record.status is Status.CONVERGED
        found.append(outcome.estimates["student"].mean)
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)


@pytest.mark.parametrize("name", ["logistic_sign", "hinge_sign", "lasso", "ridge_linear", "huber_contaminated"])
def test_fixed_points_are_minima_of_the_energy(name):
    """The optimizer that trains finite systems never sees a derived equation."""
    spec = load(name).expand()
    at = spec.at({"lambda": 0.4})
    instance = draw(spec, at, 60, 3)
    outcome, record = ran(made(GAMP, instance, tolerance=1e-10, steps=4000))
    assert record.status is Status.CONVERGED, record
    (best,) = stages.solve([instance], "cpu", {})
    np.testing.assert_allclose(outcome.estimates["student"].mean, best.estimates["student"].mean, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "case"),
    [(n, n) for n in sorted(ALGORITHMS) if ALGORITHMS[n].startswith("simulate.algorithms.")] + [(n.split()[0], n) for n in ON_CLAUSES],
)
def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not_been(name, case, tmp_path, monkeypatch):
    assert name in RESUMED, f"say in RESUMED how {name} is run"
    spec, at, d, options = (RESUMED | ON_CLAUSES)[case]

    def go(**more):
        return simulate(Spec.from_toml(spec) if "\n" in spec else load(spec), at, [d], [3], name, options=options, **more)

    whole = go()
    cls = solver.class_of(__import__(ALGORITHMS[name], fromlist=["_"]))
    step, taken = cls.step, [0]

    def cut(self, state, rng):
        taken[0] += 1
        if taken[0] == 4:
            raise KeyboardInterrupt
        step(self, state, rng)

    monkeypatch.setattr(running, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(cls, "step", cut)
    with pytest.raises(KeyboardInterrupt):
        go(resume=tmp_path)
    monkeypatch.setattr(cls, "step", step)
    resumed = go(resume=tmp_path)
    assert resumed.rows == whole.rows
    assert resumed.failures == whole.failures
    for key, values in whole.records[d, 3].history.items():
        np.testing.assert_array_equal(resumed.records[d, 3].history[key], values)
    monkeypatch.setattr(cls, "step", lambda *_: pytest.fail("a finished run takes no step"))
    assert go(resume=tmp_path).rows == whole.rows


def test_a_damaged_file_of_a_run_is_named(tmp_path):
    simulate(load("logistic_sign"), {}, [20], [0], "gamp", resume=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(Unsupported, match="damaged; remove it to start anew"):
        simulate(load("logistic_sign"), {}, [20], [0], "gamp", resume=tmp_path)


def test_runs_that_fail_say_how(gamp):
    """Equal columns are far from independent ones, and message passing without damping runs away on them."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 1)) + 0.01 * rng.standard_normal((60, 30))
    y = rng.choice([-1.0, 1.0], 60)
    runs = simulate(load("square_sign"), {"lambda": 0.01}, algorithm="gamp", data=(X, y), options={"steps": 300, "restarts": 0})
    assert runs.records[30, 0].status is Status.DIVERGED
    assert not runs.succeeded and runs.values("success", 30) == [0.0]
    assert "diverges" in runs.failures[0].sentence
    runs = simulate(load("logistic_sign"), {}, [30], [0], "gamp", options={"steps": 2, "restarts": 1})
    assert runs.records[30, 0].status is Status.LIMIT and runs.records[30, 0].attempts == 2


def test_own_data_are_fitted():
    X, y = np.random.default_rng(1).standard_normal((80, 20)), np.repeat([-1.0, 1.0], 40)
    runs = simulate(load("logistic_sign"), {}, algorithm="gamp", data=(X, y), options={"tolerance": 1e-9})
    assert runs.at["alpha"] == 4.0 and runs.sizes == (20,)
    assert set(runs.observables) >= {"q", "training_loss", "training_error", "success", "steps"}
    same = simulate(load("logistic_sign"), {}, algorithm="erm", data=(X, y))
    assert runs.values("q", 20) == pytest.approx(same.values("q", 20), rel=1e-6)


def wrong(change):
    X, y = np.ones((8, 3)), np.repeat([-1.0, 1.0], 4)
    X, y = change(X, y)
    return X, y


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda X, y: (np.where(np.eye(8, 3) > 0, np.nan, X), y), "3 of 24 entries of X are NaN or infinite, the first in row 0"),
        (lambda X, y: (X, y[:-1]), "found 8 rows in X and 7 labels in y"),
        (lambda X, y: (X[0], y), "X must be a table of samples by inputs, found an array of shape (3,)"),
        (lambda X, y: (X, y * 2), "8 of 8 labels cannot come from the channel of this spec: -2 2 (allowed: -1 1)"),
        (lambda X, y: (X + 1j, y), "X must hold real numbers"),
    ],
)
def test_data_that_cannot_be_are_refused_in_one_line(change, sentence):
    with pytest.raises(Unsupported) as caught:
        simulate(load("logistic_sign"), {}, algorithm="gamp", data=wrong(change))
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_products_by_torch_are_those_of_numpy(gamp):
    x, rng = gamp.instance.arrays["x"], np.random.default_rng(0)
    w, g = rng.standard_normal(x.shape[1]), rng.standard_normal(x.shape[0])
    one, other = Matrix(x), Matrix(x, "cpu:0")
    np.testing.assert_allclose(other.fields(w), one.fields(w), rtol=1e-12)
    np.testing.assert_allclose(other.pulls(g), one.pulls(g), rtol=1e-12)


def test_options_are_checked():
    for options, sentence in (
        ({"speed": 1}, "no option 'speed' (takes: damping tolerance steps restarts)"),
        ({"damping": 1.5}, "must lie in [0, 1)"),
    ):
        with pytest.raises(Unsupported) as caught:
            simulate(load("logistic_sign"), {}, [10], 1, "gamp", options=options)
        assert sentence in str(caught.value)
    with pytest.raises(Unsupported, match="takes no steps"):
        simulate(load("logistic_sign"), {}, [10], 1, "erm", resume="somewhere")


def test_what_message_passing_cannot_take_is_said():
    for name, sentence in (("hopfield", "needs samples"), ("gaussian_mixture", "without bias")):
        with pytest.raises(Unsupported, match=sentence):
            simulate(load(name), {}, [10], 1, "gamp")
