"""Every printed digit of the reference tables, through spec, derivation, kernel and solver."""

import csv
import math
from pathlib import Path

import pytest

from numerics.solve import solve
from numerics.status import Status
from numerics.sweep import sweep
from tests.properties.solved import catalog_module

HERE = Path(__file__).parent
RELATIVE = 1e-9
PRINTED = 2e-14  # the tables print 15 digits
P3_TRUSTED = 1e-9  # of a two-dimensional sum of 200 x 200 points


def rows(file: str) -> list[dict[str, float]]:
    lines = [line for line in (HERE / file).read_text().splitlines() if not line.startswith("#")]
    return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(lines)]


ERM = {"m": "m", "q": "q", "chi": "V", "generalization_error": "eg", "training_loss": "train_loss"}
TABLES = {
    "bayes_sign": ("P1_bo_sign_gauss.csv", ("alpha",), {"q": "q_ref", "generalization_error": "eg_ref"}, PRINTED),
    "compressed_sensing": ("P2_bo_cs_gaussbernoulli.csv", ("alpha",), {"estimation_mse": "mse_ref"}, 2e-13),
    "logistic_sign": ("P4_erm_logistic_l2.csv", ("alpha", "lambda"), ERM, 1e-13),
    "hinge_sign": ("P6_erm_hinge_l2.csv", ("alpha", "lambda"), ERM, 1e-12),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_printed_digit(name):
    """Each value to 1e-9, and the error within what the solver says of itself plus what the table is good to."""
    file, controls, columns, trusted = TABLES[name]
    module, table = catalog_module(name), rows(file)
    assert len(table) >= 25
    for row in table:
        at = {control: row[control] for control in controls}
        found = solve(module, at)[0]
        assert found.converged, f"{at}: {found.status}"
        for key, column in columns.items():
            error = abs(float(found[key]) - row[column])
            assert error <= RELATIVE * abs(row[column]), (at, key, found[key], row[column])
            # the bound is on the unknowns; an observable amplifies it by its own slope, of order one to ten here
            assert error <= 10 * found.quadrature_error * max(1, abs(row[column])) + trusted * abs(row[column]) + 1e-16, (at, key, error)


def test_phase_retrieval_on_the_uninformed_branch():
    """P3, where the mean squared error is above 1e-8: below the algorithmic transition perfect recovery coexists and wins."""
    module = catalog_module("phase_retrieval")
    table = [row for row in rows("P3_bo_phase_retrieval.csv") if row["alpha"] > 0.5]
    assert len([row for row in table if row["mse_ref"] > 1e-8]) >= 8
    for row in table:
        solutions = [s for s in solve(module, {"alpha": row["alpha"]}) if s.converged]
        if row["mse_ref"] > 1e-8:
            worst = min(abs(float(s["estimation_mse"]) / row["mse_ref"] - 1) for s in solutions)
            assert worst < P3_TRUSTED, (row["alpha"], worst)
        else:
            assert max(float(s["estimation_mse"]) for s in solutions) < 1e-8, row["alpha"]


@pytest.mark.parametrize("alpha", [1.2, 1.5, 1.9])
def test_phase_retrieval_at_the_end(alpha):
    """Where the signal is known Phi grows like (1 - alpha) log(V)/2; a sweep divides V by alpha, so the replicon is 1 - 1/alpha."""
    (end,) = solve(catalog_module("phase_retrieval"), {"alpha": alpha})
    assert end.status is Status.AT_END and end.free_entropy == math.inf and end["q_hat"] == math.inf
    assert abs(float(end["replicon"]) - (1 - 1 / alpha)) <= end.quadrature_error < 1e-8
    assert abs(float(end["q"]) - 1) <= 1e-15 and end.residual < 1e-15


@pytest.mark.parametrize("name", ["bayes_sign", "compressed_sensing"])
def test_a_sweep_gives_the_same_digits(name):
    file, _, columns, _ = TABLES[name]
    table = rows(file)
    found = sweep(catalog_module(name), {"alpha": [row["alpha"] for row in table]})
    for key, column in columns.items():
        values = found[key].values.ravel()
        assert len(values) == len(table)
        assert max(abs(a / row[column] - 1) for a, row in zip(values, table, strict=True)) < RELATIVE
