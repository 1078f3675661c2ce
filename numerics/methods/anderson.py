"""Anderson's acceleration of the plain map, for where sweeps stall and Newton's method finds no way.

The mismatch x - G(x) is divided into parts whose change along past steps is known, and a rest.  A part that the map itself reduces is
removed at once, slow or oscillating as it may be; one that the map increases is increased by as much, so that the iteration leaves
the neighbourhood of lost or repelling fixed points the way the map does, in a number of steps that grows like a logarithm.
"""

from __future__ import annotations

import math

from numba import njit

from numerics.grid import OK, copy
from numerics.layout import WINDOW
from numerics.methods.fixed_point import ends
from numerics.methods.raw import PART
from numerics.methods.state import allowed, distance, evaluate, move
from numerics.status import AT_END, LEFT_DOMAIN, MAX_STEPS

LONGEST = 1.0  # in charts
WORSE = 10.0  # a mismatch so many times the one before is not built on
FIRST, LEAST = 0.5, 1e-3  # part of the map's own step: at first, and when to give up; whole as long as the mismatch falls
PARALLEL = 1e-8  # squared sine below which a change of the mismatch tells nothing new


@njit(**PART)
def learn(history, kept, step, change, n):
    """Keep a step and the change of the mismatch it made; changes are orthogonal, the oldest is dropped.  Returns how many are kept."""
    whole, new = 0.0, 0.0
    for i in range(n):
        whole += change[i] * change[i]
    window = min(WINDOW, n)
    if kept == window:
        for k in range(1, window):
            for i in range(n):
                history[2 * k - 2, i], history[2 * k - 1, i] = history[2 * k, i], history[2 * k + 1, i]
        kept -= 1
    for k in range(kept):
        along, norm = 0.0, 0.0
        for i in range(n):
            along += history[2 * k + 1, i] * change[i]
            norm += history[2 * k + 1, i] * history[2 * k + 1, i]
        for i in range(n):
            step[i] -= along / norm * history[2 * k, i]
            change[i] -= along / norm * history[2 * k + 1, i]
    for i in range(n):
        new += change[i] * change[i]
    if not new > PARALLEL * whole:
        return kept
    for i in range(n):
        history[2 * kept, i], history[2 * kept + 1, i] = step[i], change[i]
    return kept + 1


@njit(**PART)
def propose(history, kept, rest, part, step, n):
    """The step, in charts, where the mismatch is `rest`, which is used up: along past steps, then `part` of the map's own."""
    for i in range(n):
        step[i] = 0.0
    for k in range(kept):
        along, norm, own = 0.0, 0.0, 0.0
        for i in range(n):
            along += history[2 * k + 1, i] * rest[i]
            norm += history[2 * k + 1, i] * history[2 * k + 1, i]
            own += history[2 * k + 1, i] * history[2 * k, i]
        for i in range(n):
            step[i] -= math.copysign(along / norm, along * own) * history[2 * k, i]
            rest[i] -= along / norm * history[2 * k + 1, i]
    for i in range(n):
        step[i] -= part * rest[i]


@njit(**PART)
def anderson(kernels, q, u, p, local, target, limit):
    """Iterate until the mismatch in charts is below `target`; p is the last good point.  Returns (status, steps)."""
    n, before, kept, part = len(u.kinds), math.inf, 0, FIRST
    last, step, base = local.last, local.step, local.base
    if not allowed(kernels, q, p, 0.0):
        return LEFT_DOMAIN, 0
    copy(p, base, len(p))
    copy(p, local.trial, len(p))
    for steps in range(limit):
        status, mismatch, _worst, _regular = evaluate(kernels, q, u, p, local)
        if status == OK and mismatch <= WORSE * before:
            if ends(u, p):
                return AT_END, steps
            if before < math.inf:
                for i in range(n):
                    local.spare[i] = local.mismatch[i] - last[i]
                kept = learn(local.history, kept, step, local.spare, n)
            if mismatch < before:
                part = min(1.0, 2.0 * part)
            before = mismatch
            copy(p, base, len(p))
            copy(local.mismatch, last, n)
            if mismatch < target:
                return OK, steps
        else:  # back, and nearer to the map's own way
            kept, part = 0, 0.5 * part
            if before == math.inf or part < LEAST:
                copy(base, p, len(p))
                return (status if status != OK else LEFT_DOMAIN), steps
        copy(last, local.spare, n)
        propose(local.history, kept, local.spare, part, step, n)
        copy(base, p, len(p))
        scale, inside = min(1.0, LONGEST / distance(u, p, step)), False
        for _ in range(40):
            inside = move(u, p, step, scale, local.trial) and allowed(kernels, q, local.trial, 0.0)
            if inside:
                break
            scale *= 0.5
        if not inside:
            return LEFT_DOMAIN, steps
        for i in range(n):
            step[i] *= scale
        copy(local.trial, p, len(p))
    copy(base, p, len(p))
    return MAX_STEPS, limit
