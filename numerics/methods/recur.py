"""The compiled solver's third entry: the map step by step from a start, as state evolution runs, with every state kept."""

from __future__ import annotations

import math

from numba import njit

from numerics.grid import OK, copy
from numerics.layout import (
    ADOPT,
    AT,
    BASE,
    DEPTH,
    DOUBLE,
    ERROR_AT,
    INFO,
    INSIDE,
    JUMP_AT,
    LOCAL,
    NESTED,
    PROBES,
    RESIDUAL_AT,
    STACK,
    STEPS_AT,
    WINDOW,
)
from numerics.methods.charts import at_end, unit, within
from numerics.methods.raw import PART, call, cube, matrix, vector, whole, whole_matrix
from numerics.methods.state import Kernels, Local, Quadrature, Unknowns, allowed, arranged, look
from numerics.quadrature import PANEL_TOLERANCE
from numerics.status import AT_END, CONVERGED, NON_FINITE, OUTSIDE, RUNNING

STILL = 1e-12  # relative move of every unknown in a step that counts as none
ACCURATE = (
    1e-9  # error of an image that is let pass, relative to it or to WEAK: a signal that is hardly there is a difference of large parts
)
WEAK = 1e-2
DOUBLINGS = 3


@njit(**PART)
def fine(kernels, q, u, p, local):
    """Double loops for good until the images of p move by no more than ACCURATE; p has been looked at.

    Returns (OK or CAPACITY, largest relative move at the last doublings).
    """
    n, loops, error = len(u.kinds), len(q.loops), 0.0
    for l in range(-1, loops):
        if l >= 0 and not q.loops[l, NESTED]:
            continue
        request, before = DOUBLE if l < 0 else l, math.inf
        for _ in range(DOUBLINGS):
            status = arranged(kernels, q, p, request, PANEL_TOLERANCE)
            if status != OK:
                return status, math.inf
            call(kernels.residual, p, q.x, q.w, q.off, q.scr, q.out)
            moved = 0.0
            for i in range(n):
                change = abs(q.out[i] - local.raw[i]) / max(abs(p[i] - q.out[i]), WEAK)
                moved = change if not change <= moved else moved
            if moved <= ACCURATE or moved > 0.5 * before:  # no better for more nodes: rounding
                break
            status = arranged(kernels, q, p, ADOPT + request, PANEL_TOLERANCE)
            if status != OK:
                return status, math.inf
            copy(q.out, local.raw, n)
            before = moved
        error += moved
    return arranged(kernels, q, p, BASE, PANEL_TOLERANCE), error


@njit(**PART)
def replaced(kernels, q, u, p, local, half, damping):
    """Put images (in local.raw) in the place of one half of the unknowns; returns (whether they are inside, largest relative move)."""
    largest = 0.0
    for i in range(len(u.kinds)):
        if (u.conjugate[i] == 1) == (half == 1):
            kept = damping if half == 0 else 0.0
            image = p[i] - (1.0 - kept) * local.raw[i]
            if not within(u.kinds[i], u.low[i], u.high[i], image):
                return False, math.inf
            largest = max(largest, abs(image - p[i]) / unit(u.kinds[i], image))
            p[i] = image
    return half == 1 or allowed(kernels, q, p, 0.0), largest


@njit(**PART)
def recur(address, damping):
    """Go on from state `first` of the table (numerics.layout.Slots) at `address`: `starts` in, states in `found`, one a step, up to
    `steps`; `info` says how far the last step moved, the error of its quadrature, and how many steps were taken.

    Returns CONVERGED where a step moves nothing, AT_END where an unknown comes to the end of its domain, RUNNING after all steps,
    OUTSIDE, CAPACITY or the failure of an evaluation.
    """
    table = whole(address, len(AT))
    n, c = table[AT.unknowns], table[AT.controls]
    kernels = Kernels(table[AT.residual], table[AT.values], table[AT.inside], table[AT.probe])
    u = Unknowns(whole(table[AT.kinds], n), vector(table[AT.low], n), vector(table[AT.high], n), whole(table[AT.conjugate], n))
    loops = whole_matrix(table[AT.loops], table[AT.loop_count], INSIDE + table[AT.loop_count])
    nodes, at, m = table[AT.nodes], table[AT.local], n + c
    q = Quadrature(
        loops,
        cube(table[AT.panels], len(loops), table[AT.capacity], 2),
        vector(table[AT.x], nodes),
        vector(table[AT.w], nodes),
        whole(table[AT.off], len(loops) + 1),
        vector(table[AT.scr], table[AT.scratch]),
        vector(table[AT.out], table[AT.outputs]),
        matrix(table[AT.work], STACK + DEPTH, PROBES + 2),
        vector(table[AT.left], 1),
        vector(table[AT.place], m + 1),
    )
    raw, lu, pivots = vector(at, n + n * m), matrix(at + 8 * (n + n * m), n, n), whole(at + 8 * (n + n * m + n * n), n)
    v = matrix(at + 8 * (2 * n + n * m + n * n), LOCAL, m)
    history = matrix(at + 8 * (2 * n + n * m + n * n + 13 * m), 2 * WINDOW, m)
    local = Local(raw, v[0], lu, pivots, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], history)
    steps, first = table[AT.steps], table[AT.first]
    found, info, p = matrix(table[AT.found], steps + 1, n), vector(table[AT.info], INFO), v[9]
    copy(found[first], p, n)
    controls = vector(table[AT.points], c)
    for k in range(c):
        p[n + k] = controls[k]
    empty, plain = whole(table[AT.empty], len(loops) + 1), True  # loops without nodes do for images that read no average
    for i in range(n):
        plain &= u.conjugate[i] != 0
    checked = info[JUMP_AT]  # the step before which doubled nodes are looked at next
    for t in range(first, steps):
        info[STEPS_AT] = float(t)
        largest, inside = 0.0, True
        for half in (1, 0):
            if half == 0 and plain:
                call(kernels.residual, p, q.x, q.w, empty, q.scr, q.out)
                copy(q.out, local.raw, n)
                status = OK
                for i in range(n):
                    if u.conjugate[i] != 1 and not abs(local.raw[i]) < math.inf:
                        status = NON_FINITE
            else:
                status = look(kernels, q, u, p, local, PANEL_TOLERANCE)
            if status == OK and half == 1 and t >= checked:
                status, error = fine(kernels, q, u, p, local)
                info[ERROR_AT] = error
            if status != OK:
                return status
            inside, moved = replaced(kernels, q, u, p, local, half, damping)
            if not inside:
                return OUTSIDE
            largest = max(largest, moved)
        if t >= checked:
            checked = 2.0 * t + 1.0
            info[JUMP_AT] = checked
        copy(p, found[t + 1], n)
        info[STEPS_AT], info[RESIDUAL_AT] = float(t + 1), largest
        if largest < STILL:
            return CONVERGED
        for i in range(n):
            if at_end(u.kinds[i], u.low[i], u.high[i], p[i]):
                return AT_END
    return RUNNING
