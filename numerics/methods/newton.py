"""Newton's method in charts with the exact Jacobian, shortened so that it stays inside the domain."""

from __future__ import annotations

import math

from numba import njit

from numerics.grid import OK, copy
from numerics.methods.fixed_point import ends
from numerics.methods.linear import substitute
from numerics.methods.raw import PART
from numerics.methods.state import allowed, distance, evaluate, move, remember
from numerics.status import AT_END, CAPACITY, LEFT_DOMAIN, MAX_STEPS, SINGULAR

NEAR = 1e-7  # a step this long leaves an error of its square
LONGEST = 1.5  # in charts: a factor e^1.5
REJECTIONS = 5


@njit(**PART)
def newton(kernels, q, u, p, local, limit):
    """Iterate until a step is shorter than NEAR; p is the result, or the best point met.  Returns (status, steps)."""
    merit, rejected, part, trial = math.inf, 0, 1.0, local.trial
    copy(p, trial, len(p))
    for steps in range(limit):
        status, mismatch, _worst, regular = evaluate(kernels, q, u, p, local)
        if status == CAPACITY:
            return status, steps
        if status != OK or not mismatch <= 2.0 * merit:
            rejected += 1
            if merit == math.inf or rejected > REJECTIONS:
                if merit < math.inf:
                    copy(local.base, p, len(p))
                return (status if status != OK else LEFT_DOMAIN), steps
            part *= 0.25
            move(u, local.base, local.spare, part, trial)
            copy(trial, p, len(p))
            continue
        if ends(u, p):
            return AT_END, steps
        if not regular:
            return SINGULAR, steps
        for i in range(len(u.kinds)):
            local.step[i] = -local.mismatch[i]
        substitute(local.lu, local.pivots, local.step)
        longest = distance(u, p, local.step)
        part = min(1.0, LONGEST / longest)
        remember(kernels, q, p)
        inside = False
        for _ in range(40):
            inside = move(u, p, local.step, part, trial) and allowed(kernels, q, trial, 0.1)
            if inside:
                break
            part *= 0.5
        if not inside:
            return LEFT_DOMAIN, steps
        copy(p, local.base, len(p))
        copy(local.step, local.spare, len(local.step))
        copy(trial, p, len(p))
        merit, rejected = mismatch, 0
        if longest < NEAR:
            return OK, steps + 1
    return MAX_STEPS, limit
