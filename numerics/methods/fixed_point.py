"""Sweeps of the map itself: conjugates from overlaps, then overlaps from conjugates, as state evolution runs.

Slow, but it follows the physical dynamics, so it finds the fixed point that an algorithm started there would reach.
"""

from __future__ import annotations

import math

from numba import njit

from numerics.grid import OK, copy
from numerics.layout import ABOVE, BELOW, BETWEEN, REAL
from numerics.methods.charts import END, at_end, chart, size, within
from numerics.methods.raw import PART
from numerics.methods.state import allowed, look
from numerics.status import AT_END, LEFT_DOMAIN, MAX_STEPS

ROUGH = 1e-4  # panels are chosen to this while the map is far from its fixed point
NEARLY = 0.999  # of the way where the image is on the end of a domain, so that runs to an end are short
RESTING, FINITE = 1e-6, 1e7  # relative move of a conjugate that rests, and a size from which one is on its way to infinity
SETTLED = 1e-13  # absolute change of overlaps per sweep that counts as none, at the end of a domain


@njit(**PART)
def replace(kernels, q, u, p, local, conjugates):
    """Replace one half of the unknowns by their images (in local.raw), shortened where an image leaves the domain.

    Returns (whether it could be done, largest chart move, largest absolute move).
    """
    part, trial = 1.0, local.trial
    for _ in range(12):
        good, largest, absolute = True, 0.0, 0.0
        copy(p, trial, len(p))
        for i in range(len(u.kinds)):
            if u.conjugate[i] != conjugates:
                continue
            kind, low, high = u.kinds[i], u.low[i], u.high[i]
            trial[i] = p[i] - part * local.raw[i]
            if within(kind, low, high, trial[i]):
                change = abs(chart(kind, low, high, trial[i]) - chart(kind, low, high, p[i])) / size(kind, p[i], trial[i])
                largest, absolute = max(largest, change), max(absolute, abs(trial[i] - p[i]))
            else:
                good = False
        if good and allowed(kernels, q, trial, 0.0):
            copy(trial, p, len(p))
            return True, largest, absolute
        part = NEARLY if part == 1.0 else 0.5 * part
    return False, math.inf, math.inf


@njit(**PART)
def iterate(kernels, q, u, p, local, target, steps):
    """Sweep until nothing moves by more than `target` in charts.

    Returns OK, AT_END where an unknown stays at an end of its domain, MAX_STEPS, or the failure of a sweep.
    """
    first, resting = 0.0, True
    for half in range(2 * steps):
        status = look(kernels, q, u, p, local, ROUGH)
        if status != OK:
            return status
        done, largest, absolute = replace(kernels, q, u, p, local, 1 - half % 2)
        if not done:
            return LEFT_DOMAIN
        stop(u, p)
        if half % 2 == 0:
            first, resting = largest, rest(u, p, local)
        elif max(first, largest) < target:
            return OK
        elif absolute < SETTLED and resting and ends(u, p):
            return AT_END
    return MAX_STEPS


@njit(**PART)
def stop(u, p):
    """Hold unknowns at the ends that they run to: much nearer, differences between averages would be rounding and nothing else."""
    for i in range(len(u.kinds)):
        if u.kinds[i] == ABOVE or u.kinds[i] == BETWEEN:
            p[i] = max(p[i], u.low[i] + 0.5 * END)
        if u.kinds[i] == BELOW or u.kinds[i] == BETWEEN:
            p[i] = min(p[i], u.high[i] - 0.5 * END)


@njit(**PART)
def rest(u, p, local):
    """Whether finite conjugates of either sign have come to rest: that of an imposed overlap which is not met does not."""
    for i in range(len(u.kinds)):
        if u.conjugate[i] == 1 and u.kinds[i] == REAL and abs(p[i]) < FINITE and abs(local.raw[i]) > RESTING * max(1.0, abs(p[i])):
            return False
    return True


@njit(**PART)
def ends(u, p):
    """Whether an unknown is at an end of its domain, to rounding."""
    for i in range(len(u.kinds)):
        if at_end(u.kinds[i], u.low[i], u.high[i], p[i]):
            return True
    return False
