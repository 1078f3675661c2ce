"""Finite systems are what the declaration says, and depend on nothing but (fingerprint, point, size, seed)."""

import numpy as np
import pytest

from replica import channels, losses, priors, regularizers
from replica.protocols import Bayes
from simulate.draw import draw
from simulate.runs import simulate
from tests.finite_size.systems import HandSpec, erm, group, latent, learner

PARTS = (channels.Linear(variance="Delta"), losses.Square(), regularizers.Ridge("lambda"))
RIDGE = erm(priors.Gaussian(), *PARTS, **{"alpha": 1.5, "lambda": 0.3, "Delta": 0.2})


def test_shapes_and_law():
    instance = draw(RIDGE, RIDGE.at({}), 80, 0)
    x, y = instance.arrays["x"], instance.arrays["y"]
    assert x.shape == (120, 80) and y.shape == (120,)
    noise = y - x @ instance.truth["teacher"] / np.sqrt(80)
    assert abs(noise.var() / 0.2 - 1) < 6 * np.sqrt(2 / 120)
    assert abs(x.var() - 1) < 6 * np.sqrt(2 / x.size)


def test_order_of_seeds_and_sizes_does_not_matter():
    there = simulate(RIDGE, sizes=(40, 60), seeds=(0, 3, 5))
    back = simulate(RIDGE, sizes=(60, 40), seeds=(5, 0, 3))
    assert set(there.rows) == set(back.rows)


def test_every_part_of_the_key_changes_the_draw():
    base = draw(RIDGE, RIDGE.at({}), 30, 0).arrays["y"]
    other = erm(priors.Gaussian(variance=2), *PARTS, **RIDGE.values)
    assert not np.array_equal(base, draw(RIDGE, RIDGE.at({}), 30, 1).arrays["y"])
    assert not np.array_equal(base, draw(RIDGE, RIDGE.at({"Delta": 0.21}), 30, 0).arrays["y"])
    assert not np.array_equal(base, draw(other, other.at({}), 30, 0).arrays["y"])


def test_storage_and_groups():
    groups = {
        "many": group(value="random", share=0.75),
        "few": group(value=1, share=0.25, mean={"centre": "shift"}, variance=4.0),
    }
    spec = HandSpec(learner(Bayes()), {"centre": latent(priors.Gaussian())}, groups, {"alpha": 20.0, "shift": 2.0})
    instance = draw(spec, spec.at({}), 100, 0)
    few = instance.arrays["cell"] == 1
    assert abs(few.mean() - 0.25) < 6 * np.sqrt(0.25 * 0.75 / 2000)
    assert np.all(instance.arrays["y"][few] == 1.0)
    assert abs(instance.arrays["y"][~few].mean()) < 6 / np.sqrt(1500)
    along = instance.arrays["x"][few].mean(axis=0) @ instance.truth["centre"] / np.sqrt(100)
    assert along == pytest.approx(2.0 * np.mean(instance.truth["centre"] ** 2), abs=6 * 2 / np.sqrt(few.sum()) * np.sqrt(1.5))
