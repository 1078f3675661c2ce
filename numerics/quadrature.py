"""Nodes chosen for a kernel's integrals: adaptive panels outside, and sizes that the solver's test by doubling then judges.

A loop of depth 0 is filled with panels of 16 nodes, bisected while the 16- and 2x16-node values of the kernel's plain
integrals differ by more than PANEL_TOLERANCE of the total; the halves are kept, so the sum is far better than that.
A nested loop has one size for all values of the outer variables: trapezoid on the line, equal panels on [0, 1].
Both are only starting points: acceptance is the solver's doubling test (numerics.methods.point).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from numerics.grid import OK, WINDOW, adopt, build, copy, double, fill_panel, fill_uniform, frame
from numerics.layout import (
    ADAPT,
    ADOPT,
    BASE,
    COUNT,
    DOUBLE,
    EDGES,
    FINISH,
    FIRST_NESTED,
    GENEROUS,
    INSIDE,
    LATE,
    LINE,
    NESTED,
    ORDER,
    PROBES,
    RAY,
    RULE,
    SIZE,
    STACK,
)
from numerics.methods.raw import PART, call_numbered
from numerics.status import CAPACITY, NON_FINITE

TAIL = 13.0  # probed, and kept only where an integrand grows
BEYOND = np.array([TAIL, 18.0, 25.0, 37.0])  # looked at where it still matters there; further out the normal density is no number
MATTERS = 1e-14  # of an integral
NOTHING = 1e-30  # an integral that is smaller holds its mass far out because it vanishes, as the variance does at the end of a domain
NOISE, BRIEF = 1e-14, 0.5  # an integral this small beside another, and without a digit on panels so short, vanishes but for rounding
PANEL_TOLERANCE = 1e-7
UNCHANGED = 1e-7  # of the tolerance: halves that change less are not kept, their parent is
NEGLIGIBLE = 1e-17
MANY = 64  # panels beyond which nested loops are doubled to see whether fewer do then
FIRST_LINE = np.array([-TAIL, -WINDOW, -WINDOW / 2, 0.0, WINDOW / 2, WINDOW, TAIL])
FIRST_UNIT = np.array([0.0, 0.5, 1.0])
FIRST_RAY = np.array([0.0, 0.5, 1.0, 1.25])
LENGTHEN, RAYS = 1.25, 16  # by how much a ray goes on where it matters, and how often: 37 deviations are less, wherever it begins
SPILLS = -2  # the answer to EDGES where mass lies beyond the panels
ROUGH = -3  # there would be more panels than there may be
TOTAL, PARENT, FEATURES = range(3)  # rows of `work` below STACK
REACH = 4.0  # widths from the place of a feature within which it matters
RESOLVED = 6.0  # widths that a panel of 16 nodes may span where a feature is
MOST_FEATURES = PROBES // 2


@njit(**PART)
def adapt_count(probe, p, l, loops, x, w, off, scr, out, work):
    """Choose how many terms a counted loop of depth 0 takes: until its upper half adds nothing."""
    size = 32
    while True:
        size *= 2
        if frame(loops, l, size, x, w, off) != OK:
            return CAPACITY
        k, small = off[l], True
        fill_uniform(COUNT, size, x, w, k)
        for lower in range(2):
            m = call_numbered(probe, l, p, x, w, off, scr, out)
            for i in range(m):
                if not abs(out[i]) < math.inf:
                    return NON_FINITE
                if lower == 0:
                    work[TOTAL, i] = abs(out[i])
                else:
                    small &= abs(out[i]) <= NEGLIGIBLE * work[TOTAL, i]
            for i in range(size // 2):
                w[k + i] = 0.0
        if small:
            loops[l, SIZE] = size
            return OK


@njit(**PART)
def hides(features, known, a, b):
    """Whether halves of [a, b] could step over a feature: a place near the panel, with a width far below the panel's."""
    for i in range(0, known, 2):
        place, width = features[i], features[i + 1]
        near = a - REACH * width <= place and place <= b + REACH * width
        if near and 0.5 * (b - a) > RESOLVED * width:
            return True
    return False


@njit(**PART)
def matters(work, row, m):
    """Whether a panel holds a part of some integral that shows in its digits: 0 no, 1 only of one that is nothing so far, 2 yes."""
    found = 0
    for i in range(m):
        if abs(work[row, 2 + i]) > MATTERS * work[TOTAL, i]:
            found = max(found, 2 if work[TOTAL, i] > NOTHING else 1)
    return found


@njit(**PART)
def summed(work, pending, m):
    """Totals of the panels on the stack."""
    for i in range(m):
        work[TOTAL, i] = 0.0
        for row in range(STACK, STACK + pending):
            work[TOTAL, i] += abs(work[row, 2 + i])


@njit(**PART)
def adapt_panels(probe, p, l, tolerance, thrifty, most, loops, panels, x, w, off, scr, out, work):
    """Fill loop l of depth 0 with panels that resolve the kernel's integrals at the parameters p, at most `most` of them.

    The stack holds panels still to be judged: their ends and the probes' values on them.  One pass of the loop judges
    one panel against its halves, or, for the first few and those beyond them, only evaluates it.
    """
    if frame(loops, l, ORDER, x, w, off) != OK:
        return CAPACITY
    rule, k = loops[l, RULE], off[l]
    known = call_numbered(probe, len(loops) + l, p, x, w, off, scr, out)
    if known > 2 * MOST_FEATURES:
        return CAPACITY
    copy(out, work[FEATURES], known)
    first = FIRST_LINE if rule == LINE else FIRST_RAY if rule == RAY else FIRST_UNIT
    window = 1.0 if rule == RAY else WINDOW
    fresh, pending, kept, m, beyond = len(first) - 1, 0, 0, 0, True
    side, further, edge = (1 if rule == LINE else 0 if rule == RAY else -1), 0, STACK  # the outermost panel on the right, then on the left
    while fresh > 0 or side >= 0 or pending > 0:
        if fresh > 0:
            fresh -= 1
            a, b, halves, row = first[fresh], first[fresh + 1], 1, STACK + pending
        elif side >= 0:
            more = matters(work, edge, m)
            if more == 0 or not beyond or further == (RAYS if rule == RAY else len(BEYOND) - 1):
                if more == 2:
                    return CAPACITY  # the mass lies where no nodes are
                if more == 1:  # an integral that vanishes, wherever the little that is left of it lies
                    pending -= further
                    summed(work, pending, m)
                side, further, edge, beyond = side - 1, 0, STACK + len(first) - 2, True
                continue
            if rule == RAY:
                a = work[edge, 1]
                b = a * LENGTHEN
            else:
                a, b = BEYOND[further], BEYOND[further + 1]
                if side == 0:
                    a, b = -b, -a
            further += 1
            halves, row, edge = 1, STACK + pending, STACK + pending
        else:
            if kept > most:
                return ROUGH
            pending -= 1
            row, halves = STACK + pending, 2
            a, b = work[row, 0], work[row, 1]
            negligible = b <= -window or a >= window  # inside the window values may need what the residual does not
            for i in range(m):
                work[PARENT, i] = work[row, 2 + i]
                negligible &= abs(work[row, 2 + i]) <= NEGLIGIBLE * work[TOTAL, i]
            if negligible:
                continue
        if row + 2 > len(work) or kept + 2 > panels.shape[1]:
            return CAPACITY
        width = (b - a) / halves
        for half in range(halves):
            left = a + half * width
            work[row + half, 0], work[row + half, 1] = left, left + width
            fill_panel(rule, left, left + width, x, w, k)
            m = call_numbered(probe, l, p, x, w, off, scr, out)
            if m > PROBES:
                return CAPACITY
            for i in range(m):
                beyond &= abs(out[i]) < math.inf
                work[row + half, 2 + i] = out[i]
        if not beyond and (side < 0 or further == 0):
            return NON_FINITE
        if halves == 1:
            pending += 1
            if beyond:
                summed(work, pending, m)
            else:  # further out an integrand may be no number
                for i in range(m):
                    work[row, 2 + i] = work[TOTAL, i]
            continue
        settled = b - a < 1e-14
        fine, same = not hides(work[FEATURES], known, a, b), thrifty
        largest = 0.0
        for i in range(m):
            largest = max(largest, work[TOTAL, i])
        for i in range(m):
            lower, upper, whole = work[row, 2 + i], work[row + 1, 2 + i], work[PARENT, i]
            change = abs(lower + upper - whole)
            noise = b - a < BRIEF and work[TOTAL, i] <= NOISE * largest and change > 0.1 * (abs(lower) + abs(upper))
            fine &= change <= tolerance * work[TOTAL, i] or noise
            same &= change <= UNCHANGED * tolerance * work[TOTAL, i]
            work[TOTAL, i] += max(0.0, abs(lower) + abs(upper) - abs(whole))
        if fine and same:
            panels[l, kept, 0], panels[l, kept, 1] = a, b
            kept += 1
        elif settled or fine:
            for half in range(2):
                panels[l, kept, 0], panels[l, kept, 1] = work[row + half, 0], work[row + half, 1]
                kept += 1
        else:
            pending += 2
    loops[l, SIZE] = kept
    return OK


@njit(**PART)
def adapt(probe, p, l, tolerance, thrifty, loops, panels, x, w, off, scr, out, work):
    """Fill loop l of depth 0 with panels.

    Nested loops of their first size may be too coarse, which makes integrands rough: where there would be MANY panels these are doubled,
    and stay so if that is why.
    """
    finer = 0
    for j in range(len(loops)):
        if loops[j, INSIDE + l] == 1 and loops[j, RULE] == LINE and loops[j, SIZE] == FIRST_NESTED[LINE]:
            finer |= 1 << j
    if finer > 0:
        for attempt in range(2):
            status = adapt_panels(probe, p, l, tolerance, thrifty, MANY, loops, panels, x, w, off, scr, out, work)
            if status != ROUGH:
                return status
            for j in range(len(loops)):
                if finer >> j & 1:
                    loops[j, SIZE] = double(LINE, True, FIRST_NESTED[LINE]) if attempt == 0 else FIRST_NESTED[LINE]
    return adapt_panels(probe, p, l, tolerance, thrifty, panels.shape[1], loops, panels, x, w, off, scr, out, work)


@njit(**PART)
def spills(probe, p, l, loops, panels, x, w, off, scr, out, work):
    """Whether loop l of depth 0 has mass next to its outermost panels, which were chosen for other parameters.

    Panels are looked at, from the middle of the list on, only until they hold so much that what lies next to them cannot matter.
    """
    if frame(loops, l, ORDER, x, w, off) != OK:
        return CAPACITY
    rule, size, k, m, next_to = loops[l, RULE], loops[l, SIZE], off[l], 0, 1 if loops[l, RULE] == RAY else 2
    low = high = 0.0
    for j in range(size):
        low, high = min(low, panels[l, j, 0]), max(high, panels[l, j, 1])
    found = 0
    for j in range(next_to + size):
        if j >= next_to:
            panel = (j - next_to + size // 2) % size
            a, b = panels[l, panel, 0], panels[l, panel, 1]
        elif j == 0:
            a, b = high, high * FIRST_RAY[-1] if rule == RAY else high + (TAIL - WINDOW)
        else:
            a, b = low - (TAIL - WINDOW), low
        fill_panel(rule, a, b, x, w, k)
        m = call_numbered(probe, l, p, x, w, off, scr, out)
        for i in range(m):
            if not abs(out[i]) < math.inf:
                return SPILLS
            if j < next_to:
                work[STACK + j, 2 + i], work[TOTAL, i] = out[i], 0.0
            else:
                work[TOTAL, i] += abs(out[i])
        if j >= next_to:
            found = 0
            for side in range(next_to):
                found = max(found, matters(work, STACK + side, m))
            if found == 0:
                return OK
    return SPILLS if found == 2 else OK


@njit(**PART)
def arrange(probe, p, request, tolerance, loops, panels, x, w, off, scr, out, work):
    """Put nodes into x, w and off, as `request` asks; `probe` is a kernel's address.  Returns OK, CAPACITY, NON_FINITE or SPILLS."""
    status, refine = OK, request
    if request == EDGES:
        for l in range(len(loops)):
            line = loops[l, NESTED] == 0 and (loops[l, RULE] == LINE or loops[l, RULE] == RAY)
            if line and loops[l, SIZE] > 0 and status == OK:
                status = spills(probe, p, l, loops, panels, x, w, off, scr, out, work)
        return status
    if request == ADAPT or request == FINISH or request == GENEROUS:
        refine = DOUBLE if request == FINISH else BASE
        for l in range(len(loops)):
            late = loops[l, LATE] == 1
            if request == ADAPT and late and loops[l, NESTED] == 0:
                loops[l, SIZE] = 0
            elif status == OK and loops[l, NESTED] == 0 and late == (request == FINISH):
                if loops[l, RULE] == COUNT:
                    status = adapt_count(probe, p, l, loops, x, w, off, scr, out, work)
                else:
                    status = adapt(probe, p, l, tolerance, request == ADAPT, loops, panels, x, w, off, scr, out, work)
                    if late and status == NON_FINITE:  # the value says so itself
                        panels[l, 0, 0], panels[l, 0, 1], loops[l, SIZE], status = 0.0, 1.0, 1, OK
    elif request >= ADOPT + DOUBLE:
        status, refine = adopt(loops, panels, request - ADOPT), BASE
    return build(loops, panels, refine, x, w, off) if status == OK else status
