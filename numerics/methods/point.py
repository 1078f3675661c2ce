"""One point: come near, Newton, then the doubling test that decides whether the nodes were enough."""

from __future__ import annotations

import math

from numba import njit

from numerics.grid import OK, copy
from numerics.layout import (
    ADAPT,
    ADOPT,
    BASE,
    DOUBLE,
    EDGES,
    ERROR_AT,
    FINISH,
    GENEROUS,
    LATE,
    NESTED,
    NODES_AT,
    RESIDUAL_AT,
    STEPS_AT,
    WORTHLESS,
)
from numerics.methods.anderson import anderson
from numerics.methods.charts import unit
from numerics.methods.end import limits
from numerics.methods.fixed_point import iterate
from numerics.methods.linear import substitute
from numerics.methods.newton import newton
from numerics.methods.raw import PART, call
from numerics.methods.state import arranged, distance, effort, evaluate, move
from numerics.quadrature import PANEL_TOLERANCE, SPILLS
from numerics.status import AT_END, CAPACITY, CONVERGED, EXHAUSTED, LEFT_DOMAIN, LIMITED, MAX_STEPS, QUADRATURE, SINGULAR, STALLED

RESIDUAL = 1e-12
EPSILON = 2.220446049250313e-16
ROUNDS = 12
STILL = 1e-12  # a step this short on doubled nodes is not taken, and needs no further evaluation
SMALL = 1e-3  # times the tolerance: a residual this small is good enough for who asks for little, also where noise holds it above rounding
DETOURS = 4
ACCELERATED, ACCELERATED_STEPS = 1e-9, 200  # mismatch from which Newton takes over: past a fold it becomes small long before a solution
VALUES_ROUNDS = 16  # each round doubles the one loop that moves results most
VALUES_TOLERANCE = 1e-10  # move of a result at the last doubling; the doubled nodes are far better than that


@njit(**PART)
def newton_step(kernels, q, u, p, local):
    """One undamped step at the current nodes, p moved where the step is short.

    Returns (status, relative residual before, length in charts, largest change relative to the unknowns, largest change
    relative or in an overlap's own units, whether p was settled before).
    """
    status, _mismatch, worst, regular = evaluate(kernels, q, u, p, local)
    if status != OK:
        return status, worst, math.inf, math.inf, math.inf, False
    if not regular:
        return SINGULAR, worst, math.inf, math.inf, math.inf, False
    n = len(u.kinds)
    settled = True
    for i in range(n):
        # a term of size s is good to eps s: what the residual cannot fall below
        total = abs(p[i])
        for j in range(n):
            total += abs(((1.0 if i == j else 0.0) - local.raw[n + i * n + j]) * p[j])
        local.floor[i] = 4.0 * EPSILON * total
        settled &= abs(local.raw[i]) <= max(RESIDUAL * unit(u.kinds[i], p[i]), 2.0 * local.floor[i])
        local.step[i] = -local.mismatch[i]
    substitute(local.lu, local.pivots, local.step)
    longest = distance(u, p, local.step)
    if not longest < 1.0 or not move(u, p, local.step, 1.0, local.trial):
        return OK, worst, math.inf, math.inf, math.inf, settled
    relative, own = 0.0, 0.0
    for i in range(n):
        change = abs(local.trial[i] - p[i])
        relative = max(relative, change / unit(u.kinds[i], p[i]))
        if u.conjugate[i] == 0:
            own = max(own, change)
    return OK, worst, longest, relative, max(relative, own), settled


@njit(**PART)
def rounding(u, p, local):
    """Rounding error of the solution: that of each equation, carried over by the inverse Jacobian.

    Returns (largest relative to an unknown, largest relative or in an overlap's own units).
    """
    n, errors, column = len(u.kinds), local.spare, local.step
    for i in range(n):
        errors[i] = 0.0
    for j in range(n):
        for i in range(n):
            column[i] = 1.0 if i == j else 0.0
        substitute(local.lu, local.pivots, column)
        for i in range(n):
            errors[i] += abs(column[i]) * local.floor[j] * local.slopes[j] / local.slopes[i]
    relative, own = 0.0, 0.0
    for i in range(n):
        relative = max(relative, errors[i] / unit(u.kinds[i], p[i]))
        if u.conjugate[i] == 0:
            own = max(own, errors[i])
    return relative, max(relative, own)


@njit(**PART)
def check(kernels, q, u, p, local, tol, first):
    """The doubling test: loops of depth 0 doubled together, then each nested loop alone, one Newton step each.

    Where panels are too coarse, or leave mass out, they are chosen anew if this is the `first` test (they may be those of an earlier
    point); else those too coarse are doubled for good.  Returns (status, relative error, error in own units, residual): the residual is
    infinite unless the one evaluation on doubled nodes shows that nothing needs to be moved.
    """
    loops, inner, relative, own = len(q.loops), 0, 0.0, 0.0
    for l in range(loops):
        inner += q.loops[l, NESTED]
    part = tol / (1 + inner)
    if first and arranged(kernels, q, p, EDGES, PANEL_TOLERANCE) == SPILLS:
        return arranged(kernels, q, p, ADAPT, PANEL_TOLERANCE), math.inf, math.inf, math.inf
    for l in range(-1, loops):
        if l >= 0 and not q.loops[l, NESTED]:
            continue
        request = DOUBLE if l < 0 else l
        status = arranged(kernels, q, p, request, PANEL_TOLERANCE)
        if status != OK:
            return status, math.inf, math.inf, math.inf
        status, worst, longest, change, shown, settled = newton_step(kernels, q, u, p, local)
        if status != OK:
            return status, math.inf, math.inf, math.inf
        relative, own = relative + change, own + shown
        if inner == 0 and settled and change <= STILL:
            return OK, change, shown, worst
        if longest < 1.0:
            copy(local.trial, p, len(u.kinds))
        if not change <= part and not (settled and change <= 2.0 * rounding(u, p, local)[0]):
            if l < 0 and first:
                return arranged(kernels, q, p, ADAPT, PANEL_TOLERANCE), math.inf, math.inf, math.inf
            status = arranged(kernels, q, p, ADOPT + request, PANEL_TOLERANCE)
            if status != OK:
                return status, math.inf, math.inf, math.inf
    return OK, relative, own, math.inf


@njit(**PART)
def finish(kernels, q, u, p, local, tol, relative, info, known):
    """Residual of the undamped map at p, polished by up to three more steps at the nodes of the test unless it is known to be small."""
    status = STALLED if known == math.inf else CONVERGED
    info[RESIDUAL_AT] = known
    for attempt in range(4 if known == math.inf else 0):
        reached, worst, longest, _relative, _own, settled = newton_step(kernels, q, u, p, local)
        if reached != OK:
            return reached
        info[RESIDUAL_AT] = worst
        if settled or worst <= SMALL * tol:
            status = CONVERGED
            break
        if attempt < 3 and longest < 1.0:
            copy(local.trial, p, len(u.kinds))
            info[STEPS_AT] += 1
    blur, own = rounding(u, p, local)
    info[ERROR_AT] += own
    if status == CONVERGED and not relative + blur <= tol:
        return LIMITED if relative + blur < WORTHLESS else STALLED
    return status


@njit(**PART)
def moved(source, values):
    """Largest difference relative to max(1, |value|); a result that is no number is left to speak for itself."""
    largest = 0.0
    for i in range(len(values)):
        largest = max(largest, abs(source[i] - values[i]) / max(1.0, abs(values[i])))
    return largest


@njit(**PART)
def evaluate_values(kernels, q, p, values, rounds):
    """The named results at p, on nodes that double at most `rounds` times until none moves; they may have integrals of their own.

    Begins with the doubled nodes that are there.  Returns (OK or CAPACITY, largest move at the last doubling).
    """
    nested = late = False
    for l in range(len(q.loops)):
        late |= q.loops[l, LATE] == 1
        nested |= q.loops[l, NESTED] == 1
    if late and arranged(kernels, q, p, FINISH, PANEL_TOLERANCE) == CAPACITY:
        return CAPACITY, math.inf
    for attempt in range(0 if nested else 2):
        call(kernels.values, p, q.x, q.w, q.off, q.scr, q.out)
        copy(q.out, values, len(values))
        if q.place[len(p)] <= VALUES_TOLERANCE:  # seen already on these panels
            return OK, q.place[len(p)]
        if arranged(kernels, q, p, BASE, PANEL_TOLERANCE) != OK:
            return CAPACITY, math.inf
        call(kernels.values, p, q.x, q.w, q.off, q.scr, q.out)
        worst = q.place[len(p)] = moved(q.out, values)
        if worst <= VALUES_TOLERANCE:
            return OK, worst
        if attempt == 0:
            if arranged(kernels, q, p, GENEROUS, PANEL_TOLERANCE) != OK or arranged(kernels, q, p, DOUBLE, PANEL_TOLERANCE) != OK:
                return CAPACITY, math.inf
    worst = math.inf
    for _ in range(rounds):
        if not q.left[0] > 0.0:
            break
        if arranged(kernels, q, p, BASE, PANEL_TOLERANCE) != OK:
            return CAPACITY, math.inf
        call(kernels.values, p, q.x, q.w, q.off, q.scr, q.out)
        copy(q.out, values, len(values))
        before, worst, largest, guilty = worst, 0.0, 0.0, DOUBLE
        for l in range(-1, len(q.loops)):
            if l >= 0 and not q.loops[l, NESTED]:
                continue
            request = DOUBLE if l < 0 else l
            if arranged(kernels, q, p, request, PANEL_TOLERANCE) != OK:
                return OK, before  # as far as the buffers reach; the error says how good that is
            call(kernels.values, p, q.x, q.w, q.off, q.scr, q.out)
            q.left[0] -= effort(q)
            move = moved(q.out, values)
            worst += move  # each loop's own share of the error
            if move > largest:
                largest, guilty = move, request
            if l < 0:
                copy(q.out, values, len(values))
        if worst <= VALUES_TOLERANCE or arranged(kernels, q, p, ADOPT + guilty, PANEL_TOLERANCE) != OK:
            break
    return OK, worst


@njit(**PART)
def solve_point(kernels, q, u, p, local, tol, sweeps, limit, info, values, trail):
    """Solve at the controls in p from the unknowns in p.

    `sweeps` > 0 forgets the nodes and sweeps the plain map at most so many times before Newton takes over.
    Afterwards local.raw holds residual, Jacobian and control derivatives at p, and `values` the values.
    """
    info[STEPS_AT], info[RESIDUAL_AT], info[ERROR_AT] = 0.0, math.inf, math.inf
    copy(p, local.trial, len(p))
    copy(p, local.begin, len(p))
    status, detours, target, known, relative = QUADRATURE, 0, 1e-2, math.inf, 0.0
    fallback, first = sweeps > 0, True
    for _ in range(ROUNDS):
        reached = OK
        if q.place[0] == q.place[0]:
            reached = arranged(kernels, q, p, BASE, PANEL_TOLERANCE)
        if sweeps > 0 and reached == OK:
            reached = iterate(kernels, q, u, p, local, target, sweeps)
            sweeps = 0
            q.place[0] = math.nan  # panels were chosen roughly
        if reached == OK or reached == MAX_STEPS:
            reached, steps = newton(kernels, q, u, p, local, limit)
            info[STEPS_AT] += steps
            if (reached == LEFT_DOMAIN or reached == SINGULAR) and detours < DETOURS:
                detours += 1
                sweeps, target = 8 << detours, 1e-3
                continue
        if fallback and (reached == LEFT_DOMAIN or reached == SINGULAR or reached == MAX_STEPS):
            fallback = False
            copy(local.begin, p, len(p))
            reached, steps = anderson(kernels, q, u, p, local, ACCELERATED, ACCELERATED_STEPS)
            info[STEPS_AT] += steps
            if reached == OK:
                reached, steps = newton(kernels, q, u, p, local, limit)
                info[STEPS_AT] += steps
        if reached == OK:
            reached, relative, info[ERROR_AT], known = check(kernels, q, u, p, local, tol, first)
            first = False
            if reached == OK and not relative <= max(tol, 3.0 * rounding(u, p, local)[0]):
                continue
        status = reached
        break
    if status == AT_END:
        # charts have no fixed point here; a plain sweep that moves no overlap is the test instead
        status = iterate(kernels, q, u, p, local, 0.0, 3)
        if status == AT_END:
            status = limits(kernels, q, u, p, local, trail, info, values)
            info[NODES_AT] = q.off[len(q.loops)]
            return status
        if status != CAPACITY:
            status = STALLED
    elif status == OK:
        status = finish(kernels, q, u, p, local, tol, relative, info, known)
    if status != CAPACITY and status != EXHAUSTED:
        reached, error = evaluate_values(kernels, q, p, values, VALUES_ROUNDS)
        info[NODES_AT] = q.off[len(q.loops)]
        if reached == CAPACITY:
            return CAPACITY
        if error > VALUES_TOLERANCE:
            info[ERROR_AT] = max(info[ERROR_AT], error)
    return status


