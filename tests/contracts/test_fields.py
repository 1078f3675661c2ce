"""Nested averages over fields: each is taken once for every field, on nodes that serve wherever its mean lies."""

import numpy as np
import pytest

from numerics.grid import double, fill_uniform
from numerics.layout import FIELD, FIRST_NESTED
from numerics.program import LogSum, Rule, Sum, TiltSum
from numerics.rewrite import rewrite
from replica.derive import derive
from tests.properties.ensembles import disorder, held_steps, rsb


@pytest.mark.parametrize("width", [0.3, 1.0, 3.0])
def test_nodes_grow_in_density_and_in_width(width):
    """Doubling them squares the error of a Gaussian integral that is narrow, as of one that is wide, until there is none."""
    size, errors = FIRST_NESTED[FIELD], []
    for _ in range(4):
        x, w = np.zeros(size), np.zeros(size)
        assert fill_uniform.py_func(FIELD, size, x, w, 0) == size
        errors.append(abs(np.sum(w * np.exp(-(((x - 0.1) / width) ** 2) / 2)) / (np.sqrt(2 * np.pi) * width) - 1))
        size = double.py_func(FIELD, True, size)
    assert errors[-1] < 1e-13 and all(fine < max(10 * coarse**1.8, 1e-13) for coarse, fine in zip(errors, errors[1:], strict=False)), errors


DEEP = pytest.param(disorder(ansatz=rsb(4), beta="2.0"), 3, marks=pytest.mark.slow)


@pytest.mark.parametrize(("spec", "fields"), [(held_steps(), 1), DEEP])
def test_no_sum_reads_more_than_two_loops(spec, fields):
    program = rewrite(derive(spec))
    assert [loop.rule for loop in program.loops].count(Rule.FIELD) == fields
    variables, seen, most = {loop.variable for loop in program.loops}, {}, 0

    def reads(e):
        nonlocal most
        if e not in seen:
            inside = {e} & variables if not e.args else set().union(*map(reads, e.args))
            if isinstance(e, Sum | LogSum | TiltSum):
                most = max(most, len(inside))
                inside = inside - {e.variable}
            seen[e] = inside
        return seen[e]

    for equation in (*program.equations, *program.values.values()):
        reads(equation)
    assert most == 2
