"""Where broken symmetry closes again: increments run to their end, and what is left is the symmetric solution."""

import math

import pytest
import sympy as sp

from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.status import Status
from numerics.sweep import sweep
from replica.derive import derive
from replica.spec import Spec
from replica.symbols import POSITIVE, Control, OrderParameter, control_symbol
from replica.theory import Start, Stationary, Theory
from tests.properties.ensembles import RS, compiled, disorder, rsb, storage

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


@pytest.mark.slow
def test_levels_with_held_steps_collapse_one_after_the_other():
    controls = 'x = { value = 0.5, domain = "(0, 1)" }'
    spec = storage(prior="binary", margin="0", ansatz=rsb(2, '["x", 0.7]'), alpha="value = 0.7", controls=controls)
    broken = solve(compiled(spec), all_solutions=False)[0]
    symmetric = solve(compiled(storage(prior="binary", margin="0", ansatz=RS, alpha="value = 0.7")))[0]
    assert broken.status is Status.AT_END and "levels become one" in broken.note
    for name in ("q0", "q1", "q2"):
        assert float(broken[name]) == pytest.approx(float(symmetric["q"]), abs=1e-9)
    assert float(broken["complexity1"]) == pytest.approx(0, abs=1e-12) and float(broken["complexity2"]) == 0
    assert float(broken.free_entropy) == pytest.approx(float(symmetric.free_entropy), abs=1e-10)


def test_levels_of_a_paramagnet_are_one():
    """The theory without the step is at an end of its domain itself: no overlap is left."""
    found = solve(compiled(disorder(ansatz=rsb(1), beta="0.5")), all_solutions=False)[0]
    assert found.status is Status.AT_END and "levels" in found.note and "whatever x is" in found.note
    assert float(found.free_entropy) == pytest.approx(0.5**2 / 4, abs=1e-12) and float(found["complexity"]) == pytest.approx(0, abs=1e-12)
    assert abs(float(found["q1"])) < 1e-9


@pytest.mark.slow
def test_levels_of_a_convex_minimum_are_one():
    """Averages over one that is next to nothing are mostly rounding here: the theory without the step has what there is to say."""
    spec = POSTERIOR.format(
        prior="gaussian", channel='"sign"', student='protocol = "erm"\nloss = "logistic"\nregularizer = { kind = "ridge", strength = 1 }'
    )
    broken = solve(compiled(Spec.from_toml(spec)), {"alpha": 2.0}, all_solutions=False)[0]
    plain = spec.replace('"rsb"', '"rs"').replace("k = 1", "").replace("x = 0.5", "")
    symmetric = solve(compiled(Spec.from_toml(plain)), {"alpha": 2.0})[0]
    assert broken.status is Status.AT_END and "levels" in broken.note
    assert float(broken["energy"]) == pytest.approx(float(symmetric["energy"]), abs=1e-10)


def toy(depends: bool):
    """Levels that become one, whose complexity is to vanish: at any c, which the overlap depends on or not."""
    delta, q, c = (sp.Symbol(name, real=True) for name in ("delta", "q", "c"))
    named = {delta: "q1 - q0", q: "overlap", c: "c, where complexity = 0"}
    unknowns = tuple(OrderParameter(symbol, meaning, POSITIVE) for symbol, meaning in named.items())
    equations = (delta / 2, q / 2 + (c if depends else 1), c + delta**2)
    system = Stationary(
        unknowns, equations, starts=(Start("one", {delta: sp.S.Half, q: sp.S.One, c: sp.Integer(3)}),), solved=(Control(c, 3.0, POSITIVE),),
        merged=Start("merged", {delta: sp.S.Zero, q: q, c: c}),
    )
    return compile_theory(Theory(
        f"toy {depends}", f"toy {depends}", (Control(control_symbol("h"), 1.0),), system, {"q": q, "c": c}, {}, -q, {"complexity": delta**2}
    ))


def test_a_condition_that_one_level_meets_anywhere_leads_to_no_control():
    """Complexity vanishes where levels are one, whatever alpha is: no threshold, though the equations are solved."""
    module = toy(True)
    (found,) = solve(module)
    assert found.status is Status.UNMET and "holds wherever c is put" in found.sentence
    data = sweep(module, {"h": [0.5, 1.0]})
    assert set(data["status"].values.ravel()) == {"unmet"}


def test_a_condition_is_met_where_an_overlap_vanishes_by_symmetry():
    """The capacity of the symmetric perceptron, -log 2 / log P(|z| < 1): q = 0 all along."""
    controls = 'alpha = { value = 1, solve = "entropy = 0", domain = "(0, inf)" }'
    student = 'protocol = { kind = "gibbs", beta = inf }\nprior = "binary"\nloss = { formula = "where(abs(z) < 1, 0, 1)" }'
    spec = Spec.from_toml(f'format = 1\nname = "symmetric"\n[student]\n{student}\n[controls]\n{controls}')
    (found,) = solve(compiled(spec))
    assert found.status is Status.AT_END and float(found["q"]) == pytest.approx(0, abs=1e-13)
    assert float(found["alpha"]) == pytest.approx(-math.log(2) / math.log(math.erf(1 / math.sqrt(2))), rel=1e-13)


def test_a_parisi_parameter_of_one_level_is_said_to_be_any():
    (found,) = solve(toy(False))
    assert found.status is Status.AT_END and float(found["q"]) == pytest.approx(2)
    assert "levels of the ansatz are one: q1 - q0 = 0, whatever c is" in found.sentence
