"""Features of features, and features known by their spectra, against independent calculations."""

from pathlib import Path

import numpy as np
import pytest

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import Underivable, derive
from replica.families.staged.measured import EIGENVALUE, FRACTION, LABEL_NODES, NODES, PLACE, POWER, node
from replica.spec import Spec

SPECS = Path(__file__).parents[1] / "specs"
MANIFOLD = """
format = 1
name = "networks on a hidden manifold"
[latent.map]
prior = "gaussian"
shape = "matrix"
[latent.rule]
prior = "gaussian"
[data]
law   = { kind = "hidden_manifold", map = "map", latent_ratio = 0.5, activation = "tanh" }
label = { of = "rule", channel = "sign" }
[controls]
alpha = { value = 1.5, domain = "(0, inf)" }
"""
CHAIN = MANIFOLD + """
[learner.mixed]
protocol    = "erm"
loss        = "square"
regularizer = { kind = "ridge", strength = 0.1 }
network     = { kind = "random_features", ratio = 0.7, activation = "tanh" }
"""


def moments(variance: float) -> tuple[float, float]:
    """E tanh'(u) and what the linear part leaves of E tanh(u)^2."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    z, weights = np.sqrt(variance) * nodes, weights / weights.sum()
    linear = float(weights @ (1 - np.tanh(z) ** 2))
    return linear, float(weights @ np.tanh(z) ** 2) - variance * linear**2


def test_features_of_features_against_large_matrices():
    """The equivalent Gaussian model with drawn matrices, of d = 1200: its covariance is diagonalized, no law of its spectrum is used."""
    rng, d = np.random.default_rng(0), 1200
    latent, width = d // 2, round(0.7 * d)
    k1, rest = moments(1.0)
    j1, left = moments(k1**2 + rest)
    inner, outer = rng.standard_normal((d, latent)), rng.standard_normal((width, d))
    signal = j1 * k1 * outer @ inner / np.sqrt(d * latent)  # (p, D): features' linear response to latent coordinates
    omega = signal @ signal.T + j1**2 * rest * outer @ outer.T / d + left * np.eye(width)
    values, axes = np.linalg.eigh(omega)
    power = np.sum((axes.T @ signal) ** 2, axis=1) / latent  # along each eigenvector, of the covariance with a rule's field, squared
    alpha, ridge, slope = 1.5 / 0.7, 0.1, np.sqrt(2 / np.pi)
    chi, m, q = 1.0, 0.1, 1.0
    for _ in range(500):
        stiff = alpha / (1 + chi)
        pull, noise = stiff * slope, stiff / (1 + chi) * (1 - 2 * slope * m + q)
        below = ridge + stiff * values
        m = pull * float(np.sum(power / below))
        q = pull**2 * float(np.sum(power * values / below**2)) + noise * float(np.mean(values**2 / below**2))
        chi = float(np.mean(values / below))
    found = solve(compile_theory(derive(Spec.from_toml(CHAIN))))[0]
    assert found["field_variance"] == pytest.approx(q, rel=0.01)
    assert found["field_overlap"] == pytest.approx(m, rel=0.01)
    assert found["field_response"] == pytest.approx(chi, rel=0.01)


HEAD = MANIFOLD + """
[learner.net]
protocol = { kind = "adam", rate = 0.01, batch = 20, steps = 10 }
loss     = "logistic"
network  = { kind = "mlp", widths = [1], activation = "tanh" }
theory   = "none"
[learner.head]
protocol    = "erm"
loss        = "logistic"
regularizer = { kind = "ridge", strength = 0.1 }
network     = { kind = "head_of", learner = "net", layer = 1 }
[[stage]]
name = "first"
learners = "net"
[[stage]]
name = "second"
learners = "head"
"""
PLAIN = """
format = 1
name = "the same features as inputs"
[teacher]
prior   = "gaussian"
channel = { kind = "probit", variance = 0.3 }
[data]
law = { kind = "covariance", eigenvalues = [1, 2], fractions = [0.5, 0.5], loadings = [0.6, 0.4] }
[student]
protocol    = "erm"
loss        = "logistic"
regularizer = { kind = "ridge", strength = 0.1 }
[controls]
alpha = { value = 1.5, domain = "(0, inf)" }
"""


def test_features_known_by_their_spectrum_are_inputs_of_that_covariance():
    """Two eigenvalues; 0.3 and 0.4 of the label's field along their eigenvectors, what is left is noise."""
    module = compile_theory(derive(Spec.from_toml(HEAD)))
    with pytest.raises(ValueError, match="must be given"):
        solve(module)
    at = {node("head", what, i): 1.0 if what in (EIGENVALUE, PLACE) else 0.0 for what, count in PARTS for i in range(count)}
    at |= {node("head", FRACTION, 0): 0.5, node("head", FRACTION, 1): 0.5, node("head", EIGENVALUE, 1): 2.0}
    at |= {node("head", POWER, 0): 0.3, node("head", POWER, 1): 0.4, node("head", PLACE, 1): 2.0}
    found, expected = solve(module, at)[0], solve(compile_theory(derive(Spec.from_toml(PLAIN))))[0]
    for name in ("q", "field_variance", "field_overlap", "generalization_error", "training_loss", "energy"):
        assert found[name] == pytest.approx(expected[name], rel=1e-6), name


PARTS = ((EIGENVALUE, NODES), (FRACTION, NODES), (PLACE, LABEL_NODES), (POWER, LABEL_NODES))


@pytest.mark.parametrize(("name", "learners"), [("p01_defrosting", {"head"}), ("p11_transfer", {"transferred", "random_map"})])
def test_heads_on_networks_have_a_theory_and_networks_have_none(name, learners):
    theory = derive(Spec.from_toml(SPECS / f"{name}.toml"))
    assert {f"error_{one.split('_')[0]}" for one in learners} <= set(theory.observables)
    assert not {"error_thawed", "similarity"} & set(theory.observables)


def test_features_of_one_learner_are_not_those_of_another():
    text = CHAIN.replace("[controls]", """[learner.other]
like   = "mixed"
couple = { to = "mixed", strength = 1 }
[controls]""")
    with pytest.raises(Underivable, match="features of their own"):
        derive(Spec.from_toml(text))
