"""The slow flow of noisy descent against a simulation from elsewhere and against gradients by hand."""

from pathlib import Path

import numpy as np
import pytest

from numerics.flow.compile import compile_flow
from numerics.flow.trajectory import trajectory
from replica.derive import derive
from replica.spec import load
from tests.properties.support import BLOCKS, overlaps, rates

TABLE = np.loadtxt(Path(__file__).parent / "support_linear.csv", delimiter=",")
STEPS, COUNT = TABLE[:, 0], 15


@pytest.fixture(scope="module")
def flow():
    return compile_flow(derive(load("support_linear")))


def beginning():
    """The start of the reference."""
    rng = np.random.default_rng(0)
    w = 0.3 * rng.standard_normal((COUNT, COUNT))
    v, teacher = 0.3 * rng.standard_normal(COUNT), np.zeros(COUNT)
    teacher[BLOCKS[0]] = 1.0
    return w, v, teacher


def test_irrelevant_weights_decay_as_in_a_simulation(flow):
    found = trajectory(flow, {"b": 1, "eta": 0.01, "steps": 4e5}, STEPS, start=overlaps(*beginning()))
    assert found.ok
    norm, size = found.observables["irrelevant"], (found.arrays["v"] ** 2).sum(axis=1)
    assert norm[0] == pytest.approx(TABLE[0, 3], rel=1e-3)
    middle = (STEPS >= 20000) & (STEPS <= 100000)
    own, theirs = (np.polyfit(STEPS[middle], np.log(column), 1)[0] for column in (norm[middle], TABLE[middle, 3]))
    assert own == pytest.approx(-(0.01**2) * 0.25 / 2, rel=1e-2)  # -rate^2 variance/(2 batch)
    # the law is the lowest order in the rate; one run found 1.1 times as much, of which the error kept up by fluctuations makes most
    assert theirs == pytest.approx(own, rel=0.12)
    kept_up = 1 + TABLE[middle, 5].mean() / 0.25
    assert theirs == pytest.approx(own * kept_up, rel=0.06)
    late = STEPS >= 300000
    assert norm[-1] ** 2 - np.trace(found.arrays["Q"][-1, 1]) == pytest.approx(10 * 0.01 * 0.25 / 2, rel=0.01)  # the floor
    assert np.sqrt((TABLE[late, 3] ** 2).mean()) == pytest.approx(np.sqrt((norm[late] ** 2).mean()), rel=0.15)
    assert size[-1] == pytest.approx(np.sqrt(5 / 15), rel=0.01)  # |w*|/sqrt(d)
    assert TABLE[late, 4].mean() == pytest.approx(size[-1], rel=0.1)


def test_without_label_noise_weights_stay(flow):
    found = trajectory(flow, {"b": 1, "eta": 0.01, "sigma": 0.0, "steps": 4e5}, STEPS[STEPS > 0], start=overlaps(*beginning()))
    norm = found.observables["irrelevant"]
    np.testing.assert_allclose(norm, norm[0], rtol=1e-7)
    assert norm[0] == pytest.approx(TABLE[1, 1], rel=5e-3)  # what fitting the output takes away


@pytest.mark.parametrize("seed", range(3))
def test_slopes_are_those_of_the_modified_loss(flow, seed):
    # by hand: L = (E u^2)/2, tr Cov = (E |gradient|^2 - |E gradient|^2)/batch; differentiated in weights numerically
    rng = np.random.default_rng(seed)
    w, v, teacher = 0.5 * rng.standard_normal((COUNT, COUNT)), rng.standard_normal(COUNT), rng.standard_normal(COUNT)
    eta, b, noise = 0.07, 3, 0.4

    def modified(w, v):
        e = w.T @ v - teacher
        square, along = e @ e + noise, w @ e
        scatter = v @ v * (COUNT * square + e @ e) + square * (w**2).sum() + along @ along
        return square / 2 + eta / (4 * b) * scatter

    def slope(move):
        return (move(1e-5) - move(-1e-5)) / 2e-5

    def unit(shape, place):
        found = np.zeros(shape)
        found[place] = 1.0
        return found

    down_w = np.array([[slope(lambda t, p=(i, j): modified(w + t * unit(w.shape, p), v)) for j in range(COUNT)] for i in range(COUNT)])
    down_v = np.array([slope(lambda t, p=i: modified(w, v + t * unit(v.shape, p))) for i in range(COUNT)])
    got = rates(flow, {"eta": eta, "b": b, "sigma": np.sqrt(noise)}, overlaps(w, v, teacher))
    for place, block in enumerate(BLOCKS):
        cross = down_w[:, block] @ w[:, block].T
        np.testing.assert_allclose(got["Q"][place], -eta * (cross + cross.T), rtol=0, atol=1e-6)
        np.testing.assert_allclose(got["R"][place][:, 0], -eta * down_w[:, block] @ teacher[block], rtol=0, atol=1e-6)
    np.testing.assert_allclose(got["v"], -eta * down_v, rtol=0, atol=1e-6)
