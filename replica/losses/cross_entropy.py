"""Cross entropy of two classes."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.ingredients import Loss
from replica.nodes import Softplus


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-log of the probability 1/(1 + exp(-z)) of class 1, or of its complement.

    Class 1 is y > 0 and class 0 everything else, so labels 0, 1 and labels -1, 1 both read right.
    """

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return sp.Piecewise((Softplus(-z), y > 0), (Softplus(z), True))
