"""Thresholds of perceptron landscapes: roots of what the engine computes, against values computed elsewhere."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from numerics.solve import solve
from tests.properties.solved import best, catalog_module, module_of, spec_text

VALUES = {entry["id"]: entry for entry in json.loads((Path(__file__).parent / "landscape_values.json").read_text())["values"]}
SPHERE = 'prior = "spherical"'


def value(name: str) -> float:
    return float(VALUES[name]["value"])


def root(function, low: float, high: float) -> float:
    return brentq(function, low, high, xtol=1e-15, rtol=1e-15)


# ------------------------------------------------------------------ binary storage


@pytest.mark.parametrize(("kappa", "name", "relative"), [(0.0, "0", 1e-12), (1.0, "1", 1e-12), (-1.0, "-1.0", 1e-11)])
def test_binary_storage_ends_where_the_entropy_vanishes(kappa, name, relative):
    module, expected = catalog_module("binary_storage"), value(f"binary_perceptron.alpha_c_RS.kappa={name}")
    found = root(lambda alpha: best(module, alpha=alpha, kappa=kappa)["entropy"], 0.9 * expected, 1.05 * expected)
    assert found == pytest.approx(expected, rel=relative)
    at_capacity = best(module, alpha=found, kappa=kappa)
    entry = VALUES[f"binary_perceptron.alpha_c_RS.kappa={name}"]
    assert float(at_capacity["q"]) == pytest.approx(float(entry["q"]), rel=1e-10)
    assert float(at_capacity["q_hat"]) == pytest.approx(float(entry["qhat"]), rel=1e-10)


# ------------------------------------------------------------------ spherical storage


def capacity(kappa: float) -> float:
    """alpha at which q -> 1.

    Near it alpha_c - alpha vanishes with V = 1 - q as a series in sqrt(V) (and in V at a kink-free margin); points whose
    sqrt(V) halves are extrapolated with Richardson's table.
    """
    module = catalog_module("spherical_storage")
    upper = 1 / ((1 + kappa**2) * (1 + math.erf(kappa / math.sqrt(2))) / 2 + kappa * math.exp(-(kappa**2) / 2) / math.sqrt(2 * math.pi))

    def alpha_at(V: float) -> float:
        return root(lambda share: best(module, alpha=share * upper, kappa=kappa).unknowns["V"] - V, 0.2, 1 - 1e-9) * upper

    steps = [0.05 * 2.0**-k for k in range(6)]
    table = [alpha_at(h**2) for h in steps]
    for order in range(1, len(table)):
        table = [(2**order * b - a) / (2**order - 1) for a, b in zip(table, table[1:], strict=False)]
    return table[-1]


@pytest.mark.parametrize(("kappa", "name"), [(0.0, "0"), (0.5, "0.5")])
def test_spherical_storage_ends_where_the_overlap_is_one(kappa, name):
    assert capacity(kappa) == pytest.approx(value(f"spherical_perceptron.alpha_c_RS.kappa={name}"), rel=1e-8)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_robust_solutions_of_the_star(alpha):
    """The largest margin at which there are solutions, and how stable those are that see all typical ones."""
    expected = VALUES[f"star_shaped.kappa=-0.5.alpha={alpha}"]["value"]
    found = best(catalog_module("spherical_storage"), alpha=alpha, kappa=expected["kappa_star"])
    assert capacity(expected["kmax_RS"]) == pytest.approx(alpha, rel=1e-8)
    assert 1 - float(found["replicon"]) == pytest.approx(expected["replicon_tilde"], rel=1e-10)


@pytest.mark.parametrize("kappa", [-0.5, -0.75, -1.5])
def test_spherical_storage_becomes_unstable(kappa):
    module, name = catalog_module("spherical_storage"), f"spherical_perceptron.alpha_dAT.kappa={kappa}"
    expected = value(name)
    found = root(lambda alpha: best(module, alpha=alpha, kappa=kappa)["replicon"], 0.9 * expected, 1.05 * expected)
    assert found == pytest.approx(expected, rel=1e-11)
    assert float(best(module, alpha=found, kappa=kappa)["q"]) == pytest.approx(VALUES[name]["q"], rel=1e-9)


# ------------------------------------------------------------------ teacher and student, signs


def branches(alpha: float):
    """(partial, perfect): the solution with q < 1 and the one at q = 1, or None."""
    found = [s for s in solve(catalog_module("bayes_binary"), {"alpha": alpha}) if s.converged]
    partial = [s for s in found if s["q"] < 1 - 1e-6]
    perfect = [s for s in found if s["q"] >= 1 - 1e-6]
    return (min(partial, key=lambda s: s["q"]) if partial else None), (perfect[0] if perfect else None)


def test_binary_teacher_has_two_branches_that_cross():
    """At q = 1 one sign vector in 2^d is left, so that Phi = -log 2."""
    name = "teacher_student_binary.alpha_TS"
    expected = value(name)

    def pair(alpha: float):
        partial, perfect = branches(alpha)
        assert partial is not None and perfect is not None, alpha
        assert float(perfect["q"]) == pytest.approx(1, abs=1e-12) and float(perfect["generalization_error"]) == pytest.approx(0, abs=1e-14)
        return float(partial.free_entropy), float(perfect.free_entropy)

    assert root(lambda alpha: pair(alpha)[0] + np.log(2), 1.2, 1.3) == pytest.approx(expected, rel=1e-12)
    assert root(lambda alpha: pair(alpha)[0] - pair(alpha)[1], 1.2, 1.3) == pytest.approx(expected, rel=1e-12)
    partial, perfect = branches(expected)
    assert abs(float(perfect.free_entropy) + np.log(2)) <= perfect.quadrature_error < 1e-12
    assert float(partial["q"]) == pytest.approx(float(VALUES[name]["q"]), rel=1e-10)
    assert float(partial["q_hat"]) == pytest.approx(float(VALUES[name]["qhat"]), rel=1e-10)


def test_the_thermodynamic_branch_comes_first():
    assert solve(catalog_module("bayes_binary"), {"alpha": 1.2})[0]["q"] < 1 - 1e-3
    assert solve(catalog_module("bayes_binary"), {"alpha": 1.3})[0]["q"] > 1 - 1e-9


def test_partial_branch_ends_at_the_spinodal():
    """Just below, a branch with q < 1 exists and is near the fold; just above there is none."""
    name = "teacher_student_binary.alpha_spinodal"
    expected = value(name)
    below, _ = branches(expected - 1e-6)
    assert below is not None and float(below["q"]) == pytest.approx(VALUES[name]["q"], abs=5e-3)
    above, perfect = branches(expected + 1e-6)
    assert above is None and perfect is not None


def test_spinodal_from_the_square_root_of_the_fold():
    """alpha(q) is a parabola at the fold: three points of the branch give its top."""
    name = "teacher_student_binary.alpha_spinodal"
    expected = value(name)
    alphas = expected - np.array([1e-7, 4e-7, 9e-7, 16e-7, 25e-7])
    q = np.array([float(branches(alpha)[0]["q"]) for alpha in alphas])
    top = np.polynomial.Polynomial.fit(q, alphas, 3)
    (fold,) = [r.real for r in top.deriv().roots() if abs(r.imag) < 1e-9 and abs(r.real - VALUES[name]["q"]) < 0.02]
    assert float(top(fold)) == pytest.approx(expected, abs=2e-9)


# ------------------------------------------------------------------ teacher and student, spheres


@pytest.mark.parametrize("alpha", [0.5, 1, 2, 3, 5, 10])
def test_spherical_teacher(alpha):
    """A draw from the version space and the Bayes rule, both learners of a spherical teacher."""
    expected = VALUES[f"teacher_student_spherical.alpha={alpha}"]["value"]
    draw = module_of(spec_text(f'protocol = {{ kind = "gibbs", beta = inf }}\nloss = "theta"\n{SPHERE}', f'{SPHERE}\nchannel = "sign"'))
    rule = module_of(spec_text('protocol = "bayes"', f'{SPHERE}\nchannel = "sign"'))
    gibbs, bayes = best(draw, alpha=alpha), best(rule, alpha=alpha)
    assert float(gibbs["m"]) == pytest.approx(expected["R"], rel=1e-10)
    assert float(gibbs["q"]) == pytest.approx(expected["R"], rel=1e-10)
    assert float(bayes["q"]) == pytest.approx(expected["R"], rel=1e-10)
    assert float(gibbs["generalization_error"]) == pytest.approx(expected["eps_Gibbs"], rel=1e-10)
    assert float(bayes["generalization_error"]) == pytest.approx(expected["eps_Bayes"], rel=1e-10)
    assert float(gibbs["training_loss"]) == 0


# ------------------------------------------------------------------ several levels

LEVELS = {
    "-1..1": [-1, 0, 1], "-2..2": list(range(-2, 3)), "-4..4": list(range(-4, 5)), "-7..7": list(range(-7, 8)),
    "even_2": [-1, 1], "even_4": [-3, -1, 1, 3],
}


SLOW = ("-2..2", "-4..4", "-7..7")


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in LEVELS])
def test_weights_of_several_levels(name):
    """Weights uniform on a symmetric set, zero threshold: where the entropy per weight, log(number of states), vanishes."""
    module = module_of(spec_text(f'protocol = {{ kind = "gibbs", beta = inf }}\nloss = "theta"\nprior = {{ atoms = {LEVELS[name]} }}'))
    entry = VALUES[f"multistate.{name}"]
    expected = float(entry["value"])
    found = root(lambda alpha: best(module, alpha=alpha)["entropy"], 0.8 * expected, 1.02 * expected)
    assert found == pytest.approx(expected, rel=1e-10)
    at_capacity = best(module, alpha=found)
    assert float(at_capacity["q"]) == pytest.approx(entry["q"], rel=1e-8)
    assert float(at_capacity["Q"]) == pytest.approx(entry["Q"], rel=1e-8)
