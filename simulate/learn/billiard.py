"""Compiled flights on the sphere |w|^2 = const under rows w >= margin, reflected where a constraint is met."""

from __future__ import annotations

import numpy as np
from numba import njit

_TINY = 1e-13


@njit(cache=True)
def first_hit(z, u, margin, last, longest):
    """(angle, row) of the first constraint met on the way from z along u within `longest`, or (longest, -1)."""
    best, row = longest, -1
    for i in range(len(z)):
        # falls below only if the projection shrinks to the margin before `best`: a cheap bound spares most arctangents
        if z[i] - margin > best * (abs(u[i]) + abs(z[i])):
            continue
        radius = np.sqrt(z[i] * z[i] + u[i] * u[i])
        if radius <= abs(margin) and margin < 0:
            continue
        angle = np.arctan2(u[i], z[i]) + np.arccos(max(-1.0, min(1.0, margin / radius)))
        if i == last and u[i] >= 0 and angle < 1e-7:
            continue  # it was just reflected there
        if angle < 0.0:
            angle = 0.0
        if angle < best:
            best, row = angle, i
    return best, row


@njit(cache=True)
def turn(a, b, angle):
    """(a, b) -> (a cos + b sin, b cos - a sin), in place."""
    c, s = np.cos(angle), np.sin(angle)
    for i in range(len(a)):
        a[i], b[i] = c * a[i] + s * b[i], c * b[i] - s * a[i]


@njit(cache=True)
def flight(rows, gram, margin, w, v, z, u, length):
    """Move w (d,) along its tangent direction v of the same norm by an angle `length`; z = rows w and u = rows v move along.

    Args:
        rows: (n, d).
        gram: rows rows^T; reflections change the fields through it, without a product with the rows.
    """
    n, d = rows.shape
    square = 0.0
    for i in range(d):
        square += w[i] * w[i]
    left, last = length, -1
    while left > _TINY:
        angle, row = first_hit(z, u, margin, last, left)
        turn(w, v, angle)
        turn(z, u, angle)
        left -= angle
        if row < 0:
            return
        along = z[row] / square  # the normal of the wall is the row without its part along w
        factor = 2 * u[row] / (gram[row, row] - z[row] * along)
        for i in range(d):
            v[i] -= factor * (rows[row, i] - along * w[i])
        for i in range(n):
            u[i] -= factor * (gram[row, i] - along * z[i])
        last = row
