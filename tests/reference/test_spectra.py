"""Named spectra of the inputs against lists of eigenvalues from quadratures of their own."""

import numpy as np
import pytest
from scipy.integrate import quad

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import derive
from replica.spec import Spec

SPEC = """
format = 1
name = "spectrum"
[teacher]
prior = "gaussian"
channel = {{ kind = "linear", variance = 0.2 }}
[data]
law = {law}
[student]
protocol = "erm"
loss = "square"
regularizer = {{ kind = "ridge", strength = 0.1 }}
[controls]
alpha = {{ value = 1.5, domain = "(0, inf)" }}
"""
NAMES = ("field_variance", "field_overlap", "q", "mse", "energy")


def point(law: str) -> dict[str, float]:
    found = solve(compile_theory(derive(Spec.from_toml(SPEC.format(law=law)))))[0]
    assert found.status.ok, found.status
    return {**found.order_parameters, **found.observables}


def listed(values, parts, loads) -> str:
    rows = (", ".join(repr(float(x)) for x in row) for row in (values, parts, loads))
    return '{{ kind = "covariance", eigenvalues = [{}], fractions = [{}], loadings = [{}] }}'.format(*rows)


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_marchenko_pastur(ratio):
    """Chebyshev nodes of the second kind are Gaussian for the square root in the density; the rest is smooth."""
    n = 24
    k = np.arange(1, n + 1)
    a = 1 + ratio + 2 * np.sqrt(ratio) * np.cos(k * np.pi / (n + 1))
    weight = 2 / (n + 1) * np.sin(k * np.pi / (n + 1)) ** 2 / a
    weight *= min(1, 1 / ratio) / weight.sum()
    values, parts = ([*a, 0.0], [*weight, 1 - 1 / ratio]) if ratio > 1 else (a, weight)
    one, two = point(f'{{ kind = "marchenko_pastur", ratio = {ratio} }}'), point(listed(values, parts, np.ones(len(values))))
    for name in NAMES:
        assert one[name] == pytest.approx(two[name], rel=2e-7), name


def test_power_law():
    """At the solution, the averages over the rank u by SciPy."""
    found = solve(compile_theory(derive(Spec.from_toml(SPEC.format(law='{ kind = "power_law", exponent = 0.5, loading = 0.3 }')))))[0]
    assert found.status.ok, found.status
    p = {**found.order_parameters, **found.conjugates}

    def mean(f):
        """In t = u^(1/2), where eigenvalues are 1/(2 t)."""
        stiff = p["field_response_hat"]
        return quad(lambda t: 2 * t * f(0.5 / t, 0.7 * t**-0.6, 0.1 + stiff * 0.5 / t), 0, 1, epsabs=1e-13, epsrel=1e-12)[0]

    assert p["field_response"] == pytest.approx(mean(lambda v, load, stiff: v / stiff), rel=1e-9)
    assert p["field_overlap"] == pytest.approx(p["field_overlap_hat"] * mean(lambda v, load, stiff: v**2 * load / stiff), rel=1e-9)
    signal = p["field_overlap_hat"] ** 2 * mean(lambda v, load, stiff: v**2 * load * v / stiff**2)
    noise = p["field_variance_hat"] * mean(lambda v, load, stiff: v**2 / stiff**2)
    assert p["field_variance"] == pytest.approx(signal + noise, rel=1e-9)
    power = quad(lambda t: 2 * t * 0.5 / t * 0.7 * t**-0.6, 0, 1)[0]
    assert found.observables["mse"] == pytest.approx(0.2 + power - 2 * p["field_overlap"] + p["field_variance"], rel=1e-9)
