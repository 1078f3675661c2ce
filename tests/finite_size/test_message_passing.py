"""Message passing beside its state evolution, step by step: any prior, channel, loss, penalty; symmetric and broken."""

import pytest

from numerics.compile import compile_theory
from numerics.recursion import trajectory
from replica.derive import derive
from replica.spec import Spec
from simulate.finite_size import average, z_score
from simulate.runs import simulate

TEXT = """
format = 1
name = "{name}"

[teacher]
prior = {prior}
channel = {channel}

[student]
protocol = {{ kind = "amp", steps = {steps}, start = {start} }}
{student}
{ansatz}
[controls]
alpha = {{ value = {alpha}, domain = "(0, inf)" }}
"""
RIDGE = 'regularizer = {{ kind = "ridge", strength = {} }}'
RETRIEVAL = 'loss = { formula = "(y - abs(z))**2" }\n' + RIDGE.format(0.3)
SYSTEMS = {  # prior, channel, student, alpha, overlap at the start
    "lasso": ('{ kind = "gauss_bernoulli", rho = 0.2 }', '{ kind = "linear", variance = 0.01 }',
              'loss = "square"\nregularizer = { kind = "l1", strength = 0.2 }', 0.8, 0.2),
    "logistic": ('"gaussian"', '"sign"', 'loss = "logistic"\n' + RIDGE.format(0.5), 1.5, 0.2),
    "binary weights, sign": ('"binary"', '"sign"', "", 1.2, 0.1),
    "phase retrieval": ('"gaussian"', '"abs"', "", 1.5, 0.2),
    "hinge": ('"gaussian"', '"sign"', 'loss = "hinge"\n' + RIDGE.format(0.5), 1.2, 0.2),
    "compressed sensing": ('{ kind = "gauss_bernoulli", rho = 0.2 }', '{ kind = "linear", variance = 0.001 }', "", 0.5, 0.1),
    "Huber": ('"gaussian"', '{ kind = "linear", variance = 0.5 }', 'loss = { kind = "huber", delta = 0.7 }\n' + RIDGE.format(0.4),
              1.5, 0.1),
    "broken symmetry": ('"gaussian"', '"abs"', RETRIEVAL, 1.6, 0.3),
}
BROKEN = '[ansatz]\nkind = "rsb"\nk = 1\nx = 2\n'


def beside(name, d, seeds, steps):
    """z of the estimate's squared length, cosine with the signal and error after every step."""
    prior, channel, student, alpha, start = SYSTEMS[name]
    ansatz = BROKEN if name == "broken symmetry" else ""
    text = TEXT.format(name=name, prior=prior, channel=channel, student=student, ansatz=ansatz, alpha=alpha, start=start, steps=steps)
    spec = Spec.from_toml(text)
    theory = trajectory(compile_theory(derive(spec)))
    runs = simulate(spec, {}, [d], seeds, "amp")
    assert not runs.failures
    found = {}
    for observable in ("q0" if ansatz else "q", "overlap", "estimation_mse"):
        kept, values = runs.history(observable, d)
        for k, step in enumerate(kept.astype(int)):
            if step > 0:
                mean = average(values[:, k], d)
                found[f"{observable}@{step}"] = z_score(mean.value, mean.stderr, mean.freedom, float(theory[observable][step]))
    assert len(found) == 3 * steps
    return found


@pytest.mark.parametrize("name", ["logistic", "binary weights, sign", "broken symmetry"])
def test_small_systems_follow_state_evolution(name):
    found = beside(name, 600, 8, 5)
    assert max(map(abs, found.values())) < 4, found


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_step_is_that_of_state_evolution(name):
    found = beside(name, 4000, 20, 8)
    assert max(map(abs, found.values())) < 3, found
