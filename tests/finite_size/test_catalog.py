"""Every catalog spec at its default point: finite systems beside the derived theory, observable by observable."""

import pytest

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import derive
from replica.spec import load
from simulate.finite_size import Verdict, compare_all, verdict
from simulate.runs import simulate

NAMES = [
    "ridge_linear", "logistic_sign", "hinge_sign", "square_sign", "exponential_sign", "lasso", "huber_contaminated",
    "absolute_contaminated", "bayes_sign", "bayes_binary", "bayes_sparse", "bayes_probit", "compressed_sensing", "phase_retrieval",
    "poisson_counts", "gibbs_sign", "spherical_storage", "binary_storage",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_theory_and_simulation_agree(name):
    spec = load(name)
    solution = solve(compile_theory(derive(spec)))[0]
    runs = simulate(spec, sizes=(200, 400), seeds=16)
    compared = compare_all(runs, {**solution.observables, **solution.order_parameters})
    away = [(c.observable, round(c.z, 1), c.reason) for c in compared if c.verdict is not Verdict.AGREES]
    assert verdict(compared) is Verdict.AGREES, away
