"""Local entropy around found weights, by messages, beside counting all weights."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from replica.spec import load
from simulate.draw import draw
from simulate.local_entropy import local_entropy

SPEC = load("binary_storage").expand()


def counted(patterns, weights, solutions, distance):
    """log number of solutions per weight at a mean distance, by a field along the weights over all solutions."""
    along, d = solutions @ weights, len(weights)

    def measure(gamma):
        logs = gamma * along
        chance = np.exp(logs - logs.max())
        total = chance.sum()
        return chance @ along / total, np.log(total) + logs.max()

    gamma = brentq(lambda g: (1 - measure(g)[0] / d) / 2 - distance, -10, 10)
    near, free = measure(gamma)
    return (free - gamma * near) / d


@pytest.mark.parametrize("d", [12, 17])
def test_messages_count_solutions_as_enumeration_does(d):
    every = np.array(list(itertools.product([-1.0, 1.0], repeat=d)))
    errors = []
    for seed in range(8):
        instance = draw(SPEC, SPEC.at({"alpha": 0.3}), d, seed)
        patterns = instance.arrays["x"] * instance.arrays["y"][:, None]
        solutions = every[(every @ patterns.T >= 0).all(axis=1)]
        if len(solutions) < 50:
            continue
        weights = solutions[seed]
        errors.append(local_entropy(instance, weights, [0.2])[0] - counted(patterns, weights, solutions, 0.2))
    assert len(errors) >= 4
    assert abs(np.mean(errors)) < 0.02  # messages are good to terms of order 1/d
    assert np.max(np.abs(errors)) < 0.06


def test_without_constraints_it_is_the_entropy_of_the_shell():
    drawn = draw(SPEC, SPEC.at({"alpha": 0.1}), 40, 0)
    instance = replace(drawn, arrays={name: values[:0] for name, values in drawn.arrays.items()})
    distances = np.array([0.3, 0.05, 0.1])
    found = local_entropy(instance, np.ones(40), distances)
    np.testing.assert_allclose(found, -distances * np.log(distances) - (1 - distances) * np.log(1 - distances), atol=1e-12)


@pytest.mark.parametrize(("weights", "distances", "sentence"), [
    (np.ones(40), [0.0], "each must lie in"), (np.zeros(40), [0.1], "values -1 or 1"), (np.ones(39), [0.1], "40 values"),
])  # fmt: skip
def test_bad_input_is_named(weights, distances, sentence):
    with pytest.raises(ValueError, match=sentence):
        local_entropy(draw(SPEC, SPEC.at({"alpha": 0.1}), 40, 0), weights, distances)
