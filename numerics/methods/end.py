"""At the end of a domain: named results as limits, seen from points ever nearer to the end.

Charts have no fixed point there and an unknown never arrives, so that what is reported is measured: each result is followed
while it still moves, and what its last move and the doubled nodes say is its error.
"""

from __future__ import annotations

import math

from numba import njit

from numerics.grid import OK, copy
from numerics.layout import BASE, DOUBLE, ERROR_AT, FINISH, GENEROUS, LATE, MOST_PANELS, NESTED, RESIDUAL_AT, TRAIL
from numerics.methods.charts import END, within
from numerics.methods.fixed_point import replace
from numerics.methods.raw import PART, call
from numerics.methods.state import allowed, arranged, look
from numerics.quadrature import PANEL_TOLERANCE
from numerics.status import AT_END, CAPACITY, STALLED

FARTHEST, NEAREST, CLOSER = 1e-6, 1e-33, 1e-4  # distances from the end, and by how much one is smaller than the one before
STILL = 1e-15  # relative or absolute move of a result that ends its pursuit
LOST = 10.0  # as does the first larger than the one before: rounding grows from there on, and had done so by up to this factor
RUNS_ON = 0.9  # moves over equal factors of the distance that shrink less than this belong to a result without a finite limit
LEAST = 1e-6  # where none was ever smaller than this
AWAY = 0.01  # of the distance: by less an end is left too slowly to tell it from rounding
ENOUGH = 3  # looks, from which a limit can be told
COARSE, FINE, BLUR, BEFORE, MOVE, ERROR = range(TRAIL)  # rows of `trail`; an error below zero marks a result that is no longer followed


@njit(**PART)
def place_near(u, end, p, distance):
    """Put the overlaps that `end` has at an end of their domains at a distance from it; infinity is 1 / distance away."""
    good = True
    for i in range(len(u.kinds)):
        p[i] = end[i]
        if u.conjugate[i] == 1:
            continue
        if abs(end[i] - u.low[i]) < END:
            p[i] = u.low[i] + distance
        elif abs(u.high[i] - end[i]) < END:
            p[i] = u.high[i] - distance
        elif abs(end[i]) > 1.0 / END:
            p[i] = math.copysign(1.0 / distance, end[i])
        good &= within(u.kinds[i], u.low[i], u.high[i], p[i])
    return good


@njit(**PART)
def leaves(u, end, p, local):
    """Whether the map moves an overlap away from the end that it has run to: no solution is there."""
    for i in range(len(u.kinds)):
        if u.conjugate[i] == 1:
            continue
        if abs(end[i] - u.low[i]) < END and -local.raw[i] > AWAY * (p[i] - u.low[i]):
            return True
        if abs(u.high[i] - end[i]) < END and local.raw[i] > AWAY * (u.high[i] - p[i]):
            return True
    return False


@njit(**PART)
def observe(kernels, q, p, trail, count):
    """Named results at p on doubled nodes (row FINE) and by how much doubling moved each (row BLUR)."""
    late = False
    for l in range(len(q.loops)):
        late |= q.loops[l, LATE] == 1
    copy(p, q.place, len(p))
    status = arranged(kernels, q, p, GENEROUS, PANEL_TOLERANCE)
    if status == OK and late:
        status = arranged(kernels, q, p, FINISH, PANEL_TOLERANCE)
    if status == OK:
        status = arranged(kernels, q, p, BASE, PANEL_TOLERANCE)
    if status != OK:
        return status
    call(kernels.values, p, q.x, q.w, q.off, q.scr, q.out)
    copy(q.out, trail[COARSE], count)
    copy(q.out, trail[FINE], count)
    for i in range(count):
        trail[BLUR, i] = 0.0
    for l in range(-1, len(q.loops)):
        if l >= 0 and not q.loops[l, NESTED]:
            continue
        status = arranged(kernels, q, p, DOUBLE if l < 0 else l, PANEL_TOLERANCE)
        if status != OK:
            return status
        call(kernels.values, p, q.x, q.w, q.off, q.scr, q.out)
        if l < 0:
            copy(q.out, trail[FINE], count)
        for i in range(count):
            trail[BLUR, i] += abs(q.out[i] - trail[COARSE, i])
    return OK


@njit(**PART)
def judge(trail, values, seen):
    """Take each result where it has moved least so far, or as infinite where it runs on; returns whether one is still followed."""
    following = False
    for i in range(len(values)):
        if seen == 0:
            values[i], trail[BEFORE, i], trail[MOVE, i], trail[ERROR, i], following = trail[FINE, i], trail[FINE, i], 0.0, math.inf, True
            continue
        least = trail[ERROR, i]
        if least < 0.0:
            continue
        new, before = trail[FINE, i], trail[MOVE, i]
        move, unit = new - trail[BEFORE, i], max(1.0, abs(new))
        error = (abs(move) + trail[BLUR, i]) / unit
        trail[BEFORE, i], trail[MOVE, i] = new, move
        if seen > 1 and move * before > 0.0 and abs(move) > RUNS_ON * abs(before) and least > LEAST and abs(move) > 10.0 * trail[BLUR, i]:
            values[i], trail[ERROR, i] = math.copysign(math.inf, move), -STILL
        elif error < STILL:
            values[i], trail[ERROR, i] = new, -STILL
        elif error <= least:
            values[i], trail[ERROR, i], following = new, error, True
        elif abs(values[i]) < math.inf:
            trail[ERROR, i] = -min(error if error == error else math.inf, LOST * least)
        else:  # no number so far
            values[i], following = new, True
    return following


@njit(**PART)
def limits(kernels, q, u, p, local, trail, info, values):
    """Results at the end that p has run to, with measured residual and error; p becomes the nearest point looked at.

    The residual is how far one sweep of the map moves an overlap, in the overlap's own units.
    """
    end, count, n = local.base, len(values), len(u.kinds)
    copy(p, end, len(p))
    seen, distance, going = 0, FARTHEST, True
    while going and distance > NEAREST:
        copy(p, local.spare, len(p))
        good = place_near(u, end, p, distance) and allowed(kernels, q, p, 0.0)
        if good:
            status = look(kernels, q, u, p, local, PANEL_TOLERANCE)
            good = status == OK and replace(kernels, q, u, p, local, 1)[0]
            if good:
                status = look(kernels, q, u, p, local, PANEL_TOLERANCE)  # overlaps, now that the conjugates are those of this distance
                good = status == OK
                if good and leaves(u, end, p, local):
                    return STALLED
            if good:
                status = observe(kernels, q, p, trail, count)
                good = status == OK
            if status == CAPACITY and (seen < ENOUGH or q.panels.shape[1] < MOST_PANELS):
                return status
        if good:
            going = judge(trail, values, seen)
            seen += 1
        else:
            copy(local.spare, p, len(p))
        distance *= CLOSER
    if seen < ENOUGH:  # no way there but the map's own: two sweeps of it
        copy(end, p, len(p))
        for seen in range(ENOUGH):
            for half in range(2 if seen > 0 else 0):
                status = look(kernels, q, u, p, local, PANEL_TOLERANCE)
                if status != OK or not replace(kernels, q, u, p, local, 1 - half)[0]:
                    return status if status != OK else AT_END
            status = observe(kernels, q, p, trail, count)
            if status != OK:
                return status
            judge(trail, values, min(seen, 1))
    status = look(kernels, q, u, p, local, PANEL_TOLERANCE)
    if status != OK:
        return status
    residual = 0.0
    for i in range(n):
        if u.conjugate[i] == 0:
            residual = max(residual, abs(local.raw[i]) / max(1.0, abs(p[i])))
    info[RESIDUAL_AT], info[ERROR_AT] = residual, residual
    for i in range(count):
        if abs(values[i]) < math.inf:
            info[ERROR_AT] = max(info[ERROR_AT], abs(trail[ERROR, i]))
    return AT_END
