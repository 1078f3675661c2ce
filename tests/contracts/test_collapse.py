"""Where broken symmetry closes again: increments run to their end, and what is left is the symmetric solution."""

import pytest

from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.status import Status
from replica.derive import derive
from replica.spec import Spec
from tests.properties.ensembles import RS, compiled, rsb, storage

POSTERIOR = """
format = 1
name = "a posterior, asked for one step of breaking"
[teacher]
prior = "{prior}"
channel = {channel}
[student]
{student}
[ansatz]
kind = "rsb"
k = 1
x = 0.5
[controls]
alpha = {{ value = 0.8, domain = "(0, inf)" }}
"""
GIBBS = 'protocol = {{ kind = "gibbs", beta = {beta} }}\nprior = "{prior}"\nloss = {loss}'


def test_broken_symmetry_closes_where_there_is_one_state():
    """The spherical perceptron at zero margin: one step of breaking ends where its increment is zero."""
    controls = 'kappa = { value = 0, domain = "(-inf, inf)" }\n'
    fixed = controls + 'x_fixed = { value = 0.5, domain = "(0, 1)" }'
    found = solve(compiled(storage(prior="spherical", margin='"kappa"', ansatz=rsb(1, '"x_fixed"'), controls=fixed)), {"alpha": 1.0})[0]
    symmetric = solve(compiled(storage(prior="spherical", margin='"kappa"', ansatz=RS, controls=controls)), {"alpha": 1.0})[0]
    assert found.status is Status.AT_END, found.status
    assert float(found["q0"]) == pytest.approx(float(symmetric["q"]), abs=1e-9)
    assert float(found["q1"]) == pytest.approx(float(symmetric["q"]), abs=1e-9)
    assert float(found.free_entropy) == pytest.approx(float(symmetric.free_entropy), abs=1e-10)


@pytest.mark.parametrize(
    ("prior", "channel", "beta", "loss"),
    [
        ("binary", '"sign"', "inf", '"theta"'),
        pytest.param(
            "gaussian", '{ kind = "probit", variance = 0.3 }', "1", '{ formula = "-log(H(-y*z/sqrt(0.3)))" }', marks=pytest.mark.slow
        ),
    ],
)
def test_levels_of_a_posterior_collapse(prior, channel, beta, loss):
    """The tree with a teacher and broken levels, for a student whose laws are the teacher's, ends where all overlaps are one."""
    gibbs = GIBBS.format(prior=prior, beta=beta, loss=loss)
    specs = [Spec.from_toml(POSTERIOR.format(prior=prior, channel=channel, student=s)) for s in ('protocol = "bayes"', gibbs)]
    said, derived = (derive(spec) for spec in specs)
    assert said.trail[-1].title == "Collapse of the levels" and said.trail[-1].assumption in said.assumptions
    assert {u.name for u in derived.system.unknowns} >= {"m", "delta_q1"}
    optimal, broken = (solve(compile_theory(theory))[0] for theory in (said, derived))
    assert optimal.status is Status.CONVERGED and broken.status is Status.AT_END
    for name in ("m", "q0", "q1"):
        assert float(broken[name]) == pytest.approx(float(optimal["q"]), abs=1e-9)
    assert float(broken.free_entropy) == pytest.approx(float(optimal.free_entropy), abs=1e-10)
