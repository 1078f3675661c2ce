"""Gaussian elimination for the few unknowns of a theory, without a call into LAPACK."""

from __future__ import annotations

from numba import njit

from numerics.methods.raw import PART


@njit(**PART)
def factor(a, pivots):
    """LU with row pivoting, in place.  Returns whether every pivot is a non-zero number."""
    n = len(a)
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[best, k]):
                best = i
        pivots[k] = best
        if not abs(a[best, k]) > 0.0:
            return False
        if best != k:
            for j in range(n):
                a[k, j], a[best, j] = a[best, j], a[k, j]
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return True


@njit(**PART)
def substitute(a, pivots, b):
    """Solve with the factors of `factor`, in place of b."""
    n = len(a)
    for k in range(n):
        j = pivots[k]
        if j != k:
            b[k], b[j] = b[j], b[k]
    for i in range(n):
        for j in range(i):
            b[i] -= a[i, j] * b[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            b[i] -= a[i, j] * b[j]
        b[i] /= a[i, i]
