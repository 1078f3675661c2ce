"""Runs of noisy descent and of one-pass learning, compiled and by autograd, beside each other and beside the law."""

import numpy as np
import pytest
import sympy as sp
import torch

from numerics.flow.compile import compile_flow
from numerics.flow.trajectory import bundle
from replica.derive import derive
from replica.spec import Spec, SpecError, load
from simulate.finite_size import Verdict
from simulate.instance import Unsupported
from simulate.online import autograd, sgd
from simulate.online.machine import program
from simulate.passes import train
from simulate.report import validate
from simulate.runs import simulate, usual

DEEP = """format = 1
name = "three linear layers"
[teacher]
prior = "gaussian"
channel = { kind = "linear", variance = 0.1 }
[data]
law = { kind = "gaussian", dimension = 6 }
samples = 40
[student]
theory = "none"
protocol = { kind = "sgd", rate = 0.02, batch = "b", steps = "steps", replace = false, clip = 0.7 }
loss = { formula = "(y - z)**2" }
network = { kind = "deep_linear", widths = [5, 4], bias = true }
start = { weights = 0.4, readout = 0.5, negative = 0.5 }
[controls]
b = { value = 8, domain = "integers [1, inf)" }
steps = { value = 30, domain = "integers [1, inf)" }
"""


def test_steps_are_those_of_autograd():
    # the same batches through torch: backpropagation, biases, clipping at the norm of all parameters together
    rng = np.random.default_rng(5)
    widths, batch, steps, rate, clip = (6, 5, 4, 1), 3, 25, 0.05, 3.0
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    weights = np.concatenate([0.6 * rng.standard_normal(a * b) for a, b in shapes] + [np.zeros(sum(widths[1:]))])
    inputs, labels = rng.standard_normal((30, 6)), rng.standard_normal(30)
    chosen = rng.integers(30, size=(steps, batch))
    layers = [torch.nn.Linear(b, a, dtype=torch.float64) for a, b in shapes]
    with torch.no_grad():
        place = 0
        for layer in layers:
            layer.weight.copy_(torch.tensor(weights[place : place + layer.weight.numel()]).reshape(layer.weight.shape))
            layer.bias.zero_()
            place += layer.weight.numel()
    net = torch.nn.Sequential(*layers)
    descent, clipped = torch.optim.SGD(net.parameters(), lr=rate), 0
    for own in chosen:
        descent.zero_grad()
        loss = ((net(torch.tensor(inputs[own]))[:, 0] - torch.tensor(labels[own])) ** 2).mean()
        loss.backward()
        gradients = [p.grad for p in net.parameters()]
        norm = float(torch.sqrt(sum((g**2).sum() for g in gradients)))
        if norm > clip:
            clipped += 1
            for g in gradients:
                g.mul_(clip / norm)
        descent.step()
    y, z = sp.symbols("y z", real=True)
    seen = np.zeros(3)
    train._descend(weights, np.array(widths), True, inputs, labels, chosen, program(2 * (y - z), (y, z)).packed, rate, clip, seen)
    theirs = torch.cat([*(one.weight.detach().ravel() for one in layers), *(one.bias.detach() for one in layers)]).numpy()
    np.testing.assert_allclose(weights, theirs, rtol=0, atol=1e-12)
    assert 0 < clipped == seen[1] < steps == seen[0]


def test_passes_take_every_sample_once():
    spec = Spec.from_toml(DEEP).expand()
    system = train.draw_system(spec, spec.at(), 6, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    fixed = system.samples.draw(rng, system.count)
    batches = train._batches(system, system.stages[0], fixed, rng)
    _, _, first = batches(3)
    _, _, second = batches(2)
    assert sorted(np.concatenate([first.ravel(), second.ravel()])) == list(range(40))


def test_a_batch_is_no_larger_than_the_set():
    with pytest.raises(SpecError, match="a batch of 41 without replacement, out of 40 samples"):
        simulate(Spec.from_toml(DEEP), {"b": 41}, seeds=1)


def test_sizes_are_those_of_the_data():
    assert simulate(Spec.from_toml(DEEP), seeds=1).sizes == (6,)
    with pytest.raises(Unsupported, match="the inputs have 6 coordinates, 7 were asked for"):
        simulate(Spec.from_toml(DEEP), sizes=[7], seeds=1)


@pytest.mark.slow  # a minute of compiling
@pytest.mark.parametrize("name", ["committee_erf", "committee_relu"])
@pytest.mark.parametrize("batch", [1, 3])
def test_autograd_and_compiled_runs_are_one(name, batch):
    text = load(name).to_toml().replace('rate = "eta"', f'rate = "eta", batch = {batch}, decay = 0.1')
    if batch == 3 and "readout" not in text:
        text = text.replace('units = "K"', 'units = "K", readout = "trained"')
    spec = Spec.from_toml(text).expand()
    at = spec.at({"alpha": 1.0})
    assert usual(spec, at) == ("online_sgd" if batch == 1 else "online_autograd")
    assert usual(spec, at, "cuda") == "online_autograd"
    times = [0.0, 0.5, 1.0]
    for one, other in zip(sgd.paths(spec, at, 60, [0, 1], times), autograd.paths(spec, at, 60, [0, 1], times), strict=True):
        assert set(one.arrays) == set(other.arrays) and not one.failure + other.failure
        for key, values in one.arrays.items():
            np.testing.assert_allclose(other.arrays[key], values, rtol=0, atol=1e-11)
        np.testing.assert_allclose(other.averages["mse"], one.averages["mse"], rtol=1e-10)


@pytest.mark.slow
def test_a_diverging_run_says_when():
    text = load("committee_erf").to_toml().replace('units = "K"', 'units = "K", activation = "quadratic"')
    spec = Spec.from_toml(text.replace('rate = "eta"', 'rate = "eta", batch = 2')).expand()
    assert spec.learners["student"].network.activation.kind == "quadratic"
    (path,) = autograd.paths(spec, spec.at({"eta": 5.0, "alpha": 5.0}), 50, [0], [0.0, 5.0])
    assert path.failure.startswith("the weights diverge before alpha = ")


@pytest.mark.slow
def test_the_law_of_the_support_agrees_with_runs():
    report = validate(load("support_linear"))  # the law's errors are of the order of the rate
    assert report.verdict is Verdict.AGREES, str(report)


@pytest.mark.slow
def test_the_law_of_the_support_is_the_limit_of_small_rates():
    """Runs let irrelevant weights decay faster: by 4 % at rate 0.01, and by twice as much at twice the rate (batches of 16)."""
    spec = load("support_linear")
    module = compile_flow(derive(spec))
    excess = {}
    for rate, steps in ((0.02, 8000), (0.04, 2000)):
        at = spec.at({"eta": rate, "b": 16, "steps": steps})
        runs = train.paths(spec.expand(), at, 15, range(12), [0.0, 25 / rate, float(steps)])
        starts = [{name: values[0] for name, values in run.arrays.items()} | dict(run.fixed) for run in runs]
        known = {control.name: at[control.name] for control in module.theory.controls}
        flows = bundle(module, known, runs[0].times, starts=starts, seeds=range(12)).members
        fallen = [[np.log(norm[1] / norm[2]) for norm in (run.averages["irrelevant"], flow.observables["irrelevant"])]
                  for run, flow in zip(runs, flows, strict=True)]  # fmt: skip
        ratio = np.divide(*np.transpose(fallen)) - 1
        excess[rate] = ratio.mean(), ratio.std(ddof=1) / np.sqrt(12)
    (one, s), (two, t) = excess[0.02], excess[0.04]
    assert one > 4 * s, excess
    assert abs(two - 2 * one) < 4 * np.hypot(t, 2 * s), excess


@pytest.mark.slow
def test_a_batch_divides_the_noise_of_runs():
    text = load("committee_erf").to_toml().replace('rate = "eta"', 'rate = "eta", batch = 10')
    report = validate(Spec.from_toml(text), {"alpha": 4.0, "eta": 1.0}, sizes=(200, 400), seeds=12)
    assert report.measured.algorithm == "online_autograd"
    assert report.verdict is Verdict.AGREES, str(report)
