"""Minimizers on structured data against an independent implementation: mixtures, groups with own rules, curricula, features, distillation.

Values: the "theory" entries of tests/reference/structured_values.json, from hand-written solvers of each model.  Its rates of groups were
integrated on a coarse grid (good to 1e-4) and are compared with SciPy's bivariate normal law instead.
"""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import multivariate_normal, norm

from numerics.compile import Module, compile_theory
from numerics.solve import solve
from numerics.sweep import sweep
from replica.derive import derive
from replica.spec import load
from tests.finite_size.structured import ENTRIES, problem


@cache
def compiled(name: str) -> Module:
    return compile_theory(derive(load(name)))


def entries(group: str, **fixed):
    return [e for e in ENTRIES if e["group"] == group and all(e["settings"][k] == v for k, v in fixed.items())]


def agrees(name: str, at: dict[str, float], entry, names: dict[str, str], rel: float = 2e-8) -> None:
    found = solve(compiled(name), at)[0]
    assert found.status.ok, found.status
    values = found.values() if callable(getattr(found, "values", None)) else {**found.order_parameters, **found.observables}
    for word, ours in names.items():
        assert values[ours] == pytest.approx(entry["observables"][word]["theory"], rel=rel, abs=1e-9), (word, at)


@pytest.mark.parametrize("entry", entries("i_gmm", bias=True, loss="logistic"))
def test_gaussian_mixture_with_a_bias(entry):
    s = entry["settings"]
    at = {"alpha": s["alpha"], "lambda": s["lam"], "rho": s["rho"], "Delta": s["Delta"]}
    agrees("gaussian_mixture", at, entry, {"eg": "generalization_error", "m": "m", "q": "q", "b": "bias", "train_loss": "training_loss"})


@pytest.mark.parametrize("entry", entries("ii_teacher_mixture"))
def test_two_groups_with_their_own_rules(entry):
    """Weights 0.6 and 2.5 of the groups are weight 2.5/0.6 of the second and a penalty over 0.6."""
    s = entry["settings"]
    major, minor = (1, 1) if s["weights"] is None else (s["weights"]["c+1y+1"], s["weights"]["c-1y+1"])
    at = {"alpha": s["alpha"], "lambda": s["lam"] / major, "rho": s["rho"], "weight": minor / major}
    names = {"m": "m[student,centroid]", "Rp": "m[student,rule_major]", "Rm": "m[student,rule_minor]", "q": "q", "b": "bias"}
    agrees("teacher_mixture", at, entry, names)


def test_rates_of_groups_are_those_of_a_bivariate_normal_law():
    found = solve(compiled("teacher_mixture"))[0]
    p, o = found.order_parameters, found.observables
    for sign, group, rule, slope in ((1, "major", "rule_major", 0.3), (-1, "minor", "rule_minor", 0.1)):
        mean = np.array([sign * slope, sign * p["m[student,centroid]"] + p["bias"]])
        R = p[f"m[student,{rule}]"]
        cov = 0.5 * np.array([[1, R], [R, p["q"]]])
        both = multivariate_normal(-mean, cov).cdf([0, 0])
        neither = multivariate_normal(mean, cov).cdf([0, 0])
        assert o[f"accuracy_{group}"] == pytest.approx(both + neither, rel=1e-9)
        assert o[f"tpr_{group}"] == pytest.approx(both / norm.cdf(mean[0] / np.sqrt(0.5)), rel=1e-9)
        assert o[f"ppv_{group}"] == pytest.approx(both / norm.cdf(mean[1] / np.sqrt(0.5 * p["q"])), rel=1e-9)


@pytest.mark.parametrize("entry", entries("v_curriculum", protocol="curriculum"))
def test_a_later_stage_is_pulled_to_the_first(entry):
    names = {"m1": "m[student@first@relevant,teacher]", "qr1": "q[student@first@relevant,student@first@relevant]"}
    names |= {"m2": "m[student@second@relevant,teacher]", "eg_hard2": "error_hard", "eg_easy2": "error_easy"}
    names |= {"qr2": "q[student@second@relevant,student@second@relevant]", "qi2": "q[student@second@irrelevant,student@second@irrelevant]"}
    agrees("curriculum", {"gamma": entry["settings"]["gamma"]}, entry, names)


@pytest.mark.parametrize("entry", entries("iii_rf", loss="square") + entries("vi_bmd", loss="square"))
def test_random_features(entry):
    s = entry["settings"]
    at = {"alpha": s["n_over_D"], "width": s["n_over_D"] * s["N_over_n"], "lambda": s["lam"]}
    names = {"eg": "generalization_error", "qw": "q", "train_loss": "training_loss"} | (
        {"bmd": "bmd"} if "bmd" in entry["observables"] else {}
    )
    agrees("random_features", at, entry, names, rel=2e-7)


@pytest.mark.slow
@pytest.mark.parametrize("entry", entries("ii_tm_coupled"))
def test_coupled_students(entry):
    major, minor = "expert_major", "expert_minor"
    names = {"mP": f"m[{major},centroid]", "mM": f"m[{minor},centroid]", "qPP": f"q[{major},{major}]", "qPM": f"q[{major},{minor}]"}
    names |= {"RPp": f"m[{major},rule_major]", "RMm": f"m[{minor},rule_minor]", "bP": f"bias[{major}]", "bM": f"bias[{minor}]"}
    agrees("coupled_students", {"gamma": entry["settings"]["gamma"]}, entry, names)


@pytest.mark.slow
@pytest.mark.parametrize("entry", entries("iv_kd"))
def test_distillation_answers_the_teacher_on_shared_data(entry):
    names = {"m1": "m[large,centroid]", "q11": "q[large,large]", "b1": "bias[large]", "m2": "m[small,centroid]", "q22": "q[small,small]"}
    agrees("distillation", {"chi": entry["settings"]["chi"]}, entry, names | {"q12": "q[large,small]", "b2": "bias[small]"})


OTHERS = [e for e in ENTRIES if e["group"] in ("i_gmm", "iii_rf", "vi_bmd") and e["settings"]["loss"] != "square"]


@pytest.mark.slow
@pytest.mark.parametrize("entry", [e for e in OTHERS if 1e-3 <= e["settings"]["lam"] <= 1])
def test_every_other_point(entry):
    """Left out: the mixture at 1000 and features at 1e-4, where the table is 3e-4 and 4e-4 off (the tests below)."""
    spec, names, _ = problem(entry)
    found = solve(compile_theory(derive(spec)))[0]
    assert found.status.ok, found.status
    values = {**found.order_parameters, **found.observables}
    for word, ours in names.items():
        if ours in values:
            assert values[ours] == pytest.approx(entry["observables"][word]["theory"], rel=1e-6, abs=1e-9), word


def features_by_hand(rows: float, width: float, strength: float, M: float, Q: float, V: float):
    """One step of the saddle point of logistic regression on tanh features, sign teacher: (M, Q, V, |w|^2 per feature, training loss).

    Legendre panels over the proximal point, Marchenko and Pastur's law by the midpoint rule in an angle.

    Args:
        rows, width: samples and features per input.
    """
    z = np.linspace(-12, 12, 200_001)
    normal = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    linear = float(normal @ (z * np.tanh(z)))
    rest = float(normal @ np.tanh(z) ** 2) - linear**2
    angle = (np.arange(4000) + 0.5) * np.pi / 4000
    bulk = 1 + width + 2 * np.sqrt(width) * np.cos(angle)
    share = 2 * np.sin(angle) ** 2 / bulk / 4000
    a, p = np.append(bulk, 0.0), np.append(share, max(0.0, 1 - 1 / width))
    c = linear**2 * a + rest

    ends = [brentq(lambda h, side=side: h - V * expit(-h) - side * 10 * np.sqrt(Q), -1e4, 1e4) for side in (-1, 1)]
    x, weight = np.polynomial.legendre.leggauss(24)
    edges = np.linspace(*ends, 801)
    half = (edges[1] - edges[0]) / 2
    h, dh = ((edges[:-1] + half)[:, None] + half * x).ravel(), np.tile(half * weight, 800)
    g = expit(-h)
    bend, omega = g * (1 - g), h - V * g
    density = 2 * np.exp(-(omega**2) / (2 * Q)) / np.sqrt(2 * np.pi * Q) * (1 + V * bend) * dh
    left = 1 - M * M / Q
    odds, slope = norm.cdf(M / Q * omega / np.sqrt(left)), norm.pdf(M / Q * omega, scale=np.sqrt(left))
    m, q, v = (rows / width * float(density @ f) for f in (slope * g, odds * g * g, odds * bend / (1 + V * bend)))
    D = strength + v * c
    signal = (m * linear) ** 2 * width
    overlap, response = m * linear**2 * width * float(p @ (a / D)), float(p @ (c / D))
    variance, length = (signal * float(p @ (a * f / D**2)) + q * float(p @ (c * f / D**2)) for f in (c, 1.0))
    return overlap, variance, response, length, float(density @ (odds * np.logaddexp(0, -h)))


@pytest.mark.slow
@pytest.mark.parametrize("entry", [e for e in OTHERS if e["settings"]["lam"] == 1e-4])
def test_features_at_a_weak_penalty_solve_equations_written_by_hand(entry):
    """The table's grid is too coarse where the response is in the hundreds."""
    s = entry["settings"]
    spec, names, _ = problem(entry)
    found = solve(compile_theory(derive(spec)))[0]
    p = found.order_parameters
    at = [p[f"field_{word}"] for word in ("overlap", "variance", "response")]
    *again, length, loss = features_by_hand(s["n_over_D"], s["n_over_D"] * s["N_over_n"], s["lam"], *at)
    assert again == pytest.approx(at, rel=1e-7)
    assert p[names["qw"]] == pytest.approx(length, rel=1e-7)
    assert found.observables["training_loss"] == pytest.approx(loss, rel=1e-8)
    assert found.observables["generalization_error"] == pytest.approx(np.arccos(at[0] / np.sqrt(at[1])) / np.pi, rel=1e-10)


def test_a_sweep_begins_where_the_map_leads_nowhere():
    """Newton's method alone solves this point, as it does for `solve`."""
    module, at = compiled("teacher_mixture"), {"alpha": 5.0, "q_rule": 0.0}
    found = sweep(module, {"weight": [1.0, 5.0]}, at)
    assert (found["status"].values == "converged").all()
    assert float(found["q"][0, 0]) == pytest.approx(solve(module, {"weight": 1.0, **at})[0].order_parameters["q"], rel=1e-9)


def test_a_strong_penalty_averages_the_samples():
    """w ~ sum of y x: q/m^2 = 1 + Delta (1 + Var g/(E g)^2)/alpha, and the scores vary by a slope of 1/4 only."""
    (entry,) = [e for e in OTHERS if e["settings"]["lam"] == 1000]
    spec, _, _ = problem(entry)
    p = solve(compile_theory(derive(spec)))[0].order_parameters
    assert p["q"] / p["m"] ** 2 == pytest.approx(1 + (1 + p["q"] / 4) / 2, rel=1e-9)
