"""Theorems on noisy descent of two linear layers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.flow.compile import compile_flow
from numerics.flow.trajectory import trajectory
from replica.derive import derive
from replica.spec import Spec, load
from tests.properties.support import BLOCKS, overlaps, rates

QUICK = settings(max_examples=6, deadline=None)
SEEDS = st.integers(0, 1000)


@pytest.fixture(scope="module")
def flow():
    return compile_flow(derive(load("support_linear")))


def drawn(seed, minimum=False):
    rng = np.random.default_rng(seed)
    w, v, teacher = 0.4 * rng.standard_normal((15, 15)), rng.standard_normal(15), np.zeros(15)
    teacher[BLOCKS[0]] = 1.0
    if minimum:  # the output's weights are the teacher's
        w += np.outer(v, teacher - w.T @ v) / (v @ v)
    return w, v, teacher


@QUICK
@given(seed=SEEDS, b=st.integers(1, 64))
def test_slow_motion_keeps_the_mean_of_the_exact_identity(flow, seed, b):
    # one step adds rate^2 s^2 (|x|^2 v v^T - W x x^T W^T)/batch to W W^T - v v^T in the mean, s the slope of the loss: at a minimum
    # s is the label noise, independent of x
    w, v, teacher = drawn(seed, minimum=True)
    eta, noise = 0.02, 0.3
    got = rates(flow, {"eta": eta, "b": b, "sigma": np.sqrt(noise)}, overlaps(w, v, teacher))
    change = got["Q"].sum(axis=0) - np.outer(got["v"], v) - np.outer(v, got["v"])
    np.testing.assert_allclose(change, eta**2 * noise / b * (15 * np.outer(v, v) - w @ w.T), rtol=0, atol=1e-12)


@QUICK
@given(seed=SEEDS)
def test_hidden_units_may_be_rotated(flow, seed):
    w, v, teacher = drawn(seed)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((15, 15)))[0]
    starts = overlaps(w, v, teacher), overlaps(turn @ w, turn @ v, teacher)
    one, other = (trajectory(flow, {"eta": 0.01, "steps": 300}, [0, 300], start=s) for s in starts)
    for name, values in one.observables.items():
        np.testing.assert_allclose(other.observables[name], values, rtol=1e-6)


def test_rate_and_batch_enter_as_their_ratio(flow):
    # with rate c eta in steps/c the pull is the same, and the noise is that of a batch c times as small
    start = overlaps(*drawn(3))
    one = trajectory(flow, {"eta": 0.01, "b": 4, "steps": 4000}, [0, 4000], start=start)
    other = trajectory(flow, {"eta": 0.005, "b": 2, "steps": 8000}, [0, 8000], start=start)
    for name, values in one.observables.items():
        np.testing.assert_allclose(other.observables[name], values, rtol=1e-7)


def test_samples_in_passes_leave_part_of_the_noise():
    text = load("support_linear").to_toml().replace('steps = "steps"', 'steps = "steps", replace = false')
    ordered, free = compile_flow(derive(Spec.from_toml(text))), compile_flow(derive(load("support_linear")))
    start = overlaps(*drawn(1, minimum=True))
    at = {"eta": 0.02, "b": 10}
    endless, all_in_one, some = (rates(ordered, {**at, "alpha": alpha}, start)["Q"] for alpha in (np.inf, 10 / 15, 20.0))
    np.testing.assert_allclose(endless, rates(free, at, start)["Q"], rtol=1e-12)
    np.testing.assert_allclose(all_in_one, 0, atol=1e-12)  # the batch is all there is: gradient descent rests at a minimum
    np.testing.assert_allclose(some, endless * (1 - 9 / 299), rtol=1e-9, atol=1e-15)
