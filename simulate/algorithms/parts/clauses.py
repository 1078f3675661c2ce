"""Clauses on the signs of weights, and belief propagation on the sparse graph that they make.

The message of a clause is a field towards its literal, -log(1 - eta)/2, with eta the odds that all its other literals are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from numerics.special.library import sel, vexp, vlog
from simulate.algorithms.parts.signs import levels_of, refuse_levels
from simulate.draw import number
from simulate.instance import Instance, Unsupported

LARGEST = 1e4
"""Field of a message.  One of a literal that must be right stands for infinity: next to it fields are known to 1e-12, their rounding, and
others may add up to nearly as much before they are taken for as strong."""
SMALLEST = 1e-280  # odds below it are added up in logarithms


@njit(forceinline=True)
def _right(field):
    """(odds that a literal with this field towards it is right, that it is wrong), both to full precision."""
    decay = vexp(-2.0 * abs(field))
    likely, unlikely = 1.0 / (1.0 + decay), decay / (1.0 + decay)
    return sel(field > 0.0, likely, unlikely), sel(field > 0.0, unlikely, likely)


@njit(cache=True, nogil=True, error_model="numpy")
def _log_of_small(leak, towards, length, without):
    """log of the odds that a literal of a clause is right, or none and that is forgiven, where they are too small a number.

    Every literal is wrong then, and right with odds exp(2 field).

    Args:
        towards: fields towards the `length` literals, of which `without` (-1: none) does not count.
    """
    top = 0.5 * vlog(leak)
    for j in range(length):
        if j != without:
            top = max(top, towards[j])
    if top == -np.inf:
        return top
    total = vexp(vlog(leak) - 2.0 * top)
    for j in range(length):
        if j != without:
            total += vexp(2.0 * (towards[j] - top))
    return 2.0 * top + vlog(total)


@njit(cache=True, nogil=True)
def longest_of(clause):
    """The largest number of literals in a clause."""
    longest = 0
    for a in range(len(clause) - 1):
        longest = max(longest, clause[a + 1] - clause[a])
    return longest


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(variable, sign, clause, order, leak, extra, h, u, damping):
    """All messages once, clause by clause, in place; returns the largest move.

    Args:
        variable, sign: (E,) weight of each literal, and the sign it asks for.
        clause: (n + 1,) where each clause begins; order: (n,) of clauses.
        extra: (d,) fields that are added to those of the clauses, fixed during a sweep.
        h: (d,) sum over clauses of u, the (E,) fields that clauses send to weights.
    """
    h[:] = 0.0
    for e in range(len(u)):  # sums of moves would drift
        h[variable[e]] += u[e]
    longest = longest_of(clause)
    towards, right, wrong = np.empty(longest), np.empty(longest), np.empty(longest)
    largest = 0.0
    for a in order:
        first, length = clause[a], clause[a + 1] - clause[a]
        for j in range(length):
            e = first + j
            i = variable[e]
            towards[j] = sign[e] * (h[i] + extra[i] - u[e])
            right[j], wrong[j] = _right(towards[j])
        for j in range(length):
            e = first + j
            met, none = 0.0, 1.0  # odds that one of the other literals is right, and that all are wrong
            for other in range(length):
                if other != j:
                    met += none * right[other]
                    none *= wrong[other]
            price = met + leak * none
            log = vlog(price) if price >= SMALLEST else _log_of_small(leak, towards, length, j)
            field = sel(log < -2.0 * LARGEST, LARGEST, -0.5 * log)
            move = (1.0 - damping) * (sign[e] * field - u[e])
            u[e] += move
            h[variable[e]] += move
            largest = sel(abs(move) <= largest, largest, abs(move))
    return largest


@njit(forceinline=True)
def _log_two_cosh(x):
    return abs(x) + vlog(1.0 + vexp(-2.0 * abs(x)))


@njit(cache=True, nogil=True, error_model="numpy")
def bethe(variable, sign, clause, leak, h, u):
    """(log of the partition function, mean number of violated clauses), sums and not per weight; h (d,) are all fields on a weight."""
    total, violated = 0.0, 0.0
    towards = np.empty(longest_of(clause))
    for a in range(len(clause) - 1):
        met, none = 0.0, 1.0
        first, length = clause[a], clause[a + 1] - clause[a]
        for j in range(length):
            e = first + j
            towards[j] = sign[e] * (h[variable[e]] - u[e])
            right, wrong = _right(towards[j])
            met += none * right
            none *= wrong
        price = met + leak * none
        log = vlog(price) if price >= SMALLEST else _log_of_small(leak, towards, length, -1)
        total += log
        violated += none * vexp(vlog(leak) - log)
    marginal = np.empty(len(h))
    for i in range(len(h)):
        marginal[i] = _log_two_cosh(h[i])
        total += marginal[i]
    for e in range(len(u)):
        total += _log_two_cosh(h[variable[e]] - u[e]) - marginal[variable[e]]
    return total, violated


@njit(cache=True, nogil=True)
def count_violated(variable, sign, clause, weights):
    """How many clauses have no literal whose weight has the sign it asks for."""
    found = 0
    for a in range(len(clause) - 1):
        met = False
        for e in range(clause[a], clause[a + 1]):
            met = met or weights[variable[e]] * sign[e] > 0
        found += not met
    return found


@dataclass(frozen=True)
class ClauseConstraints:
    """A formula; a problem in the sense of `simulate.algorithms.parts.problems`.

    Args:
        size: d, the number of weights.
        variable: (E,) weight of each literal; sign: (E,) that it asks for, as a float.
        clause: (n + 1,) where each clause begins and the last ends.
        leak: weight of a clause that is violated, exp(-beta).
    """

    size: int
    variable: np.ndarray
    sign: np.ndarray
    clause: np.ndarray
    leak: float = 0.0

    @property
    def count(self) -> int:
        return len(self.clause) - 1

    @property
    def edges(self) -> tuple[int, ...]:
        return self.variable.shape

    def gathered(self, u: np.ndarray) -> np.ndarray:
        return np.bincount(self.variable, u, self.size)

    def sweep(self, order: np.ndarray, extra: np.ndarray, h: np.ndarray, u: np.ndarray, damping: float) -> float:
        return sweep(self.variable, self.sign, self.clause, order, self.leak, extra, h, u, damping)

    def bethe(self, h: np.ndarray, u: np.ndarray) -> tuple[float, float]:
        return bethe(self.variable, self.sign, self.clause, self.leak, h, u)

    def violated(self, weights: np.ndarray) -> int:
        return int(count_violated(self.variable, self.sign, self.clause, weights))


def clause_constraints(instance: Instance) -> ClauseConstraints:
    """What one learner has to meet.

    Raises:
        Unsupported: more learners, weights that are no signs, or an energy that is not the number of violated clauses.
    """
    refuse_levels(levels_of(instance), "a formula")
    (learner,) = instance.spec.learners.values()
    for key in ("loss", "regularizer"):
        if (term := getattr(learner, key)) is not None and term.kind != "zero":
            raise Unsupported(f"{key} '{term.kind}' beside clauses cannot be simulated yet")
    leak = float(np.exp(-number(learner.protocol.beta, instance.at))) if learner.protocol.kind == "gibbs" else 0.0
    literal = instance.arrays["literal"]
    return ClauseConstraints(instance.size, np.abs(literal) - 1, np.sign(literal).astype(float), instance.arrays["clause"], leak)
