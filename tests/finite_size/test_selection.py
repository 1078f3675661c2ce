"""Selections of small pools, counted one by one, beside what the enumeration says of them."""

from itertools import combinations

import numpy as np
import pytest

from replica.spec import Spec
from simulate.draw import draw
from simulate.draw.selection import at_random
from simulate.instance import Unsupported
from simulate.learn.selections import tilted
from simulate.runs import simulate
from tests.finite_size.pools import pool


def spec(prior: str) -> Spec:
    return pool(prior, 1.5, "0.5", '"x"', 'x = { value = -1.0, domain = "(-inf, inf)" }')


@pytest.mark.parametrize("x", [-2.0, 0.0, 1.0])
def test_enumeration_is_a_loop_over_selections(x):
    full = spec("binary").expand()
    instance = draw(full, {"x": x}, 6, 0)
    (learner,) = full.learners.values()
    found = tilted(instance, learner)
    weights = np.array(np.meshgrid(*[[-1.0, 1.0]] * 6)).reshape(6, -1).T
    right = instance.arrays["y"] * (weights @ instance.arrays["x"].T) >= 0
    level, means = [], []
    for selection in combinations(range(9), 3):
        agree = right[:, list(selection)].all(axis=1)
        level.append(np.log(agree.mean()))
        means.append(weights[agree].mean(axis=0))
    level, means = np.array(level), np.array(means)
    share = np.exp(x * level) / np.exp(x * level).sum()
    assert found.extras["log_volume"] == pytest.approx(share @ level / 6, abs=1e-12)
    counted = -share @ np.log(share)
    exact = 9 * (np.log(3) - 2 / 3 * np.log(2)) - np.log(84)  # entropy of a coin of 1/3 and the log of 9 over 3
    assert found.extras["complexity"] == pytest.approx((counted + exact) / 6, abs=1e-12)
    assert found.mean == pytest.approx(share @ means, abs=1e-12)
    assert found.extras["q1"] == pytest.approx(share @ (means**2).mean(axis=1), abs=1e-12)


def test_random_selections_keep_the_budget_and_tilted_ones_need_an_algorithm():
    full = spec("spherical").expand()
    assert len(at_random(draw(full, {"x": 0.0}, 20, 0)).arrays["y"]) == 10
    with pytest.raises(Unsupported, match="tilted by -1 needs an algorithm that selects"):
        at_random(draw(full, {"x": -1.0}, 20, 0))
    with pytest.raises(Unsupported, match="tilted by -1"):
        simulate(spec("spherical"), sizes=[20], seeds=1, algorithm="hit_and_run")
