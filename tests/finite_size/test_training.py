"""Trained weights are minimisers: closed forms, optimality conditions and the reference curves, none of them derived here."""

import csv
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from replica import channels, losses, priors, regularizers
from simulate.draw import draw
from simulate.finite_size import Verdict, compare, compare_all, verdict
from simulate.instance import Unsupported
from simulate.learn.erm import TOLERANCE, train
from simulate.learn.scalars import Scalar
from simulate.runs import simulate
from tests.finite_size.systems import erm

REFERENCE = Path(__file__).parents[1] / "reference"
TEACHER, SIGN, NOISY = priors.Gaussian(), channels.Sign(), channels.Linear(variance=0.5)


def reference(name, **where):
    """The row of a reference table nearest to the given point."""
    lines = [line for line in (REFERENCE / name).read_text().splitlines() if not line.startswith("#")]
    rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(lines)]
    return min(rows, key=lambda row: sum(abs(row[k] - v) for k, v in where.items()))


def solved(spec, d, seeds=2):
    instances = [draw(spec, spec.at({}), d, seed) for seed in range(seeds)]
    return list(zip(instances, train(instances, spec.learner), strict=True))


def test_ridge_is_the_linear_solve():
    spec = erm(TEACHER, channels.Linear(variance=0.1), losses.Square(), regularizers.Ridge("lambda"), **{"alpha": 0.7, "lambda": 0.05})
    for instance, estimate in solved(spec, 60):
        x, y = instance.arrays["x"] / np.sqrt(60), instance.arrays["y"]
        exact = np.linalg.solve(x.T @ x + 0.05 * np.eye(60), x.T @ y)
        np.testing.assert_allclose(estimate.mean, exact, atol=1e-7, equal_nan=False)


def test_lasso_meets_its_optimality_conditions():
    spec = erm(priors.GaussBernoulli(rho=0.2), channels.Linear(variance=0.01), losses.Square(), regularizers.L1(0.1), alpha=0.8)
    for instance, estimate in solved(spec, 80):
        assert not estimate.failure
        x, y = instance.arrays["x"] / np.sqrt(80), instance.arrays["y"]
        pull = x.T @ (y - x @ estimate.mean)
        active = np.abs(estimate.mean) > 1e-6
        assert 5 < active.sum() < 60
        np.testing.assert_allclose(pull[active], 0.1 * np.sign(estimate.mean[active]), atol=1e-7, equal_nan=False)
        assert np.all(np.abs(pull[~active]) <= 0.1 + 1e-7)


@pytest.mark.parametrize(
    ("channel", "loss"),
    [(SIGN, losses.Hinge()), (SIGN, losses.Exponential()), (NOISY, losses.Absolute()), (NOISY, losses.Huber())],
    ids=lambda item: item.kind,
)
def test_no_direction_goes_down(channel, loss):
    spec = erm(TEACHER, channel, loss, regularizers.Ridge("lambda"), **{"alpha": 2.0, "lambda": 0.1})
    y, z = sp.symbols("y z", real=True)
    value = sp.lambdify((y, z), loss.bind({}).formula(y, z), "numpy")
    for instance, estimate in solved(spec, 40):
        assert not estimate.failure and estimate.residual <= TOLERANCE
        x, labels = instance.arrays["x"] / np.sqrt(40), instance.arrays["y"]

        def energy(w, x=x, labels=labels):
            return float(np.sum(value(labels, x @ w)) + 0.05 * np.sum(w**2))

        best = energy(estimate.mean)
        assert best / 40 == pytest.approx(estimate.extras["energy"], rel=1e-12)
        rng = np.random.default_rng(0)
        for size in (1e-1, 1e-3, 1e-5):
            for direction in rng.standard_normal((40, 40)):
                assert energy(estimate.mean + size * direction) > best - 1e-10


CURVES = [("P4_erm_logistic_l2.csv", losses.Logistic()), ("P6_erm_hinge_l2.csv", losses.Hinge())]


@pytest.mark.parametrize(("table", "loss"), CURVES, ids=["logistic", "hinge"])
def test_reference_curve(table, loss):
    row = reference(table, alpha=2.0, **{"lambda": 1.0})
    spec = erm(TEACHER, SIGN, loss, regularizers.Ridge("lambda"), **{"alpha": row["alpha"], "lambda": row["lambda"]})
    theory = {"m": row["m"], "q": row["q"], "generalization_error": row["eg"], "training_loss": row["train_loss"]}
    runs = simulate(spec, sizes=(80, 160), seeds=16)
    compared = compare_all(runs, theory)
    assert {c.observable for c in compared} == set(theory) and not runs.failures
    assert verdict(compared) is Verdict.AGREES, [(c.observable, c.z) for c in compared]
    assert compare(runs, "q", 1.3 * row["q"]).verdict is Verdict.DISAGREES


def test_no_minimum_is_reported_and_left_out():
    spec = erm(TEACHER, SIGN, losses.Logistic(), regularizers.Zero(), alpha=0.5)
    runs = simulate(spec, sizes=(30,), seeds=4)
    assert len(runs.failures) == 4 and not runs.rows
    assert "not at the optimum" in runs.failures[0].sentence


def test_loss_that_is_not_convex_is_refused():
    with pytest.raises(Unsupported, match="not convex"):
        simulate(erm(TEACHER, SIGN, losses.Theta(), regularizers.Ridge(1), alpha=1.0), sizes=(20,), seeds=1)


def test_kinks_are_found():
    y, z = sp.symbols("y z", real=True)
    assert Scalar(sp.Abs(y - z), y, z).kinks == (y,)
    assert Scalar(sp.Max(0, 1 - y * z), y, z).kinks == (1 / y,)
    assert Scalar(sp.Max(0, 1 - y * z) ** 2, y, z).kinks == ()
    assert set(Scalar(sp.Max(z, 2 * z - 1, 0), y, z).kinks) >= {sp.S.Zero, sp.S.One}
