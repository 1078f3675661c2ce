"""Densities and losses typed as formulas: exponentials that overflow apart are computed together."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.backends import numpy_names
from numerics.graph.text import kernel_text
from numerics.program import Loop, Program, Rule, Sum
from replica.nodes import LogH
from tests.contracts.graph_programs import A, B, evaluate
from tests.contracts.test_graph import run, slopes

S, T = sp.Dummy("s", real=True), sp.Dummy("t", real=True)
FAR = ([mp.mpf(-3000), mp.mpf(5) / 4, mp.mpf(2500)], [mp.mpf(1) / 4, mp.mpf(3) / 8, mp.mpf(1) / 8])
NEAR = ([mp.mpf(-1), mp.mpf(1) / 2], [mp.mpf(1) / 4, mp.mpf(3) / 4])
AT = ("0.9", "0.3")


@pytest.mark.parametrize(
    "body",
    [
        sp.exp(-A * T) / (1 + sp.exp(-A * T)) ** 2,
        A / (3 + 3 * sp.exp(T)),
        1 / sp.sqrt(2 + sp.exp(A * T)),
        1 / (sp.exp(T) + sp.exp(-A * T)) ** 2,
        sp.log(2 + 5 * sp.exp(A * T)),
        sp.log(sp.exp(A * T) + sp.exp(-T)),
        sp.log(3 * sp.cosh(A * T)),
        sp.exp(A * T) * Sum(sp.exp(LogH(T - S * A + 1) - S**2), S),
        sp.exp(-A * T + LogH(B - T)),
    ],
    ids=str,
)
def test_far_nodes_are_finite_and_right(body):
    program = Program((A,), (B,), (Sum(body, T),), {"none": A}, (Loop(T, Rule.LINE), Loop(S, Rule.LINE, (T,))))
    points = {T: FAR, S: NEAR}
    expected = slopes(program, AT, points)
    text = kernel_text(program)
    x, w = ([v for t in (T, S) for v in points[t][k]] for k in (0, 1))
    with np.errstate(over="raise", invalid="raise"):
        found = run(text.compiled, text.compiled_constants, "residual", 3, AT, x, w, [0, 3, 5], numpy_names, 16)
    np.testing.assert_allclose([float(v) for v in found], [float(v) for v in expected], rtol=1e-10, atol=1e-12, equal_nan=False)
    with mp.workdps(30):
        here = {A: mp.mpf(AT[0]), B: mp.mpf(AT[1])}
        assert abs(float(here[A] - evaluate(program.equations[0], here, points)) - float(found[0])) < 1e-9 * (1 + abs(float(found[0])))
