"""One-pass runs of finite networks beside their flows."""

import numpy as np
import pytest
import sympy as sp

from replica.arrays import evaluate
from replica.formula import parse
from replica.spec import Spec, load
from simulate.finite_size import Verdict
from simulate.online.machine import evaluate as walk
from simulate.online.machine import program
from simulate.online.sgd import measure
from simulate.online.system import draw_system
from simulate.report import validate

NEW = """format = 1
name = "a model of no paper"
[latent.one]
prior = "spherical"
[latent.two]
prior = "spherical"
[latent.three]
prior = "spherical"
[group.a]
share = 0.5
mean = { one = 1 }
label = 1
[group.b]
share = 0.3
mean = { two = 1.5 }
label = -1
[group.c]
share = 0.2
mean = { three = 2 }
label = 0.5
[slice.noisy]
variance = 1
[slice.clean]
variance = "Delta"
[student]
protocol = { kind = "online_sgd", rate = "eta", decay = 0.01 }
loss = { kind = "huber", delta = 0.5 }
network = { kind = "committee", units = 3, activation = "tanh", readout = "trained" }
start = { readout = 1, negative = 0.34 }
[[stage]]
name = "first"
on = "noisy"
time = 2
[[stage]]
name = "second"
on = "clean"
time = 3
[observables]
miss = { average = "loss", on = "clean" }
sure = { average = "heaviside(z - Delta)", on = "a", given = "z > 0" }
both = { formula = "miss + 2*sure" }
[controls]
eta = { value = 0.8, domain = "(0, inf)" }
Delta = { value = 0.3, domain = "[0, inf)" }
[run]
times = "1:5:3"
sizes = [200, 400]
seeds = 8
"""


@pytest.mark.parametrize(
    "text", ["tanh(x)**3 + exp(-x**2)", "max(0, x) - abs(x)/3", "1/(2 + sin(x)) + sqrt(1 + x**2)", "where(x < 0.3, erf(x), x**3)"]
)
def test_programs_are_the_formulas(text):
    x = sp.Symbol("x", real=True)
    expression, points = parse(text, {"x": x}), np.linspace(-2, 2, 9)
    code = program(expression, (x,)).packed
    registers = np.zeros(512)

    def at(value):
        registers[0] = value
        return walk(code, registers)

    np.testing.assert_allclose([at(p) for p in points], evaluate(expression, {x: points}), rtol=1e-14)


def test_declared_averages_are_those_of_their_cells():
    spec, rng = Spec.from_toml(NEW).expand(), np.random.default_rng(3)
    at = spec.at()
    system = draw_system(spec, at, 40, np.random.default_rng(0))
    found = [measure(system, system.weights, system.readout, rng) for _ in range(10)]
    means = [s * system.directions[system.names.index(k)] for k, s in (("one", 1), ("two", 1.5), ("three", 2))]
    spread = np.sqrt(np.repeat([1, at["Delta"]], 3))
    x = rng.standard_normal((6, 20_000, 40)) * spread[:, None, None] + np.tile(means, (2, 1))[:, None] / np.sqrt(40)
    z = np.tanh(x @ system.weights.T / np.sqrt(40)) @ system.readout
    far, one = np.abs(np.array([1, -1, 0.5])[:, None] - z[3:]), z[[0, 3]].ravel()
    loss = np.where(far < 0.5, far**2 / 2, 0.5 * far - 0.125)
    expected = {"miss": np.array([0.5, 0.3, 0.2]) @ loss.mean(axis=1), "sure": np.mean(one[one > 0] > at["Delta"])}
    expected["both"] = expected["miss"] + 2 * expected["sure"]
    for name, value in expected.items():
        assert np.mean([row[name] for row in found]) == pytest.approx(value, abs=0.015), name


def test_overlapping_latents_are_drawn_as_declared_and_stay_in_the_order_of_the_file():
    text = NEW.replace('[latent.three]\nprior = "spherical"', '[latent.three]\nprior = "spherical"\noverlap = { one = 0.6 }')
    spec = Spec.from_toml(text).expand()
    system = draw_system(spec, spec.at(), 20_000, np.random.default_rng(0))
    assert system.names == ("one", "two", "three")
    gram = system.directions @ system.directions.T / 20_000
    np.testing.assert_allclose(gram, [[1, 0, 0.6], [0, 1, 0], [0.6, 0, 1]], atol=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["committee_erf", "committee_relu", "perceptron_online", "xor_mixture"])
def test_catalog_flows_agree_with_runs(name):
    report = validate(load(name), {"alpha": 5.0}, sizes=(300, 600), seeds=8)
    assert report.verdict is Verdict.AGREES, str(report)


@pytest.mark.slow
def test_a_model_of_no_paper():
    report = validate(Spec.from_toml(NEW))
    assert report.verdict is Verdict.AGREES, str(report)
    assert {"miss@5", "sure@5", "both@5"} <= {row.observable for row in report.comparisons}, str(report)
