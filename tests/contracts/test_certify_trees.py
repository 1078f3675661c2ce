"""Many digits of solutions of replica trees: averages inside averages, and limits."""

import pytest

from numerics.certify import certify
from numerics.solve import solve
from tests.properties.ensembles import compiled, disorder, edge, franz_parisi, rsb


def digits(module, count):
    found = solve(module)[0]
    assert found.converged, found.status
    return found, certify(module, found, count)


@pytest.mark.parametrize(
    ("spec", "name", "expected"),
    [
        (edge(-0.5, rsb(1), "q1 = 1", 4.7), "alpha", 4.700139487718791),
        (disorder(ansatz=rsb(1)), "x", 1.3608208034861282),
    ],
    ids=["capacity", "ground state"],
)
def test_one_step_to_many_digits(spec, name, expected):
    """tests/reference/landscape_values.json has eight to twelve digits; two precisions share all that both have."""
    (found, short), (_, long) = digits(compiled(spec), 20), digits(compiled(spec), 30)
    assert float(long[name]) == pytest.approx(expected, rel=1e-8)
    assert float(long.free_entropy) == pytest.approx(float(found.free_entropy), abs=1e-13)
    for key, number in short.unknowns.items():
        assert number[:18] == long.unknowns[key][:18], key


def test_what_is_extremal_vanishes_to_every_digit():
    _, exact = digits(compiled(disorder(ansatz=rsb(1))), 30)
    assert abs(float(exact.observables["complexity"])) < 1e-30
    assert float(exact.observables["energy"]) == pytest.approx(-0.7652594346737, abs=1e-12)


@pytest.mark.slow
def test_local_entropy_around_a_solution_to_many_digits():
    """Two levels of averages that need nodes."""
    found, exact = digits(compiled(franz_parisi(0.5, 0.5)), 18)
    for name, value in found.unknowns.items():
        assert float(exact.unknowns[name]) == pytest.approx(float(value), rel=1e-12), name
    assert float(exact.observables["local_entropy"]) == pytest.approx(float(found["local_entropy"]), abs=1e-13)
