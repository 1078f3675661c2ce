"""Searches by single flips, by descent on copies and by moves of a reference: measures, symmetries, ends, and how success is counted."""

from itertools import product

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from replica.spec import Spec, load
from simulate.algorithms.parts import flips
from simulate.algorithms.parts.copies import COPIES
from simulate.algorithms.parts.entropic import Entropic
from simulate.algorithms.parts.units import learn, units_of
from simulate.algorithms.replicated_sgd import ReplicatedSGD
from simulate.draw import draw
from simulate.instance import Instance, Unsupported
from simulate.iteration import Status
from simulate.iteration.options import options_of
from simulate.iteration.solver import class_of
from simulate.runs import _module, simulate
from simulate.success import Search, Success, success

STORAGE = load("binary_storage").expand()
SIGNS = np.array([-1.0, 1.0])
COMMITTEE = """
format = 1
name = "committee of units with weights of signs"
[student]
protocol = { kind = "gibbs", beta = inf }
prior    = "binary"
loss     = "theta"
network  = { kind = "committee", units = "K", activation = "sign" }
theory   = "none"
reason   = "only searched"
[data]
alpha = "alpha*K"
[controls]
alpha = { value = 0.2, domain = "(0, inf)" }
K     = { value = 3, domain = "integers [1, inf)" }
"""
QUICK = {
    "annealing": {"sweeps": 50, "restarts": 3},
    "replicated_annealing": {"sweeps": 30, "y": 3, "restarts": 3},
    "replicated_sgd": {"steps": 200, "y": 3},
    "edmc": {"restarts": 3, "growth": 0.5, "steps": 60, "sweeps": 20},
}


def instance_of(d, alpha, seed=0):
    return draw(STORAGE, STORAGE.at({"alpha": alpha}), d, seed)


def made(name, instance, **options):
    return class_of(_module(name))(instance, options_of(instance.spec, name, instance.at, options))


@pytest.mark.parametrize(("levels", "d"), [(SIGNS, 3), (np.array([0.0, 1.0, 3.0]), 2)])
def test_flips_of_copies_sample_the_measure_with_its_center(levels, d):
    """Samples come with their opposites and a margin, so that no copy ever meets all of them and sweeps end early."""
    rng = np.random.default_rng(1)
    half = rng.standard_normal((2, d))
    patterns, margin, beta, gamma, copies = np.concatenate([half, -half]), 0.3, 0.7, 0.6, 2
    columns = np.ascontiguousarray(patterns.T)
    states = [np.array(w).reshape(copies, d) for w in product(levels, repeat=copies * d)]

    def log_weight(w):
        centers = [np.exp(-gamma / 2 * ((w - c) ** 2).sum(axis=0)) for c in levels]
        return -beta * np.count_nonzero(w @ columns < margin) + np.log(np.sum(centers, axis=0)).sum()

    exact = np.exp([log_weight(w) for w in states])
    exact /= exact.sum()
    index = {w.tobytes(): k for k, w in enumerate(states)}
    w = states[0].copy()
    fields = w @ columns
    violated = np.count_nonzero(fields < margin, axis=1)
    sweeps, counts = 20000, np.zeros(len(states))
    for _ in range(sweeps):
        order, luck, choice = rng.permutation(copies * d), rng.random(copies * d), rng.random(copies * d)
        flips.samples(columns, margin, levels, order, luck, choice, beta, gamma, w, fields, violated)
        counts[index[w.tobytes()]] += 1
    assert violated.tolist() == np.count_nonzero(w @ columns < margin, axis=1).tolist()
    error = np.sqrt(exact * (1 - exact) / sweeps * 4)  # neighbouring sweeps are not independent: a few of them make one
    assert np.max(np.abs(counts / sweeps - exact) / error) < 5


def test_flips_against_clauses_sample_the_measure_too():
    """All eight clauses on three weights, one of which is always violated, and two more that involve a fourth."""
    spec = load("random_ksat").expand()
    literal = np.concatenate([np.array([1, 2, 3] * 8) * np.array(list(product([-1, 1], repeat=3))).ravel(), [1, -2, 4, -1, 3, 4]])
    one = Instance(spec, spec.at({}), 4, 0, {"literal": literal, "clause": 3 * np.arange(11)}, {})
    copies, beta, rng, w = COPIES["literal"](one), 0.9, np.random.default_rng(2), np.ones((1, 4))
    states = np.array(list(product(SIGNS, repeat=4)))
    energies = np.array([copies.problem.violated(state) for state in states])
    exact = np.exp(-beta * energies) / np.exp(-beta * energies).sum()
    state = {"weights": w, "violated": np.array([copies.problem.violated(w[0])]), **copies.start(w)}
    sweeps, counts = 20000, np.zeros(16)
    for _ in range(sweeps):
        copies.visit(state, rng.permutation(4), beta, 0.0, rng)
        counts[np.flatnonzero((states == w[0]).all(axis=1))[0]] += 1
    assert set(energies) == {1, 2} and state["violated"][0] == copies.problem.violated(w[0])
    np.testing.assert_array_equal(state["met"], copies.start(w)["met"])
    assert np.max(np.abs(counts / sweeps - exact) / np.sqrt(exact * (1 - exact) / sweeps * 4)) < 5


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_flips_do_not_know_the_order_of_samples_and_weights_nor_their_signs(seed):
    rng = np.random.default_rng(seed)
    n, d, copies = 12, 9, 3
    patterns, w = rng.standard_normal((n, d)), rng.choice(SIGNS, (copies, d))
    rows, places, signs = rng.permutation(n), rng.permutation(d), rng.choice(SIGNS, d)
    order, luck = rng.permutation(copies * d), rng.random(copies * d)
    where = np.argsort(places)  # weight i stands at where[i]

    def go(patterns, w, order):
        columns, w = np.ascontiguousarray(patterns.T), w.copy()
        fields = w @ columns
        violated = np.count_nonzero(fields < 0, axis=1)
        flips.samples(columns, 0.0, SIGNS, order, luck, luck, 2.0, 0.7, w, fields, violated)
        return w, violated

    here, count = go(patterns, w, order)
    there, same = go(patterns[rows][:, places] * signs, w[:, places] * signs, d * (order // d) + where[order % d])
    np.testing.assert_array_equal(there, here[:, places] * signs)
    np.testing.assert_array_equal(same, count)


@pytest.mark.parametrize("name", list(QUICK))
def test_a_change_of_signs_changes_those_of_the_answer_alone(name):
    one = instance_of(31, 0.4)
    signs = np.random.default_rng(5).choice(SIGNS, 31)
    other = Instance(one.spec, one.at, one.size, one.seed, {**one.arrays, "x": one.arrays["x"] * signs}, one.truth)
    here, there = made(name, one, **QUICK[name]), made(name, other, **QUICK[name])
    a = here.init(np.random.default_rng(2), 0)
    b = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in a.items()}
    for key in {"weights", "hidden", "reference", "h", "u", "extra"} & set(b):
        b[key] = b[key] * signs
    ours, theirs = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(4):
        here.step(a, ours)
        there.step(b, theirs)
    key = "reference" if name == "edmc" else "weights"
    np.testing.assert_array_equal(b[key], a[key] * signs)


@pytest.mark.parametrize("name", list(QUICK))
def test_energies_are_counts_and_small_systems_are_solved_where_they_can_be(name):
    def count(instance, outcome):
        w = outcome.estimates["student"].mean
        assert set(np.unique(w)) <= {-1.0, 1.0}
        violated = np.count_nonzero(instance.arrays["y"] * (instance.arrays["x"] @ w) < 0)
        assert outcome.estimates["student"].extras["energy"] == violated / instance.size == 0

    every = np.array(list(product(SIGNS, repeat=9)))
    runs = simulate(STORAGE, {"alpha": 1.0}, [9], 8, name, options=QUICK[name], watch=count)
    for seed in range(8):
        one = instance_of(9, 1.0, seed)
        solvable = np.any(np.all(one.arrays["y"] * (every @ one.arrays["x"].T) >= 0, axis=1))
        solved = runs.records[9, seed].status is Status.SOLVED
        assert solved <= solvable
        if name in ("annealing", "replicated_annealing"):  # sure to find what there is: 512 states in hundreds of sweeps
            assert solved == solvable


@pytest.mark.parametrize("name", list(QUICK))
def test_what_cannot_be_met_has_no_answer(name):
    runs = simulate(STORAGE, {"alpha": 3.0}, [41], 1, name, options={**QUICK[name], "restarts": 0})
    assert runs.records[41, 0].status in (Status.LIMIT, Status.STUCK)
    assert not runs.succeeded and runs.values("success", 41) == [0.0]


class Exact:
    """Messages that are right: all weights that meet the samples are listed."""

    moving = ()

    def __init__(self, instance):
        x, self.y = instance.arrays["x"], instance.arrays["y"]
        self.x, self.size = x, instance.size
        every = np.array(list(product(SIGNS, repeat=instance.size)))
        self.met = every[np.all(self.y * (every @ x.T) >= 0, axis=1)]

    def start(self, rng):
        return {}

    def settle(self, state, extra, rng):
        logs = self.met @ extra
        weights = np.exp(logs - logs.max())
        state["fields"] = np.arctanh(np.clip(weights @ self.met / weights.sum(), -1 + 1e-12, 1 - 1e-12)) - extra
        return logs.max() + np.log(weights.sum()), True

    def fields(self, state):
        return state["fields"]

    def violated(self, weights):
        return int(np.count_nonzero(self.y * (self.x @ weights) < 0))


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_reference_climbs_the_local_entropy_to_a_solution(share):
    class Climb(Entropic):
        def prepare(self):
            self.messages = Exact(self.instance)

    one = instance_of(11, 0.5, 4)
    climb = Climb(one, options_of(one.spec, "edmc", one.at, {"share": share, "gamma": 0.2}))
    assert len(climb.messages.met)
    rng = np.random.default_rng(0)
    state = climb.init(rng, 0)
    for _ in range(200):
        if climb.stop(state) is not None:
            break
        before = dict(state)
        climb.step(state, rng)
        if state["gamma"] == before["gamma"] and not climb.solved(state):
            assert state["free"] >= before["free"]
        seen = climb.observe(state)
        assert seen["local_entropy"] <= np.log(len(climb.messages.met)) / 11 + 1e-12
    assert climb.stop(state) is Status.SOLVED
    assert climb.outcome(state).estimates["student"].extras["energy"] == 0


def test_a_committee_is_trained_and_counted_by_hand():
    spec = Spec.from_toml(COMMITTEE).expand()

    def count(instance, outcome):
        estimate = outcome.estimates["student"]
        (w,) = estimate.layers.maps
        votes = np.sign(instance.arrays["x"] @ w.T).sum(axis=1)
        assert w.shape == (3, 51) and np.all(instance.arrays["y"] * votes > 0)
        np.testing.assert_allclose(estimate.field(instance.arrays["x"]), votes, atol=1e-12)

    for rule in ("least_action", "gradient"):
        runs = simulate(spec, {}, [51], 2, "replicated_sgd", options={"rule": rule}, watch=count)
        assert [record.status for record in runs.records.values()] == [Status.SOLVED] * 2
    one = draw(spec, spec.at({}), 51, 0)
    w = np.random.default_rng(0).choice(SIGNS, (3, 51))
    wrong = np.count_nonzero(one.arrays["y"] * np.sign(one.arrays["x"] @ w.T).sum(axis=1) < 0)
    assert units_of(one).violated(w) == wrong > 0
    with pytest.raises(Unsupported, match="found the network 'committee'"):
        simulate(spec, {}, [11], 1, "sbpi")


def test_the_fewest_units_learn():
    """Of five units three vote wrong, one of them nearest to its edge: it alone turns the vote."""
    spec = Spec.from_toml(COMMITTEE).expand()
    one = draw(spec, spec.at({"K": 5}), 15, 0)
    search = ReplicatedSGD(one, options_of(spec, "replicated_sgd", one.at, {"y": 1, "rate": 0.5, "batch": 1}))
    rng = np.random.default_rng(1)
    taught = 0
    for row, pattern in enumerate(search.problem.patterns):
        w = rng.choice(SIGNS, (5, 15))
        fields, hidden = w @ pattern, np.zeros((5, 15))
        wrong = learn(search.problem.patterns, np.array([row]), 0.0, 0.0, False, 0.5, w, hidden)
        needed = max(0, -int(np.sign(fields).sum()) + 1) // 2
        moved = np.flatnonzero(np.any(hidden != 0, axis=1))
        nearest = np.argsort(np.where(fields < 0, -fields, np.inf))[:needed]
        assert wrong == (needed > 0) and set(moved) == set(nearest)
        np.testing.assert_array_equal(hidden[moved], np.repeat(0.5 * pattern[None], len(moved), axis=0))
        taught += needed
    assert taught > 0


def synthetic(law):
    """Twenty runs a size, whose steps scatter around a law of growth; the last size is not solved."""
    sizes = np.array([100, 200, 400, 800, 1600])
    steps = law(sizes)[:, None] * np.exp(0.2 * np.random.default_rng(0).standard_normal((5, 20)))
    dims, solved = ("search", "alpha", "size", "seed"), np.ones((1, 1, 5, 20), bool)
    solved[..., -1, :15] = False
    data = {"solved": (dims, solved), "steps": (dims, steps[None, None]), "seconds": (dims, 1e-3 * steps[None, None])}
    return Success(xr.Dataset(data, {"search": ["one"], "alpha": [0.5], "size": sizes, "seed": range(20)}), "alpha")


def test_growth_is_told_apart():
    power = synthetic(lambda d: 3.0 * d**1.5).growth("one", 0.5)
    assert power.sizes == (100, 200, 400, 800)
    assert abs(power.power - 1.5) < 4 * power.power_error < 0.4 and power.misfit[0] < power.misfit[1]
    rate = synthetic(lambda d: 3.0 * np.exp(0.01 * d)).growth("one", 0.5, of="seconds")
    assert abs(rate.rate - 0.01) < 4 * rate.rate_error < 0.004 and rate.misfit[0] > rate.misfit[1]
    assert "exponential fits better" in str(rate)
    text = str(synthetic(lambda d: 1.0 * d)).splitlines()
    assert text[0].split() == ["search", "alpha", "N", "solved", "steps", "seconds"] and text[5].split()[-2:] == ["-", "-"]


def test_success_is_counted():
    searches = {"slow": Search("annealing", {"sweeps": 1}), "fast": Search("annealing", {"sweeps": 200})}
    table = success(STORAGE, searches, {"alpha": [0.2, 3.0]}, [21], 4)
    shares = table.to_xarray()["success"].sel(size=21)
    assert shares.sel(search="fast", alpha=0.2) == 1 and np.all(shares.sel(alpha=3.0) == 0)
    assert np.all(table.runs["steps"].sel(search="slow") <= 1)
    assert table.plot().axes[1].get_yscale() == "log"
    with pytest.raises(ValueError, match="two are needed"):
        table.growth("fast", 3.0)
    with pytest.raises(Unsupported, match="takes no steps"):
        success(STORAGE, ["enumeration"], {"alpha": [0.5]}, [6], 1)


@pytest.mark.slow
def test_copies_and_local_entropy_succeed_where_annealing_fails():
    """A table at two sizes; the copies of `replicated_annealing` have as many sweeps in all as the one of `annealing`."""
    searches = {
        "annealing": Search("annealing", {"sweeps": 2800}),
        "replicated_annealing": Search("replicated_annealing", {"sweeps": 400, "y": 7}),
        "replicated_sgd": Search("replicated_sgd", {"steps": 300}),
        "plain sgd": Search("replicated_sgd", {"steps": 2100, "y": 1}),
        "edmc": Search("edmc"),
    }
    table = success(STORAGE, searches, {"alpha": [0.4, 0.6]}, [201, 401], 4)
    print(table)
    share = table.to_xarray()["success"]
    hard = share.sel(alpha=0.6, size=401)
    assert np.all(share.sel(search=["replicated_sgd", "edmc"]) >= 3 / 4)
    assert np.all(hard.sel(search=["annealing", "plain sgd"]) <= 1 / 4)
    assert share.sel(search="replicated_annealing", alpha=0.4).sum() > share.sel(search="annealing", alpha=0.4).sum()
