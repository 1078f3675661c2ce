"""Coordinates in which a step cannot leave the domain: x itself, the log of a distance to an end, or the log ratio of two.

The equations are compared in the same coordinates, log x = log G(x), so that unknowns of any size weigh alike and a map
that is a power law is solved in one Newton step.
"""

from __future__ import annotations

import math

from numba import njit

from numerics.layout import ABOVE, BELOW, REAL
from numerics.methods.raw import PART

SMALL = 1e-6  # below it an unknown of either sign is compared absolutely
END = 1e-14  # this near to an end, or this near to infinity, counts as there


@njit(**PART)
def within(kind, low, high, x):
    """Whether x lies in the open domain; false for NaN."""
    return abs(x) < math.inf and (kind == REAL or kind == BELOW or x > low) and (kind == REAL or kind == ABOVE or x < high)


@njit(**PART)
def chart(kind, low, high, x):
    if kind == REAL:
        return x
    if kind == ABOVE:
        return math.log(x - low)
    if kind == BELOW:
        return -math.log(high - x)
    return math.log((x - low) / (high - x))


@njit(**PART)
def slope(kind, low, high, x):
    """d chart / d x."""
    if kind == REAL:
        return 1.0
    if kind == ABOVE:
        return 1.0 / (x - low)
    if kind == BELOW:
        return 1.0 / (high - x)
    return (high - low) / ((x - low) * (high - x))


@njit(**PART)
def shift(kind, low, high, x, du):
    """The point du further along the chart; written so that a small du loses no digits."""
    if kind == REAL:
        return x + du
    if kind == ABOVE:
        return x + (x - low) * math.expm1(du)
    if kind == BELOW:
        return x - (high - x) * math.expm1(-du)
    if du < 0:
        return x + (x - low) * (high - x) * math.expm1(du) / ((high - x) + (x - low) * math.exp(du))
    return x - (x - low) * (high - x) * math.expm1(-du) / ((x - low) + (high - x) * math.exp(-du))


@njit(**PART)
def size(kind, x, y):
    """What a chart distance between x and y is measured in; 1 where the chart is a logarithm."""
    return max(abs(x), abs(y), SMALL) if kind == REAL else 1.0


@njit(**PART)
def unit(kind, x):
    """What an error of x is relative to."""
    return max(abs(x), SMALL) if kind == REAL else max(abs(x), 1e-300)


@njit(**PART)
def at_end(kind, low, high, x):
    if kind != REAL and kind != BELOW and x - low < END:
        return True
    if kind != REAL and kind != ABOVE and high - x < END:
        return True
    return abs(x) > 1.0 / END
