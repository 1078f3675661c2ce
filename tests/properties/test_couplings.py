"""Couplings and ensembles: one coupling in three words, ensembles inside one another, stochastic synapses as real replicas."""

import numpy as np
import pytest
import sympy as sp

from numerics.solve import solve
from replica.derive import derive
from replica.families.composition import compose
from replica.families.model import Underivable
from replica.spec import Spec
from tests.properties.ensembles import compiled, mutual, robust, storage

COUPLED = """
format = 1
name = "coupled"
[learner.centre]
protocol = {{ kind = "gibbs", beta = {beta} }}
prior = "{prior}"
loss = "zero"
[learner.replica]
like = "centre"
copies = 3
loss = "theta"
couple = {{ to = "centre", {coupling} }}
[controls]
alpha = {{ value = 0.5, domain = "(0, inf)" }}
g = {{ value = 0.3, domain = "[0, inf)" }}
"""


def coupled(coupling: str, prior: str = "binary", beta: str = "2") -> Spec:
    return Spec.from_toml(COUPLED.format(**locals()))


def pressed(coupling: str, prior: str) -> dict[str, sp.Expr]:
    return dict(compose(coupled(coupling, prior).expand()).pressed)


@pytest.mark.parametrize("prior", ["binary", "gaussian"])
def test_strength_is_a_formula(prior):
    assert pressed('strength = "g"', prior) == pressed('formula = "g*(w - w_centre)**2/2"', prior)


def test_squares_press_on_lengths():
    g, y = sp.Symbol("g", nonnegative=True), sp.Symbol("y_copies", positive=True)
    assert pressed('strength = "g"', "gaussian") == {"q1[centre,replica]": 2 * g, "Q[replica]": -2 * g, "Q[centre]": -2 * g * y}


def test_any_formula_of_signs_is_a_coupling_and_a_constant():
    g = sp.Symbol("g", nonnegative=True)
    assert pressed('formula = "g*abs(w - w_centre)"', "binary") == {"q1[centre,replica]": 2 * g, "Q[replica]": -4 * g}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (coupled('formula = "g*abs(w - w_centre)"', "gaussian"), "is no sum of multiples of"),
        (coupled('formula = "g*w"'), "is no sum of multiples of"),
        (coupled('strength = "g"', beta="inf"), "needs a finite beta"),
    ],
)
def test_what_no_overlap_carries_is_one_line(spec, words):
    with pytest.raises(Underivable, match="^couple") as caught:
        derive(spec)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_stochastic_synapses_have_the_energetic_term_of_real_replicas():
    """1710.09825: biases at inverse temperature beta = y see the samples as y replicas at mutual overlap q_star do."""
    synapses = """
format = 1
name = "synapses"
[student]
protocol = { kind = "gibbs", beta = 3 }
prior = { kind = "uniform", low = -1, high = 1 }
self_overlap = "q_star"
loss = { formula = "-log(H(-y*z / sqrt(1 - q_star)))" }
[controls]
alpha = { value = 0.5, domain = "(0, inf)" }
q_star = { value = 0.7, domain = "(0, 1)" }
"""
    one = derive(Spec.from_toml(synapses)).terms["energetic"]
    other = derive(mutual(0.5, 0.7, "3")).terms["energetic"]
    V, delta, q, q_star = (sp.Symbol(name, real=True) for name in ("V", "delta_q1", "q_mutual", "q_star"))
    text = str(other.xreplace({V: 1 - q_star}).xreplace({s: q_star for s in other.free_symbols if s.name == q.name} | {delta: V}))
    assert text.replace("y_real", "3").replace("_h_student_replica", "_z") == str(one)


def two_centres(near: float, far: float, apart: float, constrained: str = "false") -> Spec:
    ensemble = f'ensemble = {{ kind = "two_centres", y = 3, near = "S", far = "T", apart = "R", constrained = {constrained} }}'
    controls = "\n".join(
        f'{name} = {{ value = {value}, domain = "(-1, 1)" }}' for name, value in zip("STR", (near, far, apart), strict=True)
    )
    return storage(student=ensemble, controls=controls)


@pytest.mark.slow
def test_a_second_centre_that_nothing_is_near_changes_nothing():
    both, one = solve(compiled(two_centres(0.6, 1e-3, 1e-3)))[0], solve(compiled(robust(0.4, 0.6, "3")))[0]
    assert float(both.free_entropy) == pytest.approx(float(one.free_entropy), abs=2e-6)  # of second order in 1e-3
    assert float(both["local_entropy"]) == pytest.approx(float(one["local_entropy"]), abs=2e-6)
    assert float(both["complexity"]) == pytest.approx(float(one["complexity"]) + 0.6931471805599453, abs=6e-6)  # of the far centre


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count", "conjugate"), [("S", 3, "near,solution"), ("T", 3, "far,solution"), ("R", 1, "near,far")])
def test_imposed_overlaps_of_two_centres_cost_their_conjugates(name, count, conjugate):
    module, at, step = compiled(two_centres(0.6, 0.5, 0.3)), {"S": 0.6, "T": 0.5, "R": 0.3}, 1e-4
    up, down = (float(solve(module, {**at, name: at[name] + s})[0].free_entropy) for s in (step, -step))
    force = float(solve(module)[0].unknowns[f"q1[{conjugate}]_hat"])
    assert (up - down) / (2 * step) == pytest.approx(-count * force, abs=1e-6)


SOFT = COUPLED.replace("[0, inf)", "[0, 3]")


def test_a_soft_coupling_costs_its_overlap_and_vanishes():
    module = compiled(Spec.from_toml(SOFT.format(beta="inf", prior="binary", coupling='log_weight = "g*w*w_centre"')))
    step = 1e-4
    up, down = (float(solve(module, {"g": 0.6 + s})[0].free_entropy) for s in (step, -step))
    assert (up - down) / (2 * step) == pytest.approx(3 * float(solve(module, {"g": 0.6})[0]["q1[centre,replica]"]), abs=1e-7)
    alone = float(solve(compiled(storage(alpha="value = 0.5")))[0].free_entropy)
    apart = [float(solve(module, {"g": g})[0].free_entropy) for g in (0.05, 0.1)]
    assert (4 * apart[0] - apart[1]) / 3 == pytest.approx(3 * alone, abs=1e-4)  # even in g: the remainder is of fourth order


@pytest.mark.parametrize("copies", [2])
def test_spheres_between_two_centres_have_room_for_them(copies):
    """With few samples it is the room for all overlaps and the odds that replicas are right together; up to their count squared."""
    student = f'ensemble = {{ kind = "two_centres", y = {copies}, near = 0.5, far = 0.4, apart = 0.3, constrained = false }}'
    (found,) = solve(compiled(storage(prior="spherical", student=student, alpha="value = 0.01")), all_solutions=False)
    assert found.converged, found.sentence

    def room(q: float) -> float:
        gram = np.eye(2 + copies) * (1 - q) + q
        gram[0, 1:] = gram[1:, 0] = [0.3, *[0.5] * copies]
        gram[1, 2:] = gram[2:, 1] = 0.4
        gram[0, 0] = gram[1, 1] = 1
        return float(np.linalg.slogdet(gram)[1] / 2)

    q = float(found["q1[solution,solution]"])
    annealed = room(q) + 0.01 * np.log(1 / 4 + np.arcsin(q) / (2 * np.pi))
    assert annealed - 1e-4 < float(found.free_entropy) < annealed + 1e-9
