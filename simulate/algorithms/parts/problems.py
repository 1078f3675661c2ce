"""What message passing on weights of signs asks of a problem, and which problem an instance is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from simulate.algorithms.parts.clauses import clause_constraints
from simulate.algorithms.parts.signs import refuse_levels, sign_constraints
from simulate.instance import Instance, Unsupported


class Problem(Protocol):
    """Constraints on weights of signs, and belief propagation on the edges between both."""

    @property
    def leak(self) -> float:
        """Weight of a constraint that is not met, exp(-beta)."""

    @property
    def size(self) -> int:
        """d, the number of weights."""

    @property
    def count(self) -> int:
        """n, the number of constraints."""

    @property
    def edges(self) -> tuple[int, ...]:
        """Shape of an array with an entry for every edge."""

    def gathered(self, u: np.ndarray) -> np.ndarray:
        """(d,) sum over constraints of the fields u that they send to each weight."""

    def sweep(self, order: np.ndarray, extra: np.ndarray, h: np.ndarray, u: np.ndarray, damping: float) -> float:
        """All fields u once, and h = gathered(u), in place; `extra` (d,) stand beside h.  Returns the largest move.

        Args:
            order: (n,) in which constraints are taken.
        """

    def bethe(self, h: np.ndarray, u: np.ndarray) -> tuple[float, float]:
        """(log of the partition function, mean number of violated constraints), sums and not per weight; h are all fields on a weight."""

    def violated(self, weights: np.ndarray) -> int:
        """How many constraints weights (d,) of signs do not meet."""


def _of_samples(instance: Instance) -> Problem:
    constraints = sign_constraints(instance)
    refuse_levels(constraints.levels, "belief propagation")
    return constraints


PROBLEMS: Mapping[str, Callable[[Instance], Problem]] = {"x": _of_samples, "literal": clause_constraints}
"""An array that instances of a data law hold -> what they ask of weights."""


def problem_of(instance: Instance) -> Problem:
    """The problem of one learner.

    Raises:
        Unsupported: none is known for these data, or this learner.
    """
    for array, make in PROBLEMS.items():
        if array in instance.arrays:
            return make(instance)
    raise Unsupported(f"messages pass between weights and samples or clauses; the data have {' '.join(instance.arrays)}")
