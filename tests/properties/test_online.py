"""Theorems that every flow of one-pass learning obeys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from numerics.flow.landmarks import fixed_point, plateaus
from numerics.flow.trajectory import trajectory
from numerics.status import Status
from tests.properties.flows import committee, drawn, flow_of, rates_of

TIMES = [0.5, 2.0, 5.0]
SEEDS = st.integers(0, 1000)
QUICK = settings(max_examples=8, deadline=None)


def path(text, start, times=TIMES, **at):
    found = trajectory(flow_of(text), {"alpha": max(times), **at}, times, start=start)
    assert found.ok
    return found


@QUICK
@given(seed=SEEDS, student=st.sampled_from(["erf", "quadratic"]))
def test_units_may_be_renamed(seed, student):
    start, order, text = drawn(3, 2, seed), [2, 0, 1], committee(student, student)
    eta = 0.3 if student == "erf" else 0.02
    one = path(text, start, K=3, eta=eta)
    other = path(text, {"Q": start["Q"][:, order][:, :, order], "R": start["R"][:, order], "T": start["T"]}, K=3, eta=eta)
    np.testing.assert_allclose(other.arrays["Q"], one.arrays["Q"][:, order][:, :, order], rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.observables["mse"], one.observables["mse"], rtol=0, atol=1e-9)


@QUICK
@given(seed=SEEDS)
def test_odd_units_may_change_sign_with_their_teachers(seed):
    # an odd unit reversed, and the student's readout of it too, is the same network; here all vectors of both sides are reversed
    start = drawn(2, 2, seed)
    flip = np.diag([1.0, -1.0])
    one = path(committee(trained=True), start | {"v": np.array([1.0, 0.5])})
    turned = {"Q": flip @ start["Q"] @ flip, "R": flip @ start["R"], "T": start["T"], "v": np.array([1.0, -0.5])}
    other = path(committee(trained=True), turned)
    np.testing.assert_allclose(other.arrays["R"], flip @ one.arrays["R"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.observables["mse"], one.observables["mse"], rtol=0, atol=1e-9)


@QUICK
@given(seed=SEEDS, eta=st.floats(0.05, 1.5))
def test_overlaps_stay_a_gram_matrix(seed, eta):
    found = path(committee(), drawn(3, 2, seed), K=3, eta=eta)
    for q, r in zip(found.arrays["Q"], found.arrays["R"], strict=True):
        gram = np.block([[q, r], [r.T, np.eye(2)]])
        assert np.linalg.eigvalsh(gram)[0] > -1e-9


G = {
    "erf": (lambda x: erf(x / np.sqrt(2)), lambda x: np.sqrt(2 / np.pi) * np.exp(-(x**2) / 2)),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float)),
    "quadratic": (np.square, lambda x: 2 * x),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "sign": (np.sign, None),
}


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        ("erf", "sign"),
        ("relu", "relu"),
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in (("quadratic", "sign"), ("tanh", "erf"))),
    ],
)
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS, b=st.integers(1, 3))
def test_rates_are_the_mean_of_one_step(student, teacher, seed, b):
    # w <- (1 - eta gamma/d) w + eta/(b sqrt d) sum_n F_n x_n in d dimensions, many times from the same weights
    rng, d, count, eta, noise, decay = np.random.default_rng(seed), 200, 8000, 0.7, 0.2, 0.3
    text = committee(student, teacher, trained=True).replace('batch = "b"', 'batch = "b", decay = 0.3')
    w, teachers, v = 0.8 * rng.standard_normal((3, d)), rng.standard_normal((2, d)), rng.choice([-1.0, 1.0], 3) * rng.uniform(0.4, 1, 3)
    gram = {"Q": (w @ w.T / d)[None], "R": (w @ teachers.T / d)[None], "T": (teachers @ teachers.T / d)[None], "v": v}
    expected = rates_of(text, gram, K=3, eta=eta, Delta=noise, b=b)
    (g, slope), (star, _) = G[student], G[teacher]
    x = rng.standard_normal((count, b, d))
    fields = x @ w.T / np.sqrt(d)
    off = star(x @ teachers.T / np.sqrt(d)).sum(axis=2) + np.sqrt(noise) * rng.standard_normal((count, b)) - g(fields) @ v
    step = eta / b * np.einsum("nbk,nbd->nkd", off[..., None] * v * slope(fields), x) / np.sqrt(d) - eta * decay / d * w
    cross = step @ w.T
    square = step @ step.transpose(0, 2, 1)
    own = cross + cross.transpose(0, 2, 1) + square
    push = eta * (off[..., None] * g(fields)).mean(axis=1)
    for name, found in (("Q", own), ("R", step @ teachers.T), ("v", push)):
        error = found.std(axis=0) / np.sqrt(count)
        size = 10 / d * np.abs(square).mean(axis=0).max() if name == "Q" else 0.0  # the length of an input depends on its fields
        assert np.all(np.abs(found.mean(axis=0) - expected[name]) < 5 * error + size), name


@pytest.mark.parametrize("b", [2.0, 5.0])
def test_linear_network_in_closed_form(b):
    # K = M = 1, y = nu + noise: dR = eta (T - R), d(Q - 2 R + T) = -(2 eta - eta^2/b) (Q - 2 R + T) + eta^2 Delta/b
    eta, noise, text = 0.7, 0.3, committee("linear", "linear", m=1)
    start = {"Q": np.full((1, 1, 1), 1.3), "R": np.full((1, 1, 1), 0.2), "T": np.ones((1, 1, 1))}
    found = path(text, start, K=1, eta=eta, Delta=noise, b=b)
    t = np.array(TIMES)
    np.testing.assert_allclose(found.arrays["R"][:, 0, 0], 1 - 0.8 * np.exp(-eta * t), rtol=0, atol=1e-10)
    rate, floor = 2 * eta - eta**2 / b, eta**2 * noise / b
    error = floor / rate + (1.3 - 0.4 + 1 - floor / rate) * np.exp(-rate * t)
    np.testing.assert_allclose(found.observables["mse"], error + noise, rtol=0, atol=1e-9)


def test_stages_have_rates_of_their_own():
    # K = M = 1, linear: dR = eta (T - R) - eta gamma R, first fast, then slow with decay
    stages = """[[stage]]
name = "fast"
time = 1.5
[[stage]]
name = "slow"
time = 2
protocol = { kind = "online_sgd", rate = "eta/4", decay = 0.1, batch = 3 }
[controls]"""
    text = committee("linear", "linear", m=1).replace("[controls]", stages).replace('alpha = { value = 1000.0, domain = "(0, inf)" }\n', "")
    start = {"Q": np.full((1, 1, 1), 1.3), "R": np.full((1, 1, 1), 0.2), "T": np.ones((1, 1, 1))}
    found = trajectory(flow_of(text), {"K": 1, "eta": 0.8}, [1.5, 3.5], start=start)
    fast = 1 - 0.8 * np.exp(-0.8 * 1.5)
    slow = 1 / 1.1 + (fast - 1 / 1.1) * np.exp(-0.2 * 1.1 * 2)
    np.testing.assert_allclose(found.arrays["R"][:, 0, 0], [fast, slow], rtol=0, atol=1e-10)


def test_a_batch_divides_the_noise_of_a_step():
    # eta^2/b: with rate c eta and time t/c the drift is the same, so a small rate and a large batch meet in the gradient flow
    start = drawn(2, 2)
    flow = path(committee(), start, times=[500.0], eta=0.002)
    batch = path(committee(), start, times=[5.0], eta=0.2, b=100)
    np.testing.assert_allclose(batch.arrays["Q"], flow.arrays["Q"], rtol=0, atol=1e-9)


def test_a_vanishing_rate_moves_nothing():
    start = drawn(2, 2)
    found = path(committee(), start, eta=1e-14)
    np.testing.assert_allclose(found.arrays["Q"][-1], start["Q"][0], rtol=0, atol=1e-12)


def test_a_mixture_of_equal_classes_is_one_gaussian():
    halves = "\n[group.left]\nshare = 0.3\n[group.right]\nshare = 0.7\n"
    start = drawn(2, 2)
    one, other = path(committee(), start), path(committee() + halves, start)
    np.testing.assert_allclose(other.arrays["Q"], one.arrays["Q"], rtol=0, atol=1e-12)


def test_nodes_agree_with_closed_forms():
    # a term of 1e-9 that no closed form knows turns all averages over to nodes
    closed = (
        committee("erf", "linear", m=1)
        .replace('units = "K"', "units = 1")
        .replace('K     = { value = 2, domain = "integers [1, inf)" }', "")
    )
    sampled = closed.replace('loss     = "square"', 'loss     = { formula = "(y - z)**2/2 + 0.000000001*tanh(y - z)**2" }')
    assert flow_of(sampled).theory.system.nodes and not flow_of(closed).theory.system.nodes
    start = drawn(1, 1)
    one, other = path(closed, start, Delta=0.2), path(sampled, start, Delta=0.2)
    np.testing.assert_allclose(other.arrays["Q"], one.arrays["Q"], rtol=0, atol=2e-6)
    np.testing.assert_allclose(other.observables["mse"], one.observables["mse"], rtol=0, atol=2e-6)


def test_plateau_of_the_committee_machine():
    # K = M = 3, small rate: R* = 1/sqrt(K (2 K - 1)), Q* = 1/(2 K - 1) (Saad and Solla 1995)
    start = {"Q": np.diag([0.1, 0.25, 0.4])[None], "R": 1e-12 * np.arange(9).reshape(1, 3, 3) / 9, "T": np.eye(3)[None]}
    found = path(committee(m=3), start, times=[4e4], K=3, eta=0.01)
    assert found.arrays["R"][0].mean() == pytest.approx(1 / np.sqrt(15), abs=3e-3)
    assert found.arrays["Q"][0].mean() == pytest.approx(0.2, abs=3e-3)


def test_fixed_point_of_a_linear_student():
    # dR = eta (T - R), error e = Q - 2 R + T: de = -(2 eta - eta^2) e + eta^2 Delta
    eta, noise, text = 0.5, 0.3, committee("linear", "linear", m=1)
    start = {"Q": np.full((1, 1, 1), 1.3), "R": np.full((1, 1, 1), 0.2), "T": np.ones((1, 1, 1))}
    found = fixed_point(flow_of(text), {"K": 1, "eta": eta, "Delta": noise}, start)
    assert found.status is Status.CONVERGED and found.stable
    assert found.arrays["R"].item() == pytest.approx(1, abs=1e-9)
    assert found.arrays["Q"].item() == pytest.approx(1 + eta * noise / (2 - eta), abs=1e-9)
    np.testing.assert_allclose(found.rates, [-eta, -(2 * eta - eta**2)], rtol=1e-6)


def test_the_plateau_is_found_and_left():
    # a symmetric saddle: the perfect student is stable, the unspecialized point is a saddle of the flow
    text, at = committee(), {"eta": 0.1}
    even = {"Q": np.full((1, 2, 2), 1 / 3) + 0.05 * np.eye(2), "R": np.full((1, 2, 2), 1 / np.sqrt(6)), "T": np.eye(2)[None]}
    saddle = fixed_point(flow_of(text), at, even)
    assert saddle.status is Status.CONVERGED and not saddle.stable
    perfect = fixed_point(flow_of(text), at, {"Q": np.eye(2)[None], "R": np.eye(2)[None], "T": np.eye(2)[None]})
    assert perfect.status is Status.CONVERGED and perfect.rates[0] < 0
    times = np.geomspace(1, 2000, 200)
    found = trajectory(
        flow_of(text), {"eta": 0.1, "alpha": 2000}, times, start=even | {"R": even["R"] + 1e-3 * np.array([[[1, 0], [0, 0]]])}
    )
    (first, *_) = plateaus(times, found.observables["mse"])
    assert first.begin < first.end < first.escape < 2000
