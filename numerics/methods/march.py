"""The compiled solver's one entry: a march over points, each predicted from the last one's tangent.

Compiled once per installation; kernels come in as first-class functions, so a new theory compiles only its kernels.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
from numba import njit, types

from numerics import quadrature
from numerics.methods import charts, fixed_point, linear, newton, point, state
from numerics.methods.charts import chart, size
from numerics.methods.linear import substitute
from numerics.methods.point import JUMP_AT, solve_point
from numerics.methods.state import ARRANGE, KERNEL, PROBE, Kernels, Unknowns, allocate, allowed, distance, move, reset, workspace
from numerics.quadrature import JIT, PART, copy
from numerics.status import CAPACITY, CONVERGED

_f1, _f2, _f3 = types.float64[::1], types.float64[:, ::1], types.float64[:, :, ::1]
_i1, _i2 = types.int64[::1], types.int64[:, ::1]
SIGNATURE = types.int64(
    KERNEL, KERNEL, KERNEL, PROBE, ARRANGE,
    _i2, _i1, _f1, _f1, _i1,  # loops; kinds, low, high, conjugate
    _f2, _f2, _i1, types.float64,  # points, starts, sizes, tolerance
    types.int64, _f2, _f2, _f2, _i1, _f3,  # first; unknowns, values, info, status, jacobian
)


def _digest() -> int:
    """Fingerprint of the sources; numba looks only at the file of the entry itself when it decides whether a cache is stale."""
    text = b"".join(Path(m.__file__ or "").read_bytes() for m in (quadrature, charts, fixed_point, linear, newton, point, state))
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")


@njit(**PART)
def predict(kernels, q, u, p, local, change):
    """Move the unknowns of p along the tangent that a change of the controls asks for; p's controls have changed already."""
    n, c = len(u.kinds), len(change)
    for i in range(n):
        local.step[i] = 0.0
        for k in range(c):
            local.step[i] -= local.slopes[i] * local.raw[n + n * n + i * c + k] * change[k]
    substitute(local.lu, local.pivots, local.step)
    copy(p, local.trial, n + c)
    part = min(1.0, 1.0 / distance(u, p, local.step))
    for _ in range(8):
        if move(u, p, local.step, part, local.trial) and allowed(kernels, q, local.trial, 0.0):
            copy(local.trial, p, n)
            return
        part *= 0.5


@njit(**PART)
def apart(u, p, other):
    """Largest chart distance between two points."""
    largest = 0.0
    for i in range(len(u.kinds)):
        kind, low, high = u.kinds[i], u.low[i], u.high[i]
        largest = max(largest, abs(chart(kind, low, high, p[i]) - chart(kind, low, high, other[i])) / size(kind, p[i], other[i]))
    return largest


def _compile(digest: int):
    @njit(SIGNATURE, cache=True, **JIT)
    def march(
        residual, values_kernel, inside, probe, arrange, loops, kinds, low, high, conjugate,
        points, starts, sizes, tolerance, first, found, values, info, status, jacobian,
    ):
        if digest < 0:  # ties the cache to the sources
            return CAPACITY
        kernels = Kernels(residual, values_kernel, inside, probe, arrange)
        u = Unknowns(kinds, low, high, conjugate)
        n, c = len(kinds), points.shape[1]
        panels, nodes, scratch, outputs, sweeps, limit = sizes
        q = allocate(loops, n, c, panels, nodes, scratch, outputs)
        local = workspace(n, c)
        p, ahead, change = np.zeros(n + c), np.zeros(n + c), np.zeros(c)
        following = False
        for t in range(first, len(points)):
            for k in range(c):
                change[k] = points[t, k] - p[n + k]
                p[n + k] = points[t, k]
            if following:
                predict(kernels, q, u, p, local, change)
                copy(p, ahead, n)
            done = CAPACITY
            for attempt in range(0 if following else 1, 2):
                if attempt == 1:
                    copy(starts[min(t, len(starts) - 1)], p, n)
                    reset(q)
                done = solve_point(kernels, q, u, p, local, tolerance, sweeps * attempt, limit, info[t], values[t])
                if done == CAPACITY:
                    return t
                info[t, JUMP_AT] = math.inf if attempt == 1 else apart(u, p, ahead)
                if done == CONVERGED:
                    break
            status[t], following = done, done == CONVERGED
            copy(p, found[t], n)
            for i in range(n):
                for j in range(n):
                    jacobian[t, i, j] = local.raw[n + i * n + j] if following else math.nan
        return len(points)

    return march


march = _compile(_digest())
