"""Trees that learners and an ansatz make: both gradients, ends of the Parisi parameter, envelopes."""

import pytest
import sympy as sp

from numerics.solve import solve
from numerics.status import Status
from replica.families.structure import Member, replicated
from replica.nodes.averages import distribute
from replica.tree import Side
from tests.properties.ensembles import compiled, disorder, robust, rsb, storage

x1, x2, y = sp.symbols("x1 x2 y", positive=True)
CENTRE, COPIES = Member("centre"), Member("solution", y)

STRUCTURES = {
    "two steps, teacher": replicated(True, (Member("w"),), (x1, x2)),
    "replicas at a mutual overlap": replicated(False, (COPIES,)),
    "constrained centre": replicated(False, (CENTRE, COPIES)),
    "centre, broken symmetry": replicated(False, (CENTRE, COPIES), (x1,)),
    "two learners": replicated(True, (Member("one"), Member("two"))),
}


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("side", Side)
def test_universal_gradient_is_the_heat_rule(name, side):
    (level,) = STRUCTURES[name].levels
    terms = level.functional(side)
    value = terms.log_integral()
    for overlap in level.own:
        difference = terms.gradient(overlap) - value.diff(level.tree.symbol(overlap, hat=side is Side.ENTROPIC))
        assert distribute(difference) == 0, level.tree.name(overlap)


def test_a_probe_sees_a_reference_that_does_not_see_it():
    first, second = replicated(False, (Member("reference"),), (x1,), (Member("probe"),)).levels
    assert all("probe" not in (o.first, o.second) for o in first.own)
    assert all("probe" in (o.first, o.second) for o in second.own)
    exponent = second.energetic.log_integral().exponent
    assert exponent == 0  # the copy set apart and minus one plain copy cancel


@pytest.mark.parametrize("x", [0.2, 0.8])
def test_one_step_falls_back_to_symmetry_where_that_is_stable(x):
    broken, symmetric = solve(compiled(storage(ansatz=rsb(1, str(x)))))[0], solve(compiled(storage()))[0]
    assert broken.status is Status.AT_END  # q1 = q0 is the end of the increment's domain, and is said to be
    assert float(broken["q0"]) == pytest.approx(float(symmetric["q"]), rel=1e-9)
    assert float(broken["q1"]) == pytest.approx(float(symmetric["q"]), rel=1e-9)
    assert float(broken.free_entropy) == pytest.approx(float(symmetric.free_entropy), abs=1e-8)
    assert float(broken["complexity"]) == pytest.approx(0, abs=1e-8)


def slope(module, name: str, value: float, step: float) -> float:
    up, down = (float(solve(module, {name: value + s})[0].free_entropy) for s in (step, -step))
    return (up - down) / (2 * step)


def test_complexity_is_the_slope_in_the_parisi_parameter():
    controls = 'x = { value = 0.5, domain = "(0, 1)" }'
    module = compiled(disorder(ansatz=rsb(1, '"x"'), beta="2.0", controls=controls))
    found = solve(module)[0]
    assert found.status is Status.CONVERGED and float(found["q1"]) > float(found["q0"]) + 0.01
    assert float(found["complexity"]) == pytest.approx(-(0.5**2) * slope(module, "x", 0.5, 1e-4), abs=1e-8)


def test_local_entropy_is_the_slope_in_the_number_of_replicas():
    module = compiled(robust(0.4, 0.9, "3"))
    found = solve(module)[0]
    log_2 = 0.6931471805599453
    assert float(found["local_entropy"]) == pytest.approx(slope(module, "y_real", 3, 1e-4) + log_2, abs=1e-8)
    value = float(found.free_entropy) - 3 * (float(found["local_entropy"]) - log_2) + log_2
    assert float(found["complexity"]) == pytest.approx(value, abs=1e-12)


def test_an_overlap_of_one_is_the_edge_only_on_a_sphere():
    """Of weights of one length every alpha would "solve" the limit's equations: there q = 1 stays an ordinary condition."""
    assert not solve(compiled(storage(alpha='solve = "q = 1", value = 0.7')))[0].status.ok


def test_entropy_counts_the_states_once():
    """At a fixed Parisi parameter the free entropy holds the complexity over x; the entropy is the internal one and the complexity."""
    found = solve(compiled(storage(prior="spherical", margin="-0.5", ansatz=rsb(1, "0.5"), alpha="value = 4.2")))[0]
    internal, complexity = float(found["internal_entropy"]), float(found["complexity"])
    assert abs(complexity) > 1e-4
    assert float(found["entropy"]) == pytest.approx(internal + complexity, abs=1e-13)
    assert float(found.free_entropy) == pytest.approx(internal + complexity / 0.5, abs=1e-13)
