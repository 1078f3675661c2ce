"""What the compiled solver carries: the kernels, the unknowns' domains, the quadrature and one evaluation of the map."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from numerics.grid import OK, copy
from numerics.layout import ADAPT, ADOPT, DOUBLE, FIRST_NESTED, GENEROUS, INSIDE, NESTED, RULE, SIZE
from numerics.methods.charts import chart, shift, size, slope, unit, within
from numerics.methods.linear import factor
from numerics.methods.raw import PART, call
from numerics.quadrature import PANEL_TOLERANCE, TOTAL, arrange
from numerics.status import EXHAUSTED, NON_FINITE

CHOICE = 3.0  # panels are chosen at the cost of so many evaluations on them


class Kernels(NamedTuple):
    """Addresses."""

    residual: int
    values: int
    inside: int
    probe: int


class Unknowns(NamedTuple):
    kinds: np.ndarray
    low: np.ndarray
    high: np.ndarray
    conjugate: np.ndarray  # 1: a conjugate, which a fixed-point sweep updates first; 2: another, whose image reads no average; 0: others


class Quadrature(NamedTuple):
    loops: np.ndarray
    panels: np.ndarray
    x: np.ndarray
    w: np.ndarray
    off: np.ndarray
    scr: np.ndarray
    out: np.ndarray
    work: np.ndarray
    left: np.ndarray  # one number: evaluations of an integrand that may still be made
    place: np.ndarray  # unknowns and controls at which the panels were chosen; then by how much results moved when they were doubled


class Local(NamedTuple):
    """The map at one point, in charts: mismatch F and its Jacobian, factored in `lu`; `raw` as the kernel wrote it."""

    raw: np.ndarray
    mismatch: np.ndarray
    lu: np.ndarray
    pivots: np.ndarray
    step: np.ndarray
    slopes: np.ndarray  # of the charts at G, which turn raw residuals into mismatches
    trial: np.ndarray  # unknowns and controls
    base: np.ndarray
    spare: np.ndarray
    floor: np.ndarray
    begin: np.ndarray  # where a point was started
    last: np.ndarray
    history: np.ndarray  # steps and changes of the mismatch that they made, in turn


@njit(**PART)
def reset(q):
    """Forget nested sizes and panels."""
    for l in range(len(q.loops)):
        if q.loops[l, NESTED]:
            q.loops[l, SIZE] = FIRST_NESTED[q.loops[l, RULE]]
    for i in range(len(q.place)):
        q.place[i] = math.nan


@njit(**PART)
def effort(q):
    """Evaluations of an integrand that one call of a kernel makes on the nodes that are there."""
    total = 0.0
    for l in range(len(q.loops)):
        here = 1.0 * (q.off[l + 1] - q.off[l])
        for j in range(len(q.loops)):
            if q.loops[l, INSIDE + j] == 1:
                here *= q.off[j + 1] - q.off[j]
        total += here
    return total


@njit(**PART)
def arranged(kernels, q, p, request, tolerance):
    """Ask for nodes; see numerics.quadrature.arrange."""
    if request == ADAPT:
        copy(p, q.place, len(p))
    if request == ADAPT or request == GENEROUS or request >= ADOPT + DOUBLE:
        q.place[len(p)] = math.nan
    status = arrange(kernels.probe, p, request, tolerance, q.loops, q.panels, q.x, q.w, q.off, q.scr, q.out, q.work)
    if request == ADAPT or request == GENEROUS:
        q.left[0] -= CHOICE * effort(q)
    return status


@njit(**PART)
def look(kernels, q, u, p, local, tolerance):
    """Evaluate residual and derivatives into local.raw; first choose panels anew where an unknown has moved by 30 %."""
    if not q.left[0] > 0.0:
        return EXHAUSTED
    far, n = False, len(u.kinds)
    for i in range(n):
        a, b = q.place[i], p[i]
        if not a == a:
            far = True
        else:
            kind, low, high = u.kinds[i], u.low[i], u.high[i]
            far |= not abs(chart(kind, low, high, a) - chart(kind, low, high, b)) <= 0.3 * size(kind, a, b)
    if far:
        status = arranged(kernels, q, p, ADAPT, tolerance)
        if status != OK:
            return status
    call(kernels.residual, p, q.x, q.w, q.off, q.scr, q.out)
    q.left[0] -= effort(q)
    for i in range(len(local.raw)):
        local.raw[i] = q.out[i]
    for i in range(n + n * n):
        if not abs(local.raw[i]) < math.inf:
            return NON_FINITE
    return OK


@njit(**PART)
def evaluate(kernels, q, u, p, local):
    """Mismatch and factored Jacobian in charts at p.

    Returns (status, largest mismatch, largest relative residual, whether the Jacobian is regular).
    """
    n = len(u.kinds)
    largest, worst = 0.0, 0.0
    status = look(kernels, q, u, p, local, PANEL_TOLERANCE)
    if status != OK:
        return status, math.inf, math.inf, False
    for i in range(n):
        residual, kind, low, high = local.raw[i], u.kinds[i], u.low[i], u.high[i]
        image = p[i] - residual
        if within(kind, low, high, image):
            local.slopes[i] = slope(kind, low, high, image)
            local.mismatch[i] = chart(kind, low, high, p[i]) - chart(kind, low, high, image)
        else:  # no logarithm: compare linearly
            local.slopes[i] = slope(kind, low, high, p[i])
            local.mismatch[i] = local.slopes[i] * residual
        largest = max(largest, abs(local.mismatch[i]) / size(kind, p[i], image))
        worst = max(worst, abs(residual) / unit(kind, p[i]))
        for j in range(n):
            delta = 1.0 if i == j else 0.0
            local.lu[i, j] = delta - local.slopes[i] * (delta - local.raw[n + i * n + j]) / slope(u.kinds[j], u.low[j], u.high[j], p[j])
    return OK, largest, worst, factor(local.lu, local.pivots)


@njit(**PART)
def distance(u, p, step):
    """Largest component of a chart step, in the charts' units."""
    longest = 0.0
    for i in range(len(u.kinds)):
        part = abs(step[i]) / size(u.kinds[i], p[i], p[i] + step[i])
        longest = part if not part <= longest else longest
    return longest


@njit(**PART)
def move(u, p, step, factor, target):
    """target = p shifted by factor * step in charts; false where the result is not inside the domains."""
    good = True
    for i in range(len(u.kinds)):
        target[i] = shift(u.kinds[i], u.low[i], u.high[i], p[i], factor * step[i])
        good &= within(u.kinds[i], u.low[i], u.high[i], target[i])
    return good


@njit(**PART)
def allowed(kernels, q, p, kept):
    """Whether the constraints at p are positive and keep the part `kept` of the values that `remember` saw."""
    m = call(kernels.inside, p, q.x, q.w, q.off, q.scr, q.out)
    for i in range(m):
        if not q.out[i] > kept * q.work[TOTAL, i]:
            return False
    return True


@njit(**PART)
def remember(kernels, q, p):
    """Keep the values of the constraints at p, which `allowed` compares with."""
    m = call(kernels.inside, p, q.x, q.w, q.off, q.scr, q.out)
    for i in range(m):
        q.work[TOTAL, i] = q.out[i]
