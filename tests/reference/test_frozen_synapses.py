"""Biases of binary synapses at zero temperature (1710.09825, beta -> infinity): the limit written by hand, no engine."""

import numpy as np
import pytest
from scipy.optimize import root
from scipy.special import log_ndtr

from replica.papers import papers

Z = np.arange(-9, 9.001, 0.002)
W = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * 0.002


def energy(chi, q_hat, chi_hat, alpha, bias):
    """Energy per weight; stationary in the first three: a Moreau envelope, and a parabola on [-1, 1]."""
    h, width = np.sqrt(bias) * Z, np.sqrt(1 - bias)
    u = h.copy()
    for _ in range(60):
        hazard = np.exp(-(u**2) / (2 * width**2) - log_ndtr(u / width)) / (np.sqrt(2 * np.pi) * width)
        u = u - ((u - h) / chi - hazard) / (1 / chi + hazard * (hazard + u / width**2))
    envelope = np.sum(W * ((u - h) ** 2 / (2 * chi) - log_ndtr(u / width)))
    field = np.sqrt(q_hat) * Z
    w = np.clip(field / chi_hat, -1, 1)
    return alpha * envelope + chi * q_hat / 2 - chi_hat * bias / 2 - np.sum(W * (field * w - chi_hat * w**2 / 2))


@pytest.mark.parametrize(("bias", "near"), [(0.3, (1.666, 0.1055, 0.544)), (0.7, (3.662, 0.0425, 0.1202))])
def test_frozen_synapses(bias, near):
    def gradient(logs):
        found = []
        for direction in np.eye(3):
            up, down = (energy(*np.exp(logs + step * direction), 0.5, bias) for step in (1e-4, -1e-4))
            found.append((up - down) / 2e-4)
        return found

    found = root(gradient, np.log(near), tol=1e-10)
    assert np.abs(found.fun).max() < 1e-9
    sentence = f"energy of the best biases at alpha = 0.5, q_star = {bias:g}"
    (expected,) = [c.expected for c in papers()["stochastic_synapses"].claims if c.sentence == sentence]
    assert energy(*np.exp(found.x), 0.5, bias) == pytest.approx(expected, abs=1e-9)
