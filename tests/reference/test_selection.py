"""Selections tilted by the volume they leave, against a free entropy typed by hand and against passive learning.

Card 1.7 of the landscape papers (H. Cui, L. Saglietti, L. Zdeborova, arXiv:1912.03927): the copies that share a selection have overlap
q1, others q0; teacher_student_spherical of landscape_values.json was computed without this engine.
"""

from functools import cache

import numpy as np
import pytest
from scipy.special import expit, log_ndtr, logsumexp

from numerics.compile import Module, compile_theory
from numerics.equations import DOUBLE, Equations
from numerics.solve import solve
from numerics.status import Status
from replica.derive import derive
from replica.spec import Spec

SLOW = pytest.mark.slow
TEXT = """
format = 1
name = "selected"
{teacher}
[data]
alpha = "pool"
selection = {{ kind = "tilted", keep = "budget", by = "log_volume", tilt = "x" }}
[student]
protocol = {{ kind = "gibbs", beta = {beta} }}
loss = {loss}
prior = "{prior}"
[controls]
pool = {{ value = 3.0, domain = "(0, inf)" }}
budget = {{ value = 1.0, domain = "(0, inf)" }}
x = {{ value = {x}, domain = "(-inf, inf)" {solve} }}
"""


@cache
def selected(
    prior: str = "spherical", teacher: bool = True, loss: str = '"theta"', beta: str = "inf", x: str = "-2.0", solve: str = ""
) -> Module:
    table = f'[teacher]\nprior = "{prior}"\nchannel = "sign"\n' if teacher else ""
    return compile_theory(derive(Spec.from_toml(TEXT.format(prior=prior, teacher=table, loss=loss, beta=beta, x=x, solve=solve))))


def first(module: Module, **at: float):
    found = solve(module, at)[0]
    assert found.status is Status.CONVERGED, found.status
    return found


Z = np.arange(-12, 12 + 1 / 20, 1 / 20)
G = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) / 20
T = np.arange(-90, 90 + 1 / 14, 1 / 14)  # a negative power of a small volume sends t far out
LOG_G = -(T**2) / 2 - np.log(np.sqrt(2 * np.pi) * 14)


def samples(pool: float, x: float, q0: float, q1: float, m: float, phi: float) -> float:
    """pool E_z 2 H(-m z/sqrt(q0 - m^2)) log[1 + e^-phi int Dt H^x(-(sqrt q0 z + sqrt(q1 - q0) t)/sqrt(1 - q1))], m = 0 without teacher."""
    teacher = np.exp(log_ndtr(m * Z / np.sqrt(q0 - m**2)))
    inside = log_ndtr((np.sqrt(q0) * Z[:, None] + np.sqrt(q1 - q0) * T) / np.sqrt(1 - q1))
    return float(pool * 2 * G @ (teacher * np.logaddexp(0, logsumexp(x * inside + LOG_G, axis=1) - phi)))


def slope(function, value: float, step: float = 2e-3) -> float:
    """Central differences on six points."""
    weights = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
    return sum(w * (function(value + k * step) - function(value - k * step)) for k, w in weights) / step


@pytest.mark.parametrize(("prior", "teacher"), [("binary", True), ("spherical", False), pytest.param("spherical", True, marks=SLOW)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=SLOW) for seed in (1, 2, 3))])
def test_universal_equations_are_the_slopes_of_the_free_entropy(prior, teacher, seed):
    """Of the energetic side, at random points off the saddle."""
    rng = np.random.default_rng(seed)
    equations = Equations(selected(prior, teacher))
    names = equations.problem.names
    pool, budget, x, phi = rng.uniform(1, 4), rng.uniform(0.2, 0.9), rng.uniform(-2, 2.5), rng.normal()
    V, delta = rng.uniform(0.45, 0.6), rng.uniform(0.05, 0.1)
    q0, q1 = 1 - V - delta, 1 - V
    m = np.sqrt(q0) * rng.uniform(0.1, 0.7) if teacher else 0.0
    other = {"q0_hat": 0.7, "delta_q1_hat": 0.4, "m_hat": 0.5, "V_hat": 0.3}
    values = {"pool": pool, "budget": budget, "x": x, "phi": phi, "V": V, "delta_q1": delta, "m": m} | other
    point = np.array([values[name] for name in (*names, *equations.problem.controls)])
    equations.choose(point)
    for loop in (*equations.refinements, *equations.refinements[1:]):  # a solver looks whether that moves anything; here it is done
        equations.refine(point, loop, for_good=loop != DOUBLE)
    found = dict(zip(names, point[: len(names)] - equations.look(point).residual, strict=True))
    at = {"pool": pool, "x": x, "q0": q0, "q1": q1, "m": m, "phi": phi}

    def derivative(name: str) -> float:
        return slope(lambda value: samples(**(at | {name: value})), at[name])

    assert found["q0_hat"] * x**2 / 2 == pytest.approx(-derivative("q0"), rel=1e-9, abs=1e-9)
    assert (found["q0_hat"] + found["delta_q1_hat"]) * x * (x - 1) / 2 == pytest.approx(derivative("q1"), rel=1e-9, abs=1e-9)
    if teacher:
        assert found["m_hat"] * x == pytest.approx(derivative("m"), rel=1e-9, abs=1e-9)
    kept = -derivative("phi")
    odds = np.log(kept / (pool - kept)) - np.log(budget / (pool - budget))
    assert found["phi"] == pytest.approx(phi + odds, abs=1e-9)


@pytest.mark.parametrize("x", [pytest.param(-5.0, marks=pytest.mark.slow), -2.5, -0.5, 1.5])
def test_free_entropy_of_the_spherical_perceptron(x):
    """The whole of it at the saddle, both sides typed by hand, and its slope in x, the log-volume."""
    found = first(selected(), x=x, budget=0.8)
    q0, q1, m = (float(found[name]) for name in ("q0", "q1", "m"))
    phi = float(found.unknowns["phi"])

    def free(x: float) -> float:
        rest = 1 - q1 + x * (q1 - q0)
        entropy = x * np.log(1 - q1) / 2 + np.log(rest / (1 - q1)) / 2 + x * (q0 - m**2) / (2 * rest)
        return float(entropy + samples(3.0, x, q0, q1, m, phi) + 0.8 * phi)

    volume = slope(free, x)
    assert float(found.free_entropy) == pytest.approx(free(x), abs=1e-11)
    assert float(found["log_volume"]) == pytest.approx(volume, abs=1e-9)
    assert float(found["complexity"]) == pytest.approx(free(x) - x * volume, abs=1e-8)


PASSIVE = {0.5: 0.4095575193946367, 1: 0.3383594684214644, 3: 0.181020414076237}


@pytest.mark.parametrize("budget", PASSIVE)
def test_random_selections_are_passive_learning(budget):
    pool = 2.5 * budget
    found = first(selected(), x=0.0, pool=pool, budget=budget)
    assert float(found["generalization_error"]) == pytest.approx(PASSIVE[budget], abs=1e-11)
    share = budget / pool
    selections = -pool * (share * np.log(share) + (1 - share) * np.log(1 - share))
    assert float(found["complexity"]) == pytest.approx(selections, abs=1e-11)
    assert float(found["q1"]) == pytest.approx(float(found["m"]), abs=1e-11)  # on the Nishimori line


def test_binary_weights_at_no_tilt_are_passive_learning():
    """bayes_binary at alpha = 0.5: q = E tanh^2 and q_hat = alpha E G^2/(1 - q), iterated here on their own."""
    q = 0.1
    for _ in range(400):
        y = -np.sqrt(q) * Z / np.sqrt(1 - q)
        hazard = np.exp(-(y**2) / 2 - log_ndtr(-y)) / np.sqrt(2 * np.pi)
        q_hat = 0.5 / (1 - q) * 2 * G @ (np.exp(log_ndtr(-y)) * hazard**2)
        q = G @ np.tanh(q_hat + np.sqrt(q_hat) * Z)
    found = first(selected("binary"), x=0.0, pool=1.2, budget=0.5)
    assert float(found["m"]) == pytest.approx(q, abs=1e-10)


@pytest.mark.parametrize(("prior", "teacher"), [("spherical", True), ("binary", True)])
@pytest.mark.parametrize("x", [-1.5, 0.5])
def test_log_volume_and_price_are_slopes_along_solutions(prior, teacher, x):
    module, budget = selected(prior, teacher), 0.6
    found = first(module, x=x, budget=budget)
    in_x = slope(lambda v: float(first(module, x=v, budget=budget).free_entropy), x, 0.02)
    in_budget = slope(lambda v: float(first(module, x=x, budget=v).free_entropy), budget, 0.01)
    assert float(found["log_volume"]) == pytest.approx(in_x, abs=1e-8)
    assert float(found.unknowns["phi"]) == pytest.approx(in_budget, abs=1e-8)
    more = first(module, x=x + 0.5, budget=budget)
    assert float(more["log_volume"]) > float(found["log_volume"])


def test_where_all_samples_are_kept_the_tilt_is_nothing():
    passive = first(selected(), x=0.0, pool=3.0, budget=1.0)
    for x in (-2.0, 2.0):
        found = first(selected(), x=x, pool=1.0, budget=1 - 1e-4)
        for name in ("m", "log_volume", "replicon"):
            assert float(found[name]) == pytest.approx(float(passive[name]), abs=1e-3)
        assert float(found["q1"]) == pytest.approx(float(found["q0"]), abs=1e-3)


def test_selections_run_out_where_the_complexity_vanishes():
    module = selected(x="20", solve=', solve = "complexity = 0"')
    found = first(module, budget=0.5)
    assert float(found["complexity"]) == pytest.approx(0, abs=1e-10)
    again = first(selected(), budget=0.5, x=float(found["x"]))
    assert float(again["log_volume"]) == pytest.approx(float(found["log_volume"]), abs=1e-9)


def test_a_soft_loss_selects_too():
    """The volume is then the partition function at that temperature: at no tilt the one of passive learning."""
    module = selected(loss='"square"', beta="2.0")
    found = first(module, x=0.0)
    passive = 'format = 1\nname = "passive"\n[teacher]\nprior = "spherical"\nchannel = "sign"\n[student]\nprior = "spherical"\n'
    passive += 'loss = "square"\nprotocol = { kind = "gibbs", beta = 2.0 }\n[controls]\nalpha = { value = 1.0, domain = "(0, inf)" }\n'
    plain = first(compile_theory(derive(Spec.from_toml(passive))))
    assert float(found["m"]) == pytest.approx(float(plain["m"]), abs=1e-10)
    assert float(found["log_volume"]) == pytest.approx(float(plain.free_entropy), abs=1e-10)


def test_integer_tilt_counts_replicas():
    """At x = 1 the weight is the volume itself: sum over selections first, sample by sample, is an annealed measure over (s, w).

    A sample is then kept or not with weight 1 + e^-phi theta: the same learner with a bounded loss log(1 + e^-phi), on the whole pool.
    """
    found = first(selected(), x=1.0)
    phi = float(found.unknowns["phi"])
    beta = np.log1p(np.exp(-phi))  # (1 + e^-phi) where the label agrees, 1 where not
    text = 'format = 1\nname = "soft"\n[teacher]\nprior = "spherical"\nchannel = "sign"\n[student]\nprior = "spherical"\n'
    text += 'loss = "theta"\nprotocol = { kind = "gibbs", beta = "beta" }\n[controls]\nalpha = { value = 3.0, domain = "(0, inf)" }\n'
    text += 'beta = { value = 1.0, domain = "(0, inf)" }\n'
    soft = first(compile_theory(derive(Spec.from_toml(text))), beta=beta)
    assert float(found["m"]) == pytest.approx(float(soft["m"]), abs=1e-10)
    assert float(found["q0"]) == pytest.approx(float(soft["q"]), abs=1e-10)
    assert float(found.free_entropy) - phi == pytest.approx(float(soft.free_entropy) + 3 * beta, abs=1e-10)
    assert expit(-phi) * 3 * (1 - float(soft["training_loss"])) == pytest.approx(1.0, abs=1e-10)
