"""The compiled solver's one entry: a march over points, each predicted from the last one's tangent.

Compiled once per installation; kernels come in as addresses, so a new theory compiles only its kernels.
"""

from __future__ import annotations

import math

from numba import njit

from numerics.grid import copy
from numerics.layout import ABOVE, AT, BELOW, BETWEEN, DEPTH, INFO, INSIDE, JUMP_AT, LOCAL, PROBES, STACK, TRAIL, WINDOW
from numerics.methods.charts import chart, size
from numerics.methods.linear import substitute
from numerics.methods.point import solve_point
from numerics.methods.raw import PART, cube, matrix, vector, whole, whole_matrix
from numerics.methods.state import Kernels, Local, Quadrature, Unknowns, allowed, distance, move, reset
from numerics.status import AT_END, CAPACITY, CONVERGED, LIMITED, STALLED

OFF = 1e-5  # distance from an end at which a solution at the end is sought again


@njit(**PART)
def predict(kernels, q, u, p, local, change, c):
    """Move the unknowns of p along the tangent that a change of the controls asks for; p's controls have changed already."""
    n = len(u.kinds)
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


@njit(**PART)
def retreat(u, p):
    """Move unknowns away from ends of their domains, so that the map itself shows at the next point whether it still runs there."""
    for i in range(len(u.kinds)):
        if u.kinds[i] == ABOVE or u.kinds[i] == BETWEEN:
            p[i] = max(p[i], u.low[i] + OFF)
        if u.kinds[i] == BELOW or u.kinds[i] == BETWEEN:
            p[i] = min(p[i], u.high[i] - OFF)
        p[i] = min(max(p[i], -1.0 / OFF), 1.0 / OFF)


@njit(**PART)
def march(address, tolerance):
    """Follow a solution over the points of a table (numerics.layout.Slots) at `address`.

    Returns how many points are done; less than all where buffers are too small for the next one.
    """
    table = whole(address, len(AT))
    n, c, count, names = table[AT.unknowns], table[AT.controls], table[AT.total], table[AT.names]
    kernels = Kernels(table[AT.residual], table[AT.values], table[AT.inside], table[AT.probe])
    u = Unknowns(whole(table[AT.kinds], n), vector(table[AT.low], n), vector(table[AT.high], n), whole(table[AT.conjugate], n))
    loops = whole_matrix(table[AT.loops], table[AT.loop_count], INSIDE + table[AT.loop_count])
    nodes, at, m = table[AT.nodes], table[AT.local], n + c
    q = Quadrature(
        loops, cube(table[AT.panels], len(loops), table[AT.capacity], 2), vector(table[AT.x], nodes), vector(table[AT.w], nodes),
        whole(table[AT.off], len(loops) + 1), vector(table[AT.scr], table[AT.scratch]), vector(table[AT.out], table[AT.outputs]),
        matrix(table[AT.work], STACK + DEPTH, PROBES + 2), vector(table[AT.left], 1), vector(table[AT.place], m + 1),
    )
    raw, lu, pivots = vector(at, n + n * m), matrix(at + 8 * (n + n * m), n, n), whole(at + 8 * (n + n * m + n * n), n)
    v = matrix(at + 8 * (2 * n + n * m + n * n), LOCAL, m)
    history = matrix(at + 8 * (2 * n + n * m + n * n + 13 * m), 2 * WINDOW, m)
    local = Local(raw, v[0], lu, pivots, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], history)
    p, ahead, change = v[9], v[10], v[11]
    points, starts = matrix(table[AT.points], count, c), matrix(table[AT.starts], table[AT.rows], n)
    found, results, info = matrix(table[AT.found], count, n), matrix(table[AT.results], count, names), matrix(table[AT.info], count, INFO)
    trail = matrix(table[AT.trail], TRAIL, names)
    status, jacobian = whole(table[AT.status], count), cube(table[AT.jacobian], count, n, n)
    following = ended = False
    begin = table[AT.first]
    if begin > 0 and (status[begin - 1] == CONVERGED or status[begin - 1] == LIMITED):  # buffers have grown: go on where it was left
        copy(found[begin - 1], p, n)
        for k in range(c):
            p[n + k] = points[begin - 1, k]
        reset(q)
        done = solve_point(kernels, q, u, p, local, tolerance, 0, table[AT.steps], info[begin - 1], results[begin - 1], trail)
        following = done == CONVERGED or done == LIMITED
    for t in range(begin, count):
        if table[AT.lone] == 1 and t > 0 and not following:
            status[t] = STALLED
            continue
        for k in range(c):
            change[k] = points[t, k] - p[n + k]
            p[n + k] = points[t, k]
        if following:
            predict(kernels, q, u, p, local, change, c)
            copy(p, ahead, n)
        done = CAPACITY
        for attempt in range(0 if following or ended else 1, 2):
            sweeps = 0 if attempt == 0 and following else table[AT.sweeps]
            if attempt == 1:
                copy(starts[min(t, len(starts) - 1)], p, n)
            if attempt == 1 or ended:
                reset(q)
            done = solve_point(kernels, q, u, p, local, tolerance, sweeps, table[AT.steps], info[t], results[t], trail)
            if done == CAPACITY:
                return t
            info[t, JUMP_AT] = math.inf if attempt == 1 or ended else apart(u, p, ahead)
            if done == CONVERGED or done == LIMITED or (ended and done == AT_END):
                break
        status[t], following, ended = done, done == CONVERGED or done == LIMITED, done == AT_END
        copy(p, found[t], n)
        if ended:
            retreat(u, p)
        for i in range(n):
            for j in range(n):
                jacobian[t, i, j] = local.raw[n + i * n + j] if following else math.nan
    return count
