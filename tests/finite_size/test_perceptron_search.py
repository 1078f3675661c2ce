"""Message passing on edges, and local search: entropies against theory, solutions against the constraints themselves."""

import numpy as np
import pytest

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import derive
from replica.spec import load
from simulate.algorithms.parts.gaussian_fields import bethe, sweep
from simulate.algorithms.parts.signs import found, sign_constraints
from simulate.algorithms.sbpi import SBPI
from simulate.draw import draw
from simulate.instance import Unsupported
from simulate.iteration import Status
from simulate.iteration.options import options_of
from simulate.runs import simulate

BINARY = {"alpha": 0.4, "kappa": 0.0}
VOTES = """
format = 1
name = "inputs of signs"
[data]
law = "iid"
[student]
protocol = { kind = "gibbs", beta = inf }
loss     = "theta"
prior    = "binary"
[controls]
alpha = { value = 0.4, domain = "(0, inf)" }
"""


def votes(tmp_path):
    path = tmp_path / "votes.toml"
    path.write_text(VOTES)
    return load(path)


@pytest.mark.parametrize("seed", range(3))
def test_one_sample_is_a_tree(seed):
    """With one sample nothing loops: what is left is that the sum over 17 weights is not quite Gaussian."""
    patterns = np.random.default_rng(seed).standard_normal((1, 17))
    u, h = np.zeros((1, 17)), np.zeros(17)
    for _ in range(3):
        sweep(patterns, np.arange(1), 0.5, 0.0, np.zeros(17), h, u, 0.0)
    weights = 2.0 * ((np.arange(2**17)[:, None] >> np.arange(17)) & 1) - 1
    met = weights[patterns[0] @ weights.T >= 0.5]
    assert np.abs(met.mean(axis=0)).max() > 0.5 and np.abs(np.tanh(h) - met.mean(axis=0)).max() < 0.06
    assert abs(bethe(patterns, 0.5, 0.0, h, u)[0] - np.log(len(met))) / 17 < 6e-4


def test_energy_counts_violated_samples():
    instance = draw(load("binary_storage").expand(), BINARY, 50, 0)
    weights = np.ones(50)
    expected = np.count_nonzero(instance.arrays["y"] * (instance.arrays["x"] @ weights) < 0) / 50
    algorithm = SBPI(instance, options_of(instance.spec, "sbpi", BINARY, {}))
    assert expected > 0 and found(algorithm, sign_constraints(instance), weights).extras == {}
    assert found(algorithm, sign_constraints(instance), weights).estimates["student"].extras["energy"] == expected
    with pytest.raises(Unsupported, match="levels = 4, and the prior has 2"):
        SBPI(instance, options_of(instance.spec, "sbpi", BINARY, {"levels": 4}))


def test_bethe_entropy_is_that_of_the_theory():
    (point,) = solve(compile_theory(derive(load("binary_storage"))), BINARY)
    runs = simulate(load("binary_storage"), BINARY, [501], 6, "bp")
    for name in ("entropy", "q"):
        expected = {**point.order_parameters, **point.observables}[name]
        values = runs.values(name, 501)
        assert len(values) == 6 and abs(np.mean(values) - expected) < 4 * np.std(values, ddof=1) / np.sqrt(6) + 3 / 501


@pytest.mark.parametrize("name", ["sbpi", "focusing_bp", pytest.param("reinforced_bp", marks=pytest.mark.slow)])
def test_a_solution_is_found_and_is_one(name):
    spec = load("binary_storage")
    runs = simulate(spec, BINARY, [301], 3, name)
    assert [record.status for record in runs.records.values()] == [Status.SOLVED] * 3
    assert np.all(runs.values("energy", 301) == 0)


def test_votes_are_counted(tmp_path):
    runs = simulate(votes(tmp_path), {"alpha": 0.4}, [301], 2, "max_sum")
    assert all(record.status is Status.SOLVED for record in runs.records.values())
    with pytest.raises(Unsupported, match="inputs -1 and 1"):
        simulate(load("binary_storage"), BINARY, [31], 1, "max_sum")


def test_what_cannot_be_satisfied_ends_at_the_limit():
    runs = simulate(load("binary_storage"), {"alpha": 2.0, "kappa": 0.0}, [101], 1, "sbpi", options={"steps": 50})
    assert [record.status for record in runs.records.values()] == [Status.LIMIT] and runs.failures


@pytest.mark.parametrize("name, needs", [("logistic_sign", "few values"), ("ridge_linear", "few values")])
def test_other_specs_are_refused_in_a_line(name, needs):
    with pytest.raises(Unsupported, match=needs):
        simulate(load(name), {}, [50], 1, "sbpi")
