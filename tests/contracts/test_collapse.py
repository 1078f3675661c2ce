"""Where broken symmetry closes again: increments run to their end, and what is left is the symmetric solution."""

import pytest

from numerics.solve import solve
from numerics.status import Status
from tests.properties.ensembles import RS, compiled, rsb, storage


def test_broken_symmetry_closes_where_there_is_one_state():
    """The spherical perceptron at zero margin: one step of breaking ends where its increment is zero."""
    controls = 'kappa = { value = 0, domain = "(-inf, inf)" }\n'
    fixed = controls + 'x_fixed = { value = 0.5, domain = "(0, 1)" }'
    found = solve(compiled(storage(prior="spherical", margin='"kappa"', ansatz=rsb(1, '"x_fixed"'), controls=fixed)), {"alpha": 1.0})[0]
    symmetric = solve(compiled(storage(prior="spherical", margin='"kappa"', ansatz=RS, controls=controls)), {"alpha": 1.0})[0]
    assert found.status is Status.AT_END, found.status
    assert float(found["q0"]) == pytest.approx(float(symmetric["q"]), abs=1e-9)
    assert float(found["q1"]) == pytest.approx(float(symmetric["q"]), abs=1e-9)
    assert float(found.free_entropy) == pytest.approx(float(symmetric.free_entropy), abs=1e-10)
