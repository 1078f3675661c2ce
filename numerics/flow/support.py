"""What generated right-hand sides call: special functions of scalars, and factors of covariances.  Compiled with them."""

# mypy: ignore-errors

from __future__ import annotations

import math

from numba import njit

from numerics.methods.raw import PART

FIXED = 1e-13  # a conditional variance below this part of the variance is rounding: the field is fixed


@njit(**PART)
def rsqrt(v):
    """1/sqrt(v), zero for a variance that is none."""
    return 1.0 / math.sqrt(v) if v > 0.0 else 0.0


@njit(**PART)
def angle(x):
    """asin within rounding."""
    return math.asin(min(max(x, -1.0), 1.0))


@njit(**PART)
def step(x):
    return 1.0 if x > 0.0 else 0.0 if x < 0.0 else 0.5


@njit(**PART)
def sign(x):
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0


@njit(**PART)
def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else 0.0


@njit(**PART)
def softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@njit(**PART)
def log2cosh(x):
    return abs(x) + math.log1p(math.exp(-2.0 * abs(x)))


@njit(**PART)
def factor(w, source, target, n):
    """Lower Cholesky factor of the n x n matrix at w[source]; the column of a field that is fixed by those before it is zero."""
    for j in range(n):
        d = w[source + j * n + j]
        scale = abs(d)
        for k in range(j):
            d -= w[target + j * n + k] ** 2
        root = math.sqrt(d) if d > FIXED * scale else 0.0
        w[target + j * n + j] = root
        for i in range(j + 1, n):
            e = w[source + i * n + j]
            for k in range(j):
                e -= w[target + i * n + k] * w[target + j * n + k]
            w[target + i * n + j] = e / root if root > 0.0 else 0.0


@njit(**PART)
def inverse(w, source, target, n):
    """Inverse of the lower triangular n x n matrix at w[source]; zero rows stay zero."""
    for i in range(n):
        d = w[source + i * n + i]
        for j in range(i + 1):
            if d == 0.0:
                w[target + i * n + j] = 0.0
                continue
            e = 1.0 if i == j else 0.0
            for k in range(j, i):
                e -= w[source + i * n + k] * w[target + k * n + j]
            w[target + i * n + j] = e / d
