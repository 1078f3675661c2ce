"""Factors of covariances, which compiled flows call."""

# mypy: ignore-errors

from __future__ import annotations

import math

from numba import njit

from numerics.methods.raw import PART, vector

FIXED = 1e-13  # a conditional variance below this part of the variance is rounding: the field is fixed by those before it


@njit(**PART)
def factor(address, source, target, n):
    """Lower Cholesky factor of the n x n matrix at w[source], w standing at `address`; the column of a field that is fixed is zero."""
    a, b = vector(address + 8 * source, n * n), vector(address + 8 * target, n * n)
    for j in range(n):
        d = a[j * n + j]
        scale = abs(d)
        for k in range(j):
            d -= b[j * n + k] ** 2
        root = math.sqrt(d) if d > FIXED * scale else 0.0
        b[j * n + j] = root
        for i in range(j + 1, n):
            e = a[i * n + j]
            for k in range(j):
                e -= b[i * n + k] * b[j * n + k]
            b[i * n + j] = e / root if root > 0.0 else 0.0
    return 0


@njit(**PART)
def inverse(address, source, target, n):
    """Inverse of the lower triangular n x n matrix at w[source]; the row of a field that is fixed is zero."""
    a, b = vector(address + 8 * source, n * n), vector(address + 8 * target, n * n)
    for i in range(n):
        d = a[i * n + i]
        for j in range(i + 1):
            e = 1.0 if i == j else 0.0
            for k in range(j, i):
                e -= a[i * n + k] * b[k * n + j]
            b[i * n + j] = e / d if d != 0.0 else 0.0
    return 0
