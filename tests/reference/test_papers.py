"""Numbers that papers claim "computed independently", computed here: integrals on plain grids, written by hand, no engine."""

import numpy as np
import pytest
from scipy.optimize import brentq, root
from scipy.special import log_ndtr, logsumexp

from replica.papers import papers

Z = np.arange(-9, 9.05, 0.1)
W = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * 0.1
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)


def log_tail(x):
    """log H."""
    return log_ndtr(-x)


def claimed(paper: str, sentence: str) -> float:
    (found,) = [claim.expected for claim in papers()[paper].claims if claim.sentence == sentence]
    return found


def gradient(function, x, step=1e-4):
    """Central differences of fourth order."""
    found = []
    for direction in np.eye(len(x)):
        values = [function(x + k * step * direction) for k in (-2, -1, 1, 2)]
        found.append((values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step))
    return np.array(found)


# ------------------------------------------------------------------ local entropy around a typical solution, binary perceptron


def typical(alpha):
    """(q, q_hat) of the binary perceptron at zero margin."""

    def conjugate(q):
        x = -np.sqrt(q / (1 - q)) * Z
        return alpha / (1 - q) * np.sum(W * np.exp(-(x**2) - 2 * log_tail(x)) / (2 * np.pi))

    q = brentq(lambda q: np.sum(W * np.tanh(np.sqrt(conjugate(q)) * Z) ** 2) - q, 1e-6, 0.99, xtol=1e-15)
    return q, conjugate(q)


def probe_entropy(parameters, alpha, overlap, q, q_hat):
    """Franz and Parisi's potential.  Parameters: overlap with other references, log-margin of the probes' own, both conjugates, force."""
    side, margin, side_hat, margin_hat, force = parameters
    own = side**2 / q + (overlap - side) ** 2 / (1 - q) + np.exp(margin)
    own_hat = side_hat**2 / q_hat + np.exp(margin_hat)
    z, pair = Z[:, None], W[:, None] * W[None, :]
    field = side_hat / np.sqrt(q_hat) * z + np.exp(margin_hat / 2) * Z[None, :]
    reference = np.sqrt(q_hat) * z
    entropic = 0.0
    for w in (1, -1):
        shifted = field + w * (force - side_hat)
        entropic += np.sum(pair * np.exp(w * reference - np.logaddexp(reference, -reference)) * np.logaddexp(shifted, -shifted))
    edge = -np.sqrt(q / (1 - q)) * Z
    top = np.maximum(edge, 0) + 9
    u = (edge + top)[:, None] / 2 + (top - edge)[:, None] / 2 * NODES
    weight = (top - edge)[:, None] / 2 * WEIGHTS * np.exp(-(u**2) / 2 - log_tail(edge)[:, None]) / np.sqrt(2 * np.pi)
    base = (side / np.sqrt(q) * Z)[:, None] + (overlap - side) / np.sqrt(1 - q) * u
    fields = base[:, None, :] + np.exp(margin / 2) * Z[None, :, None]
    energetic = np.sum((W[:, None] * weight)[:, None, :] * W[None, :, None] * log_tail(-fields / np.sqrt(1 - own)))
    return -overlap * force + side * side_hat + (own - 1) * own_hat / 2 + entropic + alpha * energetic


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overlap", "near"),
    [(0.5, (0.338, 0.40, 0.608, 0.561, 0.905)), (0.7, (0.343, 0.57, 0.557, 0.512, 1.266)), (0.9, (0.332, 0.832, 0.515, 0.610, 2.031))],
)
def test_local_entropy_around_a_typical_solution(overlap, near):
    alpha = 0.5
    q, q_hat = typical(alpha)
    side, own, side_hat, own_hat, force = near
    margin = np.log(own - side**2 / q - (overlap - side) ** 2 / (1 - q))
    start = np.array([side, margin, side_hat, np.log(own_hat - side_hat**2 / q_hat), force])

    def potential(parameters):
        return probe_entropy(parameters, alpha, overlap, q, q_hat)

    found = root(lambda x: gradient(potential, x), start, tol=1e-8)
    assert np.abs(found.fun).max() < 1e-8
    expected = claimed("local_entropy", f"local entropy at overlap {overlap:g}")
    assert potential(found.x) == pytest.approx(expected, abs=1e-12)


# ------------------------------------------------------------------ synapses as coins


def coins(parameters, alpha, beta, bias):
    """Free entropy of means on [-1, 1], flat density 1/2.  Parameters: logit of q/bias, log q_hat, conjugate of the mean square."""
    q, q_hat, stiffness = bias / (1 + np.exp(-parameters[0])), np.exp(parameters[1]), parameters[2]
    exponent = (stiffness - q_hat) / 2 * NODES**2 + np.sqrt(q_hat) * Z[:, None] * NODES
    entropic = np.sum(W * logsumexp(exponent, b=WEIGHTS / 2, axis=1))
    wide = np.arange(-30, 30.05, 0.1)  # the tilt moves the mass far out
    fields = -(np.sqrt(q) * Z[:, None] + np.sqrt(bias - q) * wide) / np.sqrt(1 - bias)
    energetic = np.sum(W * (logsumexp(beta * log_tail(fields) - wide**2 / 2, axis=1) + np.log(0.1 / np.sqrt(2 * np.pi))))
    return -stiffness * bias / 2 + q_hat * q / 2 + entropic + alpha * energetic


@pytest.mark.parametrize(("beta", "bias"), [pytest.param(20, 0.7, marks=pytest.mark.slow), (5, 0.4)])
def test_synapses_as_coins(beta, bias):
    def potential(parameters):
        return coins(parameters, 0.5, beta, bias)

    found = root(lambda x: gradient(potential, x, 1e-3), np.array([1.5, 1.5, 0.0]), tol=1e-9)
    assert np.abs(found.fun).max() < 1e-8
    expected = claimed("stochastic_synapses", f"free entropy at alpha = 0.5, beta = {beta}, q_star = {bias}")
    assert potential(found.x) == pytest.approx(expected, abs=1e-11)
