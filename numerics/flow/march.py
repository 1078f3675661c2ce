"""Adaptive integration of a compiled flow over one phase, stopping at every time of output.

Compiled once per installation; the rates of a flow come in as the address of their code.

The tableau (Dormand and Prince, order 8 with errors of orders 5 and 3) comes in as an array, from scipy.integrate.DOP853.
"""

# mypy: ignore-errors

from __future__ import annotations

import math

from numba import njit

from numerics.methods.raw import PART, call, matrix, vector, whole

STAGES = 12
SLOTS = 21
(
    STATE, PARAMETERS, SCRATCH, SIZES, TIMES, STATES, RESULTS, TABLEAU, INFO, WORK,
    N_STATE, N_MOVING, N_PARAMETERS, N_SCRATCH, N_SIZES, N_TIMES, N_RESULTS, N_TABLEAU, MOST, RATES, READ,
) = range(SLOTS)  # fmt: skip
DONE, DIVERGED, TOO_MANY, TOO_SMALL = range(4)
T, H, STEPS, CALLS = range(4)  # places in INFO: time reached, next step, steps and evaluations so far
HUGE = 1e12  # an overlap beyond this has diverged
SAFETY, LEAST, LARGEST, POWER = 0.9, 0.2, 10.0, -1.0 / 8.0


@njit(**PART)
def sound(x, count):
    """Whether all of x[:count] are finite and of reasonable size."""
    for i in range(count):
        if not abs(x[i]) < HUGE:
            return False
    return True


@njit(**PART)
def attempt(rates, p, w, n, a, stages, x, new, h, count):
    """One step of length h from x, whose rates are in stages[0]: the end in new, its rates in stages[STAGES]."""
    for s in range(1, STAGES + 1):
        row = s * STAGES if s < STAGES else STAGES * STAGES
        for i in range(count):
            total = 0.0
            for r in range(s):
                total += a[row + r] * stages[r, i]
            new[i] = x[i] + h * total
        call(rates, new, p, w, n, w, stages[s])


@njit(**PART)
def error_of(a, stages, x, new, h, count, tolerance):
    """Estimated error over tolerance."""
    first, second = STAGES * (STAGES + 1), STAGES * (STAGES + 1) + STAGES + 1
    five, three = 0.0, 0.0
    for i in range(count):
        e3, e5 = 0.0, 0.0
        for r in range(STAGES + 1):
            e3 += a[first + r] * stages[r, i]
            e5 += a[second + r] * stages[r, i]
        scale = tolerance * (1.0 + max(abs(x[i]), abs(new[i])))
        five += (e5 / scale) ** 2
        three += (e3 / scale) ** 2
    if five == 0.0 and three == 0.0:
        return 0.0
    return abs(h) * five / math.sqrt((five + 0.01 * three) * count)


@njit(**PART)
def first_step(stages, x, count, tolerance, left):
    """A step over which the state moves by a hundredth."""
    speed = 0.0
    for i in range(count):
        speed = max(speed, abs(stages[0, i]) / (1.0 + abs(x[i])))
    return min(left, 0.01 / speed) if speed > 0.0 else left


@njit(**PART)
def march(table, tolerance):
    """Integrate; the table holds addresses and lengths (module constants).  Returns how it ended."""
    q = whole(table, SLOTS)
    rates = q[RATES]
    count, total = q[N_MOVING], q[N_STATE]
    x, p = vector(q[STATE], total), vector(q[PARAMETERS], q[N_PARAMETERS])
    w, n = vector(q[SCRATCH], q[N_SCRATCH]), whole(q[SIZES], q[N_SIZES])
    times, states = vector(q[TIMES], q[N_TIMES]), matrix(q[STATES], q[N_TIMES], total)
    read = matrix(q[RESULTS], q[N_TIMES], q[N_RESULTS])
    a, info = vector(q[TABLEAU], q[N_TABLEAU]), vector(q[INFO], 4)
    stages, new = matrix(q[WORK], STAGES + 1, total), vector(q[WORK] + 8 * (STAGES + 1) * total, total)
    for i in range(total):
        new[i] = x[i]
    t, h = info[T], info[H]
    call(rates, x, p, w, n, w, stages[0])
    info[CALLS] += 1
    if not sound(stages[0], count):
        return DIVERGED
    for k in range(q[N_TIMES]):
        while t < times[k]:
            left = times[k] - t
            if h <= 0.0:
                h = first_step(stages, x, count, tolerance, left)
            use = left if h >= left * 0.999999 else h
            if use <= 4e-16 * abs(t) and use < left:
                return TOO_SMALL
            if info[STEPS] >= q[MOST]:
                return TOO_MANY
            attempt(rates, p, w, n, a, stages, x, new, use, count)
            info[STEPS] += 1
            info[CALLS] += STAGES
            if not (sound(new, count) and sound(stages[STAGES], count)):
                h = use * LEAST
                if h <= 1e-10 * (1.0 + abs(t)):
                    return DIVERGED
                continue
            error = error_of(a, stages, x, new, use, count, tolerance)
            factor = LARGEST if error == 0.0 else min(LARGEST, max(LEAST, SAFETY * error**POWER))
            if error > 1.0:
                h = use * min(1.0, factor)
                continue
            for i in range(count):
                x[i] = new[i]
                stages[0, i] = stages[STAGES, i]
            if use < left:
                t += use
                h = use * factor
            else:
                t = times[k]
                h = max(h, use * factor)
            info[T], info[H] = t, h
        for i in range(total):
            states[k, i] = x[i]
        call(q[READ], x, p, w, n, w, read[k])
    info[T], info[H] = t, h
    return DONE
