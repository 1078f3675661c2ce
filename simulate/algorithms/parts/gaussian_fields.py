"""Belief propagation on all edges between samples and weights of signs; the field of a sample is Gaussian given its messages."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.special import log_ndtr

from numerics.special.library import sel, vexp, vlog, vlogh, vtail, vtanh

SMALLEST = 1e-12  # variance of a field whose weights are all but known
LARGEST = 100.0  # field of a message


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def _log_right(z):
    """log of the normal distribution function."""
    x = -z
    density, tail = vexp(-0.5 * x * x), vtail(abs(x))
    return vlogh(x, density, tail, sel(x > 0.0, tail, 1.0 - density * tail))


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def sweep(patterns, order, margin, leak, extra, h, u, damping):
    """All messages once, sample by sample, in place; returns the largest move.

    Args:
        patterns: (n, d); order: (n,) of samples.
        extra: (d,) fields that are added to those of the samples, fixed during a sweep.
        h: (d,) sum over samples of u, the (n, d) fields that samples send to weights.
    """
    d = patterns.shape[1]
    m, v, new = np.empty(d), np.empty(d), np.empty(d)
    largest = 0.0
    for row in order:
        a, old = patterns[row], u[row]
        for i in range(d):
            new[i] = h[i] + extra[i] - old[i]  # few arrays a loop: the compiler gives up on loops with many that might overlap
        for i in range(d):
            field = new[i]
            decay = vexp(-2.0 * abs(field))
            m[i] = a[i] * vtanh(field, decay)
            v[i] = a[i] * a[i] * 4.0 * decay / ((1.0 + decay) * (1.0 + decay))
        mean, variance = -margin, 0.0
        for i in range(d):
            mean += m[i]
            variance += v[i]
        for i in range(d):
            rest = variance - v[i]
            scale = 1.0 / np.sqrt(sel(rest > SMALLEST, rest, SMALLEST))
            center = mean - m[i]
            new[i] = _log_right((center + a[i]) * scale)
            m[i] = _log_right((center - a[i]) * scale)
        if leak > 0.0:
            for i in range(d):
                new[i] = vlog(leak + (1.0 - leak) * vexp(new[i]))
                m[i] = vlog(leak + (1.0 - leak) * vexp(m[i]))
        for i in range(d):
            field = 0.5 * (new[i] - m[i])
            field = sel(field > LARGEST, LARGEST, sel(field < -LARGEST, -LARGEST, field))
            move = (1.0 - damping) * (field - old[i])
            old[i] += move
            h[i] += move
            largest = sel(abs(move) <= largest, largest, abs(move))
    return largest


def bethe(patterns: np.ndarray, margin: float, leak: float, h: np.ndarray, u: np.ndarray) -> tuple[float, float]:
    """(log of the number of weights, or of the partition function; mean number of violated samples), sums; h (d,) are all fields."""
    n = len(patterns)
    cavity = h - u
    means = np.tanh(cavity)
    center = np.einsum("ij,ij->i", patterns, means) - margin
    variance = np.einsum("ij,ij->i", patterns**2, 1 - means**2)
    met = log_ndtr(center / np.sqrt(np.maximum(variance, SMALLEST)))
    samples = np.logaddexp(np.log(leak), np.log1p(-leak) + met) if leak > 0 else met
    total = samples.sum() + (1 - n) * _log_two_cosh(h).sum() + _log_two_cosh(cavity).sum()
    violated = leak * -np.expm1(met) / np.exp(samples) if leak > 0 else np.zeros(n)
    return float(total), float(violated.sum())


def _log_two_cosh(x: np.ndarray) -> np.ndarray:
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))
