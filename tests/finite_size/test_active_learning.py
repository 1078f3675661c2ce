"""Ways of asking for labels: what they look at, what they leave of the version space, and what they refuse."""

import numpy as np
import pytest

from replica.spec import load
from simulate.algorithms.gamp import GAMP
from simulate.algorithms.label_informed import LabelInformed
from simulate.algorithms.query_by_committee import QueryByCommittee
from simulate.algorithms.random_sampling import RandomSampling
from simulate.algorithms.uncertainty_sampling import UncertaintySampling
from simulate.draw import draw
from simulate.instance import Instance, Unsupported
from simulate.iteration import Status
from simulate.iteration.options import options_of
from simulate.runs import simulate
from tests.finite_size.pools import pool

KINDS = {"label_informed": LabelInformed, "query_by_committee": QueryByCommittee, "random_sampling": RandomSampling,
         "uncertainty_sampling": UncertaintySampling}  # fmt: skip


def spec(prior="spherical", **student):
    return pool(prior, 3, '"budget"', "0", 'budget = { value = 1.0, domain = "(0, inf)" }', **student)


def made(name, instance, common=None, **options):
    return KINDS[name](instance, options_of(instance.spec, name, instance.at, options), "cpu", common)


@pytest.fixture(scope="module")
def instance():
    full = spec().expand()
    return draw(full, full.at({"budget": 0.5}), 24, 1)


@pytest.fixture(scope="module")
def rules(instance):
    return made("random_sampling", instance).common


def asked(name, instance, rules, seed=0, **options):
    algorithm = made(name, instance, rules, **{"batch": 2, **options})
    rng = np.random.default_rng(seed)
    state = algorithm.init(rng, 0)
    while algorithm.stop(state) is None:
        algorithm.step(state, rng)
    assert algorithm.stop(state) is Status.FINISHED
    return algorithm, state


@pytest.mark.parametrize("name", ["random_sampling", "uncertainty_sampling", "query_by_committee"])
def test_labels_are_asked_for_without_looking(name, instance, rules):
    """Other labels of samples that are not asked for change nothing; each is asked for once."""
    _, state = asked(name, instance, rules)
    assert len(state["asked"]) == len(set(state["asked"])) == 12
    others = np.setdiff1d(np.arange(72), state["asked"])
    y = instance.arrays["y"].copy()
    y[others] *= -1
    hidden = Instance(instance.spec, instance.at, 24, 1, {**instance.arrays, "y": y}, instance.truth, instance.cells)
    assert np.array_equal(asked(name, hidden, rules)[1]["asked"], state["asked"])


def test_who_knows_the_labels_looks_at_them(instance, rules):
    algorithm, state = asked("label_informed", instance, rules)
    rows = np.arange(72)
    first, second = algorithm.log_odds(state, rows)
    assert np.allclose(np.exp(first) + np.exp(second), 1)
    own = np.where(instance.arrays["y"] == algorithm.atoms[0], first, second)
    np.testing.assert_array_equal(algorithm.certainty(state, rows), own)


def test_what_is_unsure_lies_near_the_plane(instance, rules):
    """Of two labels without noise the most even are those with the smallest mean field over its spread."""
    algorithm, state = asked("uncertainty_sampling", instance, rules)
    rows = np.arange(72)
    fields = instance.arrays["x"] @ state["mean"] / np.sqrt(24 * state["variance"])
    assert np.array_equal(np.argsort(algorithm.certainty(state, rows)), np.argsort(np.abs(fields)))


@pytest.mark.parametrize("name", ["uncertainty_sampling", "label_informed"])
def test_a_choice_does_not_know_the_order_of_weights_nor_their_signs(name, instance, rules):
    rng = np.random.default_rng(3)
    columns, signs = rng.permutation(24), rng.choice([-1.0, 1.0], 24)
    arrays = {**instance.arrays, "x": instance.arrays["x"][:, columns] * signs}
    other = Instance(instance.spec, instance.at, 24, 1, arrays, {k: w[columns] * signs for k, w in instance.truth.items()}, instance.cells)
    one, two = (made(name, which, rules, tolerance=1e-10) for which in (instance, other))
    here, there = one.init(rng, 0), two.init(rng, 0)
    for algorithm, state in ((one, here), (two, there)):
        state["asked"] = np.arange(10)
        algorithm.learn(state, np.random.default_rng(0))
    np.testing.assert_allclose(there["mean"], here["mean"][columns] * signs, atol=1e-7)
    np.testing.assert_allclose(there["log_volume"], here["log_volume"], atol=1e-8)
    np.testing.assert_allclose(two.certainty(there, np.arange(72)), one.certainty(here, np.arange(72)), atol=1e-7)


def test_log_volumes_are_counted():
    """Of binary weights at a size where all of them can be tried."""
    full = spec("binary", protocol='"bayes"').expand()
    found = []
    common, weights = None, 2.0 * ((np.arange(2**14)[:, None] >> np.arange(14)) & 1) - 1
    for seed in range(6):
        one = draw(full, full.at({"budget": 0.5}), 14, seed)
        algorithm, state = asked("random_sampling", one, common, batch=7)
        common = algorithm.common
        right = one.arrays["y"][state["asked"]] * (weights @ one.arrays["x"][state["asked"]].T) > 0
        found.append((state["log_volume"], np.log(right.all(axis=1).mean()) / 14))
    approximate, exact = np.array(found).T
    assert np.std(exact) > 0.02 and np.abs(approximate - exact).max() < 0.03


def test_what_cannot_be_asked_is_said(instance):
    X, y = np.random.default_rng(0).standard_normal((20, 10)), np.tile([-1.0, 1.0], 10)
    for options, sentence in (({"batch": 0}, "batch must lie in integers .1, inf., got"), ({"members": 1}, "members must lie in")):
        with pytest.raises(Unsupported, match=sentence):
            simulate(spec(), {}, [10], 1, "query_by_committee", options=options)
    with pytest.raises(Unsupported, match="20 labels are to be asked for, of a pool of 20"):
        simulate(spec(), {"budget": 2.0}, algorithm="uncertainty_sampling", data=(X, y))
    with pytest.raises(Unsupported, match="cannot come from the channel"):
        simulate(spec(), {}, algorithm="uncertainty_sampling", data=(X, 2 * y))
    with pytest.raises(Unsupported, match="a spherical prior, not from 'gaussian'"):
        simulate(spec("gaussian"), {}, [20], 1, "query_by_committee")
    with pytest.raises(Unsupported, match="the spec has none"):
        simulate(load("bayes_sign"), {}, [20], 1, "uncertainty_sampling")


def test_own_samples_are_asked_for():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 10))
    runs = simulate(spec(), {}, algorithm="uncertainty_sampling", data=(X, np.sign(X[:, 0])), options={"batch": 2})
    steps, labels = runs.history("labels", 10)
    assert runs.succeeded and labels[0, -1] == 1.0 and len(steps) == 6
    assert runs.values("log_volume", 10)[0] < -0.5


@pytest.mark.slow
def test_asking_beats_chance_and_chance_is_passive_learning():
    """Numbers are those of random samples, one label per weight; nobody who does not see labels halves more with each."""
    end = {name: simulate(spec(), {}, [120], 16, name, options={"batch": 12}) for name in KINDS}
    volume = {name: runs.values("log_volume", 120) for name, runs in end.items()}
    error = {name: runs.values("generalization_error", 120) for name, runs in end.items()}

    def apart(one, other):
        difference = one - other
        return difference.mean() / (difference.std(ddof=1) / 4)

    assert abs(apart(volume["random_sampling"], -0.5964412556889795)) < 4 and abs(apart(error["random_sampling"], 0.3383594684214644)) < 4
    assert apart(volume["random_sampling"], volume["query_by_committee"]) > 3
    assert apart(volume["query_by_committee"], volume["uncertainty_sampling"]) > 3
    assert apart(volume["uncertainty_sampling"], volume["label_informed"]) > 3
    assert apart(error["random_sampling"], error["uncertainty_sampling"]) > 3
    assert -0.95 * np.log(2) > volume["uncertainty_sampling"].mean() > -1.01 * np.log(2)


def test_the_log_partition_is_stationary_where_messages_rest():
    full = load("bayes_probit").expand()
    one = draw(full, full.at({"alpha": 1.5}), 30, 2)
    algorithm = GAMP(one, options_of(full, "gamp", one.at, {"tolerance": 1e-12, "steps": 2000}))
    rng = np.random.default_rng(0)
    state = algorithm.init(rng, 0)
    while algorithm.stop(state) is None:
        algorithm.step(state, rng)
    here = algorithm.log_partition(state)
    direction = rng.standard_normal(30)
    shifts = [algorithm.log_partition({**state, "mean": state["mean"] + size * direction}) - here for size in (0.02, -0.02, 0.04, -0.04)]
    assert abs(shifts[0]) > 1e-4 and shifts[0] == pytest.approx(shifts[1], rel=0.2)  # second order in the move, not first
    assert shifts[2] / shifts[0] == pytest.approx(4, rel=0.3)
    assert here < 0


def test_labels_that_no_weights_can_give_end_a_committee():
    X = np.repeat(np.random.default_rng(0).standard_normal((12, 4)), 2, axis=0)
    runs = simulate(spec(), {"budget": 2.9}, algorithm="query_by_committee", data=(X, np.tile([-1.0, 1.0], 12)), options={"batch": 1})
    assert not runs.succeeded and runs.records[4, 0].status in (Status.STUCK, Status.DIVERGED)
