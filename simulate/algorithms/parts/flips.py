"""Metropolis moves of single weights of few values, on copies of a system that gather around a common center."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _gathered(gamma, levels, total, squares, copies):
    """log sum_c exp(-gamma/2 sum_r (w_r - c)^2) over the values c of a center; `total` and `squares` are sums over the copies of a weight.

    For weights of signs that is log 2cosh(gamma sum_r w_r) and a constant.
    """
    largest = -np.inf
    for c in levels:
        largest = max(largest, c * total - 0.5 * copies * c * c)
    found = 0.0
    for c in levels:
        found += np.exp(gamma * (c * total - 0.5 * copies * c * c - largest))
    return gamma * (largest - 0.5 * squares) + np.log(found)


@njit(cache=True, nogil=True)
def _pull(gamma, levels, weights, i, old, new):
    """What the center adds to the log-weight where one copy of weight i moves from old to new."""
    copies = len(weights)
    if copies == 1:
        return 0.0
    total, squares = 0.0, 0.0
    for r in range(copies):
        total += weights[r, i]
        squares += weights[r, i] ** 2
    after = _gathered(gamma, levels, total + new - old, squares + new * new - old * old, copies)
    return after - _gathered(gamma, levels, total, squares, copies)


@njit(cache=True, nogil=True)
def samples(columns, margin, levels, order, luck, choice, beta, gamma, weights, fields, violated):
    """A proposal for every weight of every copy, in place; ends early where a copy meets all samples.

    Args:
        columns: (d, n), inputs times labels.
        order: places r d + i of weight i of copy r; luck, choice: as many numbers in [0, 1), which moves are taken and where to.
        weights: (y, d); fields: (y, n), their sums over the columns; violated: (y,) how many of these are below the margin.
    """
    d, n, others = weights.shape[1], columns.shape[1], len(levels) - 1
    for k in range(len(order)):
        r, i = order[k] // d, order[k] % d
        old, column, own = weights[r, i], columns[i], fields[r]
        new = levels[(np.searchsorted(levels, old) + 1 + int(choice[k] * others)) % (others + 1)]
        step, count = new - old, 0
        for m in range(n):
            count += own[m] + step * column[m] < margin
        weighed = beta * (violated[r] - count) + _pull(gamma, levels, weights, i, old, new)
        if weighed < 0.0 and luck[k] >= np.exp(weighed):
            continue
        for m in range(n):
            own[m] += step * column[m]
        weights[r, i], violated[r] = new, count
        if count == 0:
            return


@njit(cache=True, nogil=True)
def clauses(clause, sign, first, levels, order, luck, beta, gamma, weights, met, violated):
    """The same for the clauses of a formula.

    Args:
        clause, sign: (E,) clause and sign of each place where a weight stands, sorted by weights; first: (d + 1,) where each begins.
        met: (y, n) how many literals of a clause are right.
    """
    d = weights.shape[1]
    for k in range(len(order)):
        r, i = order[k] // d, order[k] % d
        old, change = weights[r, i], 0
        for e in range(first[i], first[i + 1]):
            if sign[e] == old:
                change += met[r, clause[e]] == 1
            else:
                change -= met[r, clause[e]] == 0
        weighed = -beta * change + _pull(gamma, levels, weights, i, old, -old)
        if weighed < 0.0 and luck[k] >= np.exp(weighed):
            continue
        for e in range(first[i], first[i + 1]):
            met[r, clause[e]] += -1 if sign[e] == old else 1
        weights[r, i] = -old
        violated[r] += change
        if violated[r] == 0:
            return
