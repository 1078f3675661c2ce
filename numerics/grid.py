"""Nodes and weights of a kernel's loops as they stand: panels of 16 Gauss-Legendre nodes outside, uniform rules inside."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from numerics.layout import COUNT, DOUBLE, FIELD, INSIDE, LINE, NESTED, ORDER, RAY, RULE, SIZE, UNIT
from numerics.methods.raw import PART
from numerics.special.library import vexp
from numerics.status import CAPACITY

NODES, WEIGHTS = np.polynomial.legendre.leggauss(ORDER)
WEIGHTS = WEIGHTS / 2  # of a panel of width one; they sum to one
WINDOW = 9.0  # the normal density beyond holds 2e-19
OK = 0


@njit(**PART)
def copy(source, target, count):
    """target[:count] = source[:count]; a slice assignment would compile numba's shape errors, seconds of them."""
    for i in range(count):
        target[i] = source[i]


@njit(**PART)
def fill_panel(rule, a, b, x, w, k):
    """Write the 16 nodes of the panel [a, b] from position k on."""
    width, middle = b - a, 0.5 * (a + b)
    places, weights = x[k : k + ORDER], w[k : k + ORDER]  # where an index might be negative, no loop is vectorised
    for i in range(ORDER):
        places[i] = middle + 0.5 * width * NODES[i]
    if rule == LINE:
        for i in range(ORDER):
            weights[i] = width * WEIGHTS[i] * vexp(-0.5 * places[i] * places[i]) * 0.3989422804014327
    else:
        for i in range(ORDER):
            weights[i] = width * WEIGHTS[i]


@njit(**PART)
def fill_uniform(rule, size, x, w, k):
    """Write a nested loop of the given size from position k on; returns how many nodes it has."""
    if rule == LINE:
        h = 2 * WINDOW / (size - 1)
        places, weights = x[k : k + size], w[k : k + size]
        for i in range(size):
            places[i] = -WINDOW + h * i
            weights[i] = h * vexp(-0.5 * places[i] * places[i]) * 0.3989422804014327
        return size
    if rule == UNIT or rule == RAY:
        for i in range(size):
            fill_panel(rule, i / size, (i + 1) / size, x, w, k + ORDER * i)
        return ORDER * size
    if rule == FIELD:
        h = math.sqrt(4.0 * math.pi / size)
        for i in range(size):
            x[k + i], w[k + i] = h * (i - 0.5 * (size - 1)), h
        return size
    for i in range(size):
        x[k + i], w[k + i] = float(i), 1.0
    return size


@njit(**PART)
def length(rule, nested, size):
    """Number of nodes of a loop."""
    return ORDER * size if rule == UNIT or rule == RAY or (rule == LINE and not nested) else size


@njit(**PART)
def double(rule, nested, size):
    """Next finer size; the trapezoid on a window keeps its nodes, the one on the whole line grows as much in width as in density."""
    return 2 * size - 1 if rule == LINE and nested else 2 * size


@njit(**PART)
def build(loops, panels, refine, x, w, off):
    """Stack the nodes of all loops, some doubled.  Returns OK, or CAPACITY where the arrays are too short."""
    k = 0
    for l in range(len(loops)):
        rule, nested, size = loops[l, RULE], loops[l, NESTED] == 1, loops[l, SIZE]
        fine = refine == l or (refine == DOUBLE and not nested)
        paneled = rule != COUNT and not nested
        off[l] = k
        if fine and not paneled:
            size = double(rule, nested, size)
        if k + length(rule, nested, 2 * size if fine and paneled else size) > len(x):
            return CAPACITY
        if not paneled:
            k += fill_uniform(rule, size, x, w, k)
            continue
        parts = 2 if fine else 1
        for j in range(size * parts):
            a, b = panels[l, j // parts, 0], panels[l, j // parts, 1]
            h = (b - a) / parts
            left = a + h * (j % parts)
            fill_panel(rule, left, left + h, x, w, k)
            k += ORDER
    off[len(loops)] = k
    return OK


@njit(**PART)
def adopt(loops, panels, refine):
    """Make a refinement of `build` permanent.  Returns OK, or CAPACITY where the panels do not fit."""
    for l in range(len(loops)):
        rule, nested, size = loops[l, RULE], loops[l, NESTED] == 1, loops[l, SIZE]
        if not (refine == l or (refine == DOUBLE and not nested)):
            continue
        if not nested and rule != COUNT:
            if 2 * size > panels.shape[1]:
                return CAPACITY
            for j in range(size):
                a, b = panels[l, j, 0], panels[l, j, 1]
                c = 0.5 * (a + b)
                panels[l, j, 1] = c
                panels[l, size + j, 0], panels[l, size + j, 1] = c, b
        loops[l, SIZE] = double(rule, nested, size)
    return OK


@njit(**PART)
def frame(loops, l, block, x, w, off):
    """Stack nodes for probing loop l: `block` places for l, loops inside l in full, one node elsewhere."""
    k = 0
    for j in range(len(loops)):
        off[j] = k
        reads = loops[j, INSIDE + l] == 1
        size = block if j == l else length(loops[j, RULE], True, loops[j, SIZE]) if reads else 1
        if k + size > len(x):
            return CAPACITY
        if reads:
            fill_uniform(loops[j, RULE], loops[j, SIZE], x, w, k)
        elif j != l:
            x[k], w[k] = 0.5, 1.0
        k += size
    off[len(loops)] = k
    return OK
