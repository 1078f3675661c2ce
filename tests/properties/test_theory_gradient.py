"""The equations are the gradient of the free entropy, off the saddle too: dPhi/da = - sum_b c_ab (b - G_b), trace = sum c_ab a b."""

from importlib.util import find_spec

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.program import Rule
from tests.properties.solved import best, catalog_module
from tests.properties.textbook import normal, panels

STEP, DIGITS = "1e-9", 30
BACKEND = "flint" if find_spec("flint") else "mpmath"
MANY = settings(max_examples=3, derandomize=True, deadline=None, database=None)
BILINEAR = ["logistic_sign", "hinge_sign", "square_sign", "lasso", "bayes_sign", "bayes_probit", "bayes_sparse", "compressed_sensing"]
IMPOSED = ["gibbs_sign", "spherical_storage", "binary_storage", "bayes_binary"]


def nodes(module) -> tuple[list[float], list[float], list[int]]:
    """Nodes fine enough for every loop: the sums are then the integrals to rounding of doubles."""
    line, unit, count = panels(-9.5, 9.5, (0.0,), 0.5), panels(0, 1, (), 0.04), (np.arange(80.0), np.ones(80))
    x, w, off = [], [], [0]
    for loop in module.loops:
        found = {Rule.LINE: (line[0], line[1] * normal(line[0], 1.0)), Rule.UNIT: unit, Rule.RAY: unit, Rule.COUNT: count}[loop.rule]
        x += list(found[0])
        w += list(found[1])
        off.append(len(x))
    return x, w, off


class Functions:
    """Free entropy and residual of a module as functions of the unknowns, at one value of the controls."""

    def __init__(self, module, controls: dict[str, float]) -> None:
        self.module, self.exact, self.nodes = module, module.exact(DIGITS, BACKEND), nodes(module)
        self.controls = [controls[name] for name in module.controls]

    def free_entropy(self, x):
        return self.exact.values([*x, *self.controls], *self.nodes)[self.module.values_order.index("free_entropy")]

    def residual(self, x) -> list[float]:
        return [float(r) for r in self.exact.residual([*x, *self.controls], *self.nodes)]

    def gradient(self, x) -> list[float]:
        """By central differences, good to 1e-17."""
        found, step = [], self.exact.number(STEP)
        for k in range(len(x)):
            up, down = list(x), list(x)
            up[k], down[k] = x[k] + step, x[k] - step
            found.append(float((self.free_entropy(up) - self.free_entropy(down)) / (2 * step)))
        return found


def pairing(theory) -> np.ndarray:
    """c_ab of the trace, which is bilinear in the unknowns."""
    symbols = [u.symbol for u in theory.system.unknowns]
    trace = sp.expand(-theory.terms["trace"])
    return np.array([[float(trace.diff(a, b)) for b in symbols] for a in symbols])


@pytest.mark.parametrize("name", [*BILINEAR[:1], *(pytest.param(name, marks=pytest.mark.slow) for name in BILINEAR[1:6]), *BILINEAR[6:]])
@given(shift=st.lists(st.integers(-20, 20), min_size=6, max_size=6), share=st.integers(5, 20))
@settings(MANY, max_examples=2)
def test_gradient_off_the_saddle(name, shift, share):
    """At points up to a fifth away from the solution, where nothing vanishes."""
    module = catalog_module(name)
    start = best(module)
    at = {**start.at, "alpha": start.at["alpha"] * share / 10}
    found = [float(start.unknowns[u]) * (1 + s / 100) for u, s in zip(module.unknowns, shift, strict=False)]
    functions = Functions(module, at)
    point = [functions.exact.number(v) for v in found]
    expected = -pairing(module.theory) @ np.array(functions.residual(point))
    assert functions.gradient(point) == pytest.approx(expected, rel=1e-9, abs=1e-10 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("name", [*BILINEAR, pytest.param("gibbs_sign", marks=pytest.mark.slow), *IMPOSED[1:]])
def test_stationary_at_the_solution(name):
    module = catalog_module(name)
    found = best(module)
    functions = Functions(module, dict(found.at))
    point = [functions.exact.number(float(found.unknowns[u])) for u in module.unknowns]
    assert np.abs(functions.gradient(point)).max() < 1e-9
    assert float(functions.free_entropy(point)) == pytest.approx(float(found.free_entropy), abs=1e-12)
