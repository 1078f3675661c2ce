"""What solve promises: every solution, ordered, with honest errors; a sentence where there is none."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import brentq

from benchmarks import hand_kernels, hand_minimizers
from numerics.problem import March, Problem
from numerics.program import Rule
from numerics.solve import solve
from numerics.status import CODES, Status
from tests import hand_theories
from tests.contracts import toys

REFERENCE = Path(__file__).parents[1] / "reference"


def rows(name: str) -> list[dict[str, float]]:
    lines = (line for line in (REFERENCE / name).read_text().splitlines() if not line.startswith("#"))
    return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(lines)]


def test_all_solutions_are_found_and_ordered_by_free_entropy():
    found = solve(toys.curie_weiss(), {"b": 2.0, "h": 0.1})
    exact = [brentq(lambda m: m - math.tanh(2 * m + 0.1), *ends, xtol=1e-15) for ends in ((0, 1), (-0.5, 0), (-1, -0.6))]
    assert len(found) == 3
    by_value = sorted((s["m"] for s in found), reverse=True)
    np.testing.assert_allclose(by_value, exact, atol=1e-13, equal_nan=False)
    entropies = [s.free_entropy for s in found]
    assert entropies == sorted(entropies, reverse=True) and found[0]["m"] > 0.9
    assert {s["m"] > -0.5 and s["m"] < 0: s.stable for s in found} == {False: True, True: False}


def test_the_end_of_a_domain_is_a_result_and_says_so():
    (inside,) = solve(toys.shrink(), {"c": 3.0})
    assert inside.status is Status.CONVERGED and inside["q"] == pytest.approx(2.0, abs=1e-13)
    (end,) = solve(toys.shrink(), {"c": 0.5})
    assert end.status is Status.AT_END and end["q"] <= end.quadrature_error < 1e-12
    # the error is measured: one more sweep moves q by q - c q / (1 + q)
    assert end.residual == pytest.approx(0.5 * end.unknowns["q"], rel=1e-9)


@pytest.mark.parametrize("beyond", [3e-3, 1e-4, 1e-6, 1e-8])
def test_the_map_is_followed_past_a_lost_solution(beyond):
    """Just past the fold plain sweeps crawl and Newton's method is caught where the solution was; the accelerated map goes on to m < 0."""
    fold = math.sqrt(2) - math.atanh(math.sqrt(0.5))
    h = -fold - beyond
    (found,) = solve(toys.curie_weiss(), {"b": 2.0, "h": h}, starts=["up"])
    exact = brentq(lambda m: m - math.tanh(2 * m + h), -1, -0.9, xtol=1e-15)
    assert found.status is Status.CONVERGED and found["m"] == pytest.approx(exact, abs=1e-13)


@pytest.mark.parametrize(("residual", "expected"), [
    (toys.rootless_residual, {Status.MAX_STEPS, Status.LEFT_DOMAIN, Status.STALLED, Status.SINGULAR, Status.NON_FINITE, Status.AT_END}),
    (toys.poisoned_residual, {Status.NON_FINITE}),
])
def test_no_solution_is_a_sentence_not_a_number(residual, expected):
    (failed,) = solve(toys.hopeless(residual))
    assert failed.status in expected and not failed.converged and not failed.order_parameters
    assert str(failed.status) in repr(failed)


@pytest.mark.parametrize(("at", "message"), [
    ({"b": -1.0}, r"control b = -1 is outside its domain \(0, inf\)"), ({"b": math.nan}, "control b = nan is outside its domain"),
    ({"bb": 1.0}, "'bb' is not a control of this theory; controls are b, h; did you mean 'b'"),
    ({"b": "two"}, "control b must be a number, got 'two'"),
])
def test_bad_points_are_named(at, message):
    with pytest.raises(ValueError, match=message):
        solve(toys.curie_weiss(), at)


def test_unknown_starts_are_named():
    with pytest.raises(ValueError, match="'sideways' is not a start of this theory; starts are up, down, flat"):
        solve(toys.curie_weiss(), starts=["sideways"])


ERM_NAMES = {"m": "m", "q": "q", "chi": "V", "training_loss": "train_loss"}


@pytest.mark.parametrize(("make", "rules", "kernels", "file", "names"), [
    (hand_theories.bayes_sign, (Rule.LINE,), hand_kernels.P1, "P1_bo_sign_gauss.csv", {"q": "q_ref", "generalization_error": "eg_ref"}),
    (hand_theories.logistic, (Rule.UNIT,), hand_minimizers.P4, "P4_erm_logistic_l2.csv", ERM_NAMES),
    (hand_theories.hinge, (Rule.UNIT, Rule.UNIT), hand_minimizers.P6, "P6_erm_hinge_l2.csv", ERM_NAMES),
])
def test_reference_digits_and_honest_error(make, rules, kernels, file, names):
    module = hand_kernels.module(make(), rules, kernels)
    for row in rows(file)[::4]:
        (one,) = solve(module, {k: row[k] for k in module.controls})
        errors = {name: abs(one[name] - row[column]) for name, column in names.items()}
        np.testing.assert_allclose([one[k] for k in names], [row[v] for v in names.values()], rtol=1e-12, equal_nan=False)
        # the reference itself is good to its last printed digit
        assert max(errors[k] for k in one.order_parameters) <= one.quadrature_error + 4e-15
        assert one.residual < 1e-12 and one.quadrature_error < 1e-11


def test_an_honest_error_where_tolerance_is_loose():
    module = hand_kernels.module(hand_theories.logistic(), (Rule.UNIT,), hand_minimizers.P4)
    at = {"alpha": 3.0, "lambda": 1e-3}
    (fine,), (coarse,) = solve(module, at), solve(module, at, tol=1e-4)
    assert coarse.nodes <= fine.nodes
    assert abs(coarse["q"] - fine["q"]) <= coarse.quadrature_error + fine.quadrature_error
    assert fine.quadrature_error / fine["chi"] < 1e-11


@pytest.mark.parametrize("at", [{"alpha": 200.0, "lambda": 1.0}, {"alpha": 2.0, "lambda": 1e-4}, {"alpha": 1e-3, "lambda": 1.0}])
def test_extreme_points_converge(at):
    module = hand_kernels.module(hand_theories.logistic(), (Rule.UNIT,), hand_minimizers.P4)
    (one,) = solve(module, at)
    assert one.status is Status.CONVERGED and one.steps <= 60


@pytest.mark.parametrize(
    ("error", "nested", "better", "doubtful", "kept"),
    [
        (1e-9, True, 0.0, False, 1e-9),
        (2e-3, True, 1e-12, False, 1e-12),
        (2e-3, True, 1e-4, True, 1e-4),
        (2e-3, True, math.inf, True, 2e-3),
        (2e-3, False, 1e-12, True, 2e-3),
    ],
)
def test_results_that_doubled_nodes_move_get_more_room_or_are_called_limited(monkeypatch, error, nested, better, doubtful, kept):
    """Unknowns alone decide a solver's status; results on nested loops of their own may be far from as good."""
    problem = Problem(SimpleNamespace(loops=[SimpleNamespace(inside=(0,) * nested)]))

    def marched(size: float) -> March:
        code = CODES.index(Status.CONVERGED if math.isfinite(size) else Status.STALLED)
        return March(np.ones((1, 1)), np.full((1, 1), size), np.array([[0.0, size, 1.0, 1.0, 0.0]]), np.array([code]), np.ones((1, 1, 1)))

    monkeypatch.setattr(Problem, "march", lambda self, *given, **named: marched(better))
    found = marched(error)
    assert list(problem._doubtful(found, 1e-11)) == [0] * (error > 1e-8)
    for row in problem._doubtful(found, 1e-11):
        problem._with_room(found, row, np.zeros((1, 0)), (np.ones((1, 1)), 400), 1e-11, 60, 256, 1024)
    assert found.info[0, 1] == kept and found.values[0, 0] == kept
    assert list(problem._doubtful(found, 1e-11)) == [0] * doubtful
