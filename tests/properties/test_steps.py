"""A level of the replica tree between two others counts for nothing where the Parisi parameters above and below it are equal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.equations import Equations
from numerics.problem import Problem
from numerics.solve import solve
from numerics.steps import Held
from tests.properties.ensembles import compiled, disorder, held_steps, rsb


@settings(max_examples=8, deadline=None)
@given(share=st.floats(0.02, 0.98), beta=st.sampled_from([1.5, 2.0, 3.0]))
def test_a_level_in_between_changes_nothing(share, beta):
    one = solve(compiled(disorder(ansatz=rsb(1), beta="2.0")), {"beta": beta}, all_solutions=False)[0]
    module = compiled(held_steps())
    whole = {name: float(value) for name, value in one.unknowns.items()}
    parted = {f"delta_q{k}{hat}": whole[f"delta_q1{hat}"] * part for k, part in ((1, share), (2, 1 - share)) for hat in ("", "_hat")}
    at = {**whole, **parted, "low": whole["x"], "high": whole["x"] * (1 + 1e-12), "beta": beta}
    equations = Equations(module)
    p = np.array([at[name] for name in module.names])
    equations.choose(p)
    values, _ = equations.values(p)
    results = dict(zip(module.values_order, values, strict=True))
    assert results["free_entropy"] == pytest.approx(float(one.free_entropy), abs=1e-9)
    assert results["complexity1"] + results["complexity2"] == pytest.approx(0, abs=1e-8)  # slopes against each other alone
    residual = dict(zip(module.unknowns, equations.look(p).residual, strict=True))
    assert residual["V"] == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("beta", [1.3, 4.0])
def test_downhill_leads_where_newtons_method_leads(beta):
    """From far away, and to the same solution with k = 1."""
    module = compiled(disorder(ansatz=rsb(1), beta="2.0"))
    found = solve(module, {"beta": beta}, all_solutions=False)[0]
    far = np.array([0.9 if name == "x" else 0.2 for name in module.unknowns])
    near = Held(Problem(module), {"beta": beta}).minimum(far)
    assert near is not None
    for name, value in zip(module.unknowns, near, strict=True):
        assert value == pytest.approx(float(found.unknowns[name]), rel=2e-2)
