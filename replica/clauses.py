"""Laws of a formula: clauses, each of which asks one of a few signs of weights to be right."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from replica.ingredients import Law


class Clauses(Law):
    """Constraints on the signs of the weights themselves; energy is the number of clauses that are violated.

    A literal is the number of a weight, counted from 1, with the sign that it asks for, as in DIMACS files; a clause is met where one
    of its literals is.
    """

    @abstractmethod
    def formula(self, rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
        """One draw of n clauses on d weights: the literals (E,) of all clauses in a row, and where each begins and the last ends (n + 1,).

        Raises:
            ValueError: d weights are too few for a clause.
        """
