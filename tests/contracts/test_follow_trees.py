"""Continuation of replica trees: events do not depend on the step, nor branches on where they are entered."""

import pytest

from numerics.continuation import follow
from tests.properties.ensembles import compiled, edge, rsb
from tests.properties.solved import catalog_module


def test_instability_does_not_depend_on_the_step():
    module, at = catalog_module("spherical_storage"), {"kappa": -0.5}
    coarse, fine = (follow(module, {"alpha": (3.0, 4.5)}, at, points=points).events("replicon") for points in (6, 50))
    assert len(coarse) == len(fine) == 1
    assert coarse[0].at["alpha"] == pytest.approx(fine[0].at["alpha"], abs=1e-12)


def test_fold_does_not_depend_on_the_step():
    coarse, fine = (follow(catalog_module("bayes_binary"), {"alpha": (1.3, 1.6)}, points=points).events("fold") for points in (6, 50))
    assert len(coarse) == len(fine) == 1
    assert coarse[0].at["alpha"] == pytest.approx(fine[0].at["alpha"], abs=1e-12)


def test_a_branch_is_the_same_from_wherever_it_is_entered():
    """The 1RSB capacity over two ranges of the margin that share three values: seeds and directions differ."""
    module = compiled(edge(-0.5, rsb(1), "q1 = 1", 4.7))
    one, other = (follow(module, {"kappa": ends}, points=points) for ends, points in (((-1.0, -0.4), 6), ((-0.6, -0.3), 3)))
    values = [{round(row[0].at["kappa"], 9): row[0] for row in found.grid if row} for found in (one, other)]
    shared = sorted(values[0].keys() & values[1].keys())
    assert shared == [-0.6, -0.5, -0.4]
    for kappa in shared:
        for name in ("alpha", "q0", "x"):
            assert float(values[0][kappa][name]) == pytest.approx(float(values[1][kappa][name]), rel=1e-10), (kappa, name)
