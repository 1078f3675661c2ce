"""Events on branches of the catalog, against values computed elsewhere or here without the engine."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_ndtr

from numerics.continuation import follow
from numerics.lines import follow_event
from numerics.status import Status
from tests.properties.solved import catalog_module

VALUES = {entry["id"]: entry for entry in json.loads((Path(__file__).parent / "landscape_values.json").read_text())["values"]}


def value(name: str) -> float:
    return float(VALUES[name]["value"])


@cache
def followed(spec: str, name: str, low: float, high: float, **at: float):
    return follow(catalog_module(spec), {name: (low, high)}, at)


def binary_teacher(q_hat: float) -> tuple[float, float]:
    """(alpha, q) of the Bayes-optimal binary perceptron at a given q_hat, by trapezoids: q = E tanh(q_hat + sqrt(q_hat) z),
    q_hat = 2 alpha/(1 - q) E[G(u)^2 / H(u)], u = sqrt(q/(1-q)) z."""
    z = np.linspace(-12, 12, 4001)
    weight = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    q = float(weight @ np.tanh(q_hat + math.sqrt(q_hat) * z))
    u = math.sqrt(q / (1 - q)) * z
    integral = float(weight @ np.exp(-(u**2) - log_ndtr(-u))) / (2 * math.pi)
    return q_hat * (1 - q) / (2 * integral), q


def test_spinodal_of_the_binary_teacher():
    (fold,) = followed("bayes_binary", "alpha", 0.8, 1.6).events("fold")
    top = minimize_scalar(lambda q_hat: -binary_teacher(q_hat)[0], bounds=(2.5, 4.5), method="bounded", options={"xatol": 1e-9})
    alpha, q = binary_teacher(float(top.x))
    assert fold.at["alpha"] == pytest.approx(alpha, abs=1e-12) and fold.error < 1e-12
    assert fold.at["alpha"] == pytest.approx(value("teacher_student_binary.alpha_spinodal"), abs=1e-9)
    assert float(fold.solutions[0]["q"]) == pytest.approx(q, abs=1e-6)


def test_transition_to_perfect_learning():
    """Between the branch with q < 1 and the solution at the end q = 1 of the domain."""
    found = followed("bayes_binary", "alpha", 0.8, 1.6)
    (crossing,) = found.events("transition")
    assert crossing.at["alpha"] == pytest.approx(value("teacher_student_binary.alpha_TS"), abs=1e-12) and crossing.error < 1e-11
    partial, perfect = crossing.solutions
    assert float(partial["q"]) == pytest.approx(float(VALUES["teacher_student_binary.alpha_TS"]["q"]), abs=1e-11)
    assert perfect.status is Status.AT_END and float(perfect.free_entropy) == pytest.approx(-math.log(2), abs=1e-13)


def test_branches_of_the_binary_teacher():
    """Below the spinodal a stable, an unstable and the perfect solution; above it the perfect one alone."""
    found = followed("bayes_binary", "alpha", 0.8, 1.6)
    fold = found.events("fold")[0].at["alpha"]
    for row in found.grid:
        expected = [False, True, True] if row[0].at["alpha"] < fold else [True]
        assert sorted(bool(one.stable) for one in row) == expected
    for one in found["b1"].points:  # in the unknown q_hat the branch is explicit
        alpha, q = binary_teacher(float(one["q_hat"]))
        assert one.at["alpha"] == pytest.approx(alpha, abs=1e-11) and float(one["q"]) == pytest.approx(q, abs=1e-12)


def test_capacity_of_the_binary_perceptron_along_the_margin():
    found = followed("binary_storage", "alpha", 0.2, 1.2, kappa=0.0)
    (zero,) = found.events("entropy_zero")
    assert zero.at["alpha"] == pytest.approx(value("binary_perceptron.alpha_c_RS.kappa=0"), abs=1e-12)
    line = follow_event(catalog_module("binary_storage"), zero, {"alpha": (0.2, 1.2), "kappa": (-0.1, 1.0)})
    last = max(line.points, key=lambda point: point["kappa"])
    assert last["kappa"] == pytest.approx(1.0, abs=1e-12)
    assert last["alpha"] == pytest.approx(value("binary_perceptron.alpha_c_RS.kappa=1"), abs=1e-11)


def test_instability_of_the_spherical_perceptron_along_the_margin():
    found = followed("spherical_storage", "alpha", 2.0, 6.0, kappa=-0.5)
    (zero,) = found.events("replicon")
    assert zero.at["alpha"] == pytest.approx(value("spherical_perceptron.alpha_dAT.kappa=-0.5"), abs=1e-11)
    stable = {one.at["alpha"] < zero.at["alpha"] for one in found["b1"].points if one.stable}
    unstable = {one.at["alpha"] > zero.at["alpha"] for one in found["b1"].points if one.stable is False}
    assert stable == unstable == {True}
    line = follow_event(catalog_module("spherical_storage"), zero, {"alpha": (2.0, 6.0), "kappa": (-0.75, -0.4)})
    first = min(line.points, key=lambda point: point["kappa"])
    assert first["kappa"] == pytest.approx(-0.75, abs=1e-12)
    assert first["alpha"] == pytest.approx(value("spherical_perceptron.alpha_dAT.kappa=-0.75"), abs=1e-10)
