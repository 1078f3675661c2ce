"""Coupled weights: p-spin, Sherrington-Kirkpatrick, Hopfield and spiked models against closed forms and quadrature written by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss

from numerics.solve import solve
from numerics.status import Status
from replica.derive import Underivable, derive
from replica.spec import Spec
from tests.properties.solved import best, catalog_module, module_of

VALUES = {entry["id"]: entry for entry in json.loads((Path(__file__).parent / "landscape_values.json").read_text())["values"]}
Z, W = hermegauss(120)
W = W / W.sum()


def value(name: str) -> float:
    return float(VALUES[name]["value"])


def pspin(p: int, ansatz: str = "", prior: str = "binary", beta: str = "value = 1.0,") -> str:
    return f"""format = 1
name = "test"

[data]
law = {{ kind = "pspin", p = {p} }}

[student]
protocol = {{ kind = "gibbs", beta = "beta" }}
prior = "{prior}"

{ansatz}

[controls]
beta = {{ {beta} domain = "(0, inf)" }}
"""


def one_step(x: str) -> str:
    return f'[ansatz]\nkind = "rsb"\nk = 1\nx = {x}\n'


def threshold(p: int, prior: str, condition: str, guess: float):
    """The solution at which `condition` holds among states of Parisi parameter 1."""
    module = module_of(pspin(p, one_step("1"), prior, f'solve = "{condition}", value = {guess},'))
    found = [s for s in solve(module) if s.status is Status.CONVERGED]
    assert found
    return found[0]


# ------------------------------------------------------------------ p-spin


def test_ising_three_spin_states_appear_and_condense():
    dynamic, static = (threshold(3, "binary", c, g) for c, g in (("replicon = 0", 1.47), ("complexity = 0", 1.53)))
    assert 1 / dynamic["beta"] == pytest.approx(value("ising_pspin.p=3.T_d"), rel=1e-12)
    assert dynamic["q1"] == pytest.approx(VALUES["ising_pspin.p=3.T_d"]["q"], rel=1e-9)  # at a fold digits are lost twice as fast in q
    assert 1 / static["beta"] == pytest.approx(value("ising_pspin.p=3.T_s"), rel=1e-11)
    assert static["q1"] == pytest.approx(VALUES["ising_pspin.p=3.T_s"]["q"], rel=1e-9)


@pytest.mark.parametrize(("p", "static_guess"), [(3, 1.70), (4, 1.97)])
def test_spherical_p_spin_thresholds(p, static_guess):
    T_d = math.sqrt(p * (p - 2) ** (p - 2) / (2 * (p - 1) ** (p - 1)))  # Crisanti & Sommers, Z. Phys. B 87 (1992) 341
    dynamic = threshold(p, "spherical", "replicon = 0", 1.01 / T_d)
    assert 1 / dynamic["beta"] == pytest.approx(T_d, rel=1e-13)
    assert dynamic["q1"] == pytest.approx(value(f"spherical_pspin.p={p}.q_d"), rel=1e-12)
    static = threshold(p, "spherical", "complexity = 0", static_guess)
    assert static["q1"] == pytest.approx(value(f"spherical_pspin.p={p}.q_s"), rel=1e-11)
    if p == 3:
        assert 1 / static["beta"] == pytest.approx(value("spherical_pspin.p=3.T_s"), rel=1e-12)
        assert 1 / dynamic["beta"] == pytest.approx(value("spherical_pspin.p=3.T_d"), rel=1e-12)


def test_states_of_the_p_spin_fold_where_they_are_marginal():
    T_d = value("ising_pspin.p=3.T_d")
    module = catalog_module("pspin")
    before, after = (solve(module, {"beta": 1 / (T_d * (1 + s))}) for s in (1e-3, -1e-3))
    assert all(float(s["q1"]) < 1e-9 for s in before if s.converged)
    glassy = sorted(float(s["q1"]) for s in after if s.converged and s["q1"] > 0.1)
    assert len(glassy) == 2 and glassy[0] < VALUES["ising_pspin.p=3.T_d"]["q"] < glassy[1]


def test_overlap_that_symmetry_keeps_at_zero_is_no_unknown():
    broken, linear = derive(Spec.from_toml(pspin(3, one_step("0.5")))), derive(Spec.from_toml(pspin(2, one_step("0.5"))))
    assert broken.order_parameters["q0"] == 0 and "q0_hat" not in [u.name for u in broken.system.unknowns]
    assert linear.order_parameters["q0"] != 0 and "q0_hat" in [u.name for u in linear.system.unknowns]


# ------------------------------------------------------------------ Sherrington-Kirkpatrick


def test_sk_above_its_transition_is_a_paramagnet():
    beta = 0.7
    found = best(module_of(pspin(2)), beta=beta)
    assert found["q"] == pytest.approx(0, abs=1e-12)
    assert found.free_entropy == pytest.approx(beta**2 / 4, rel=1e-12)  # spins +-1 with weight one half: log 2 is left out
    assert found["entropy"] == pytest.approx(math.log(2) - beta**2 / 4, rel=1e-12)
    assert found["energy"] == pytest.approx(-beta / 2, rel=1e-12)
    assert found["replicon"] == pytest.approx(1 - beta**2, rel=1e-12)


def test_sk_below_its_transition_is_unstable():
    beta, q = 1.4, 0.5
    for _ in range(2000):
        q = float(W @ np.tanh(beta * math.sqrt(q) * Z) ** 2)
    found = best(module_of(pspin(2)), beta=beta)
    assert found["q"] == pytest.approx(q, rel=1e-10)
    at = 1 - beta**2 * float(W @ np.cosh(beta * math.sqrt(q) * Z) ** -4)  # de Almeida & Thouless, J. Phys. A 11 (1978) 983
    assert found["replicon"] == pytest.approx(at, rel=1e-9) and at < 0


def parisi(beta: float, q0: float, q1: float, x: float) -> float:
    """Free entropy of SK with one step, spins of weight one half: Parisi, J. Phys. A 13 (1980) L115."""
    h = beta * (math.sqrt(q0) * Z[:, None] + math.sqrt(q1 - q0) * Z[None, :])
    inside = np.log(np.cosh(h) ** x @ W) / x
    return beta**2 / 4 * (1 - 2 * q1 + q1**2 + x * (q0**2 - q1**2)) + float(W @ inside)


def test_sk_with_one_step_is_stationary_in_parisis_functional():
    found, beta = best(catalog_module("sk"), beta=2.0), 2.0
    at = [float(found[name]) for name in ("q0", "q1", "x")]
    assert 0 < at[0] < at[1] < 1 and 0 < at[2] < 1
    assert found.free_entropy == pytest.approx(parisi(beta, *at), rel=1e-11)
    for k in range(3):
        up, down = ([v + s * (i == k) for i, v in enumerate(at)] for s in (1e-4, -1e-4))
        assert (parisi(beta, *up) - parisi(beta, *down)) / 2e-4 == pytest.approx(0, abs=1e-7)
    symmetric = best(module_of(pspin(2)), beta=beta)
    assert found.free_entropy < symmetric.free_entropy  # the true one is below every ansatz with fewer steps
    assert symmetric["replicon"] < found["replicon"] < 0
    assert found["complexity"] == pytest.approx(0, abs=1e-12)
    assert found["energy"] == pytest.approx(-beta / 2 * (1 - (1 - at[2]) * at[1] ** 2 - at[2] * at[0] ** 2), rel=1e-12)


@pytest.mark.slow
def test_sk_with_two_steps_lies_below_one():
    steps = '[ansatz]\nkind = "rsb"\nk = 2\nx = "free"\n'
    zero, one = best(module_of(pspin(2)), beta=2.0), best(catalog_module("sk"), beta=2.0)
    (two,) = solve(module_of(pspin(2, steps)), {"beta": 2.0}, starts=["thawing"], all_solutions=False)
    assert 0 < two["q0"] < two["q1"] < two["q2"] < 1 and 0 < two["x1"] < two["x2"] < 1
    assert 0 < one.free_entropy - two.free_entropy < 1e-4
    assert one["replicon"] < two["replicon"] < 0
    assert zero["entropy"] < one["entropy"] < two["entropy"]  # what replica symmetry loses, and would make negative as T -> 0


def test_sk_ground_state_with_one_step():
    text = pspin(2, one_step('"free"')).replace('beta = "beta"', "beta = inf").replace('beta = { value = 1.0, domain = "(0, inf)" }', "")
    found = best(module_of(text))
    assert found["energy"] == pytest.approx(value("SK.E_1RSB_T0"), rel=1e-12)
    assert found["q0"] == pytest.approx(VALUES["SK.E_1RSB_T0"]["q0"], rel=1e-9)
    assert found["x"] == pytest.approx(VALUES["SK.E_1RSB_T0"]["mu"], rel=1e-9)


# ------------------------------------------------------------------ Hopfield


def amit(alpha: float, beta: float, m: float = 0.99, q: float = 0.99) -> tuple[float, float]:
    """(m, q) of retrieval: Amit, Gutfreund & Sompolinsky, Ann. Phys. 173 (1987) 30."""
    for _ in range(3000):
        r = q / (1 - beta * (1 - q)) ** 2
        t = np.tanh(beta * (m + math.sqrt(alpha * r) * Z))
        m, q = float(W @ t), float(W @ t**2)
    return m, q


@pytest.mark.parametrize(("alpha", "beta"), [(0.05, 3.0), (0.03, 2.0)])
def test_hopfield_retrieves(alpha, beta):
    found = [s for s in solve(catalog_module("hopfield"), {"alpha": alpha, "beta": beta}) if s.converged and s["m"] > 0.5]
    m, q = amit(alpha, beta)
    assert found[0]["m"] == pytest.approx(m, rel=1e-9) and found[0]["q"] == pytest.approx(q, rel=1e-9)
    assert found[0]["retrieval"] == pytest.approx(m, rel=1e-9)


def test_hopfield_forgets_beyond_its_capacity():
    capacity, module = value("hopfield.alpha_c_RS_T0"), catalog_module("hopfield")
    for alpha, remembers in ((0.99 * capacity, True), (1.01 * capacity, False)):
        found = solve(module, {"alpha": alpha, "beta": 500.0}, starts=["informed"])
        assert any(s.converged and s["m"] > 0.9 for s in found) is remembers


def test_energy_is_the_slope_of_the_free_entropy():
    module, step = catalog_module("hopfield"), 1e-4
    at = {"alpha": 0.05, "beta": 3.0}

    def retrieval(beta: float):
        return next(s for s in solve(module, at | {"beta": beta}, starts=["informed"]) if s["m"] > 0.5)

    slope = (retrieval(3 + step).free_entropy - retrieval(3 - step).free_entropy) / (2 * step)
    assert retrieval(3.0)["energy"] == pytest.approx(-slope, rel=1e-7)


# ------------------------------------------------------------------ spiked matrix


def test_spike_is_found_above_its_transition():
    module = catalog_module("spiked_wigner")
    assert best(module, snr=0.95)["q"] == pytest.approx(0, abs=1e-9)
    for snr in (1.05, 2.0):
        q = 0.9
        for _ in range(6000):
            q = float(W @ np.tanh(snr * q + math.sqrt(snr * q) * Z))
        found = best(module, snr=snr)
        assert found["q"] == pytest.approx(q, rel=1e-9)
        potential = float(W @ np.log(np.cosh(snr * q + math.sqrt(snr * q) * Z))) - snr * q / 2 - snr * q**2 / 4
        assert found.free_entropy == pytest.approx(potential, abs=1e-11)  # Lelarge & Miolane, PTRF 173 (2019) 859


def test_a_draw_from_the_posterior_is_distributed_as_the_spike():
    text = (Path(derive.__code__.co_filename).parent / "catalog" / "spiked_wigner.toml").read_text()
    gibbs = text.replace('protocol = "bayes"', 'protocol = { kind = "gibbs", beta = 1 }\nprior = "binary"').replace(
        'target   = "spike"', ""
    )
    found, bayes = best(module_of(gibbs), snr=1.7), best(catalog_module("spiked_wigner"), snr=1.7)
    assert found["m"] == pytest.approx(float(bayes["q"]), rel=1e-9) and found["q"] == pytest.approx(float(bayes["q"]), rel=1e-9)
    assert found.free_entropy == pytest.approx(float(bayes.free_entropy), rel=1e-9)
    assert found["replicon"] == pytest.approx(bayes["replicon"], rel=1e-8)


# ------------------------------------------------------------------ what has no theory


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (pspin(2, '[ansatz]\nkind = "annealed"\n'), "'annealed' on the law 'pspin'"),
        (pspin(2).replace("p = 2", 'p = "beta"'), "integer"),
    ],
)
def test_refusals_are_one_line(text, sentence):
    with pytest.raises(ValueError, match=sentence) as refused:
        derive(Spec.from_toml(text))
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, Underivable) or "annealed" not in sentence
