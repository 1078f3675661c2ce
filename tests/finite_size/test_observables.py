"""Observables that a spec declares are measured on finite systems under their own names."""

import numpy as np
import pytest

from replica.spec import Spec
from simulate.runs import simulate

SPEC = """
format = 1
name = "declared"
[teacher]
prior = "gaussian"
channel = "sign"
[student]
protocol = "erm"
loss = "logistic"
regularizer = { kind = "ridge", strength = 0.5 }
[observables]
wrong = { average = "where(y*z < 0, 1, 0)" }
missed = { average = "where(z < 0, 1, 0)", given = "y > 0" }
test_loss = { average = "loss" }
angle = { cosine = ["student", "teacher"] }
raw = { overlap = ["student", "teacher"] }
length = { overlap = ["student", "student"] }
same = { cosine = ["student", "student"] }
twice = { formula = "2*wrong + alpha" }
again = { kind = "generalization_error" }
unknown = { formula = "1 + complexity" }
[controls]
alpha = { value = 2.0, domain = "(0, inf)" }
"""


@pytest.fixture(scope="module")
def runs():
    return simulate(Spec.from_toml(SPEC), sizes=(60,), seeds=5)


@pytest.mark.parametrize(
    ("declared", "standard", "tolerance"),
    [
        ("angle", "overlap", 1e-12),
        ("raw", "m", 1e-12),
        ("length", "q", 1e-12),
        ("again", "generalization_error", 0.0),
        ("wrong", "generalization_error", 0.01),
    ],
)
def test_declared_and_standard_observables_agree(runs, declared, standard, tolerance):
    np.testing.assert_allclose(runs.values(declared, 60), runs.values(standard, 60), atol=tolerance, equal_nan=False)


def test_averages_and_formulas(runs):
    np.testing.assert_allclose(runs.values("twice", 60), 2 * runs.values("wrong", 60) + 2, rtol=1e-12, equal_nan=False)
    np.testing.assert_allclose(runs.values("missed", 60), runs.values("wrong", 60), atol=0.02, equal_nan=False)
    np.testing.assert_allclose(runs.values("same", 60), 1.0, rtol=1e-12, equal_nan=False)
    assert np.all(runs.values("test_loss", 60) > runs.values("training_loss", 60))
    assert np.all(runs.values("test_loss", 60) < 1)


def test_what_cannot_be_measured_is_left_out(runs):
    assert "unknown" not in runs.observables
