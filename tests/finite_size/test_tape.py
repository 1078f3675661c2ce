"""Array programs agree with SymPy's own numbers, on NumPy and on torch."""

import numpy as np
import pytest
import sympy as sp
import torch

from replica.nodes import Hazard, Log2Cosh, LogH, Sigmoid, Softplus
from simulate.learn.tape import Tape, numpy_operations, stable, torch_operations

x, y = sp.symbols("x y", real=True)
EXPRESSIONS = [
    sp.exp(-x * y) + sp.sqrt(x**2 + 1) / 3,
    sp.Max(0, 1 - x * y, y),
    sp.Min(x, y) * sp.Abs(x),
    sp.tanh(x) ** 3 + sp.cosh(y) - sp.sinh(x),
    sp.Piecewise((x**2 / 2, sp.Abs(x) < 1), (sp.Abs(x) - sp.Rational(1, 2), True)),
    sp.Piecewise((sp.Rational(1, 10), x < 0), (sp.Rational(7, 10), True)),
    sp.erf(x) * sp.erfc(y),
    sp.atan(x) + sp.sin(y) * sp.cos(x),
    sp.sign(x) * y,
    sp.Heaviside(x - y),
    LogH(5 * x),
    Hazard(-4 * x),
    Softplus(30 * x),
    Sigmoid(x * y),
    Log2Cosh(9 * x),
    sp.loggamma(x**2 + 1),
    sp.Rational(2, 7) * sp.pi,
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_numpy_torch_and_sympy(expression):
    a, b = np.array([-1.7, -0.3, 0.4, 2.2]), np.array([0.6, -1.1, 1.9, -0.2])
    exact = np.array([float(expression.subs({x: u, y: v}).evalf(20)) for u, v in zip(a, b, strict=True)])
    (with_numpy,) = Tape((expression,), (x, y), numpy_operations())(a, b)
    (with_torch,) = Tape((expression,), (x, y), torch_operations())(torch.tensor(a), torch.tensor(b))
    np.testing.assert_allclose(with_numpy, exact, rtol=1e-12, atol=1e-14, equal_nan=False)
    assert with_torch.dtype == torch.float64
    np.testing.assert_allclose(with_torch.numpy(), exact, rtol=1e-12, atol=1e-14, equal_nan=False)


def test_logistic_does_not_overflow():
    loss = stable(sp.log(1 + sp.exp(-x * y)))
    value, slope = Tape((loss, loss.diff(x)), (x, y), numpy_operations())(np.array([-1e4, 1e4]), np.ones(2))
    np.testing.assert_allclose(value, [1e4, 0.0], equal_nan=False)
    np.testing.assert_allclose(slope, [-1.0, 0.0], equal_nan=False)


def test_unknown_function_is_named():
    with pytest.raises(ValueError, match="besselj"):
        Tape((sp.besselj(0, x),), (x,), numpy_operations())
    with pytest.raises(ValueError, match="'y'"):
        Tape((x + y,), (x,), numpy_operations())
