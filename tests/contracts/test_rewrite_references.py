"""Hand-typed theories, rewritten, summed with plain rules and solved, against the independent reference numbers."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import hand_theories as hand  # noqa: E402
from program_numbers import Numbers  # noqa: E402

from numerics.program import Rule  # noqa: E402
from numerics.rewrite import rewrite  # noqa: E402
from replica.symbols import control_symbol  # noqa: E402

REFERENCE = HERE.parent / "reference"


def rows(name):
    with open(REFERENCE / name) as file:
        return [{k: float(v) for k, v in r.items() if v} for r in csv.DictReader(line for line in file if line[0] != "#")]


def value(program, numbers, name, at):
    return numbers([program.values[name]], at)[0]


def test_bayes_sign():
    program = rewrite(hand.bayes_sign())
    numbers = Numbers(program, 60)
    for r in rows("P1_bo_sign_gauss.csv")[::5]:
        at = {hand.alpha: r["alpha"]}
        found = numbers.solve(at, [1.02 * (1 - r["q_ref"]), r["q_ref"] / (1 - r["q_ref"])])
        assert value(program, numbers, "q", found) == pytest.approx(r["q_ref"], abs=1e-13)
        assert value(program, numbers, "generalization_error", found | at) == pytest.approx(r["eg_ref"], rel=1e-12)


@pytest.mark.parametrize(("theory", "table"), [(hand.logistic, "P4_erm_logistic_l2.csv"), (hand.hinge, "P6_erm_hinge_l2.csv")])
def test_zero_temperature(theory, table):
    program = rewrite(theory())
    assert all(loop.rule is Rule.UNIT for loop in program.loops)
    numbers = Numbers(program, 40)
    for r in rows(table)[::7]:
        at = {hand.alpha: r["alpha"], hand.lam: r["lambda"]}
        m, q, V = r["m"], r["q"], r["V"]
        start = np.array([m, q, V, m / V, q / V**2 - (m / V) ** 2, 1 / V - r["lambda"]])
        found = numbers.solve(at, 1.003 * start)
        assert list(found.values())[:3] == pytest.approx([m, q, V], rel=1e-9)
        assert value(program, numbers, "training_loss", found | at) == pytest.approx(r["train_loss"], rel=1e-9)


@pytest.mark.parametrize("kappa", ["0", "1"])
def test_binary_storage_has_no_entropy_at_capacity(kappa):
    values = {v["id"]: v for v in json.loads((REFERENCE / "landscape_values.json").read_text())["values"]}
    known = values[f"binary_perceptron.alpha_c_RS.kappa={kappa}"]
    program = rewrite(hand.binary_storage())
    numbers = Numbers(program, 40)
    at = {hand.alpha: float(known["value"]), control_symbol("kappa"): float(kappa)}
    found = numbers.solve(at, [1.001 * float(known["q"]), float(known["qhat"])])
    assert list(found.values()) == pytest.approx([float(known["q"]), float(known["qhat"])], rel=1e-12)
    assert abs(value(program, numbers, "free_entropy", found | at)) < 1e-13


def test_phase_retrieval_nests_two_loops():
    program = rewrite(hand.phase_retrieval())
    outer, inner = program.loops
    assert outer.inside == () and inner.inside == (outer.variable,)
    numbers = Numbers(program, (16, 16))
    for r in rows("P3_bo_phase_retrieval.csv")[1:8:3]:
        found = numbers.solve({hand.alpha: r["alpha"]}, [r["mse_ref"], 0.99 * r["q_ref"] / r["mse_ref"]])
        assert value(program, numbers, "estimation_mse", found) == pytest.approx(r["mse_ref"], rel=1e-9)
