"""A step law's leaf as its variance vanishes: the squared distance of the field to the allowed interval."""

from __future__ import annotations

import sympy as sp

from replica.law import Law, Quadratic
from replica.tree import Leaf


class EdgeLeaf(sp.Expr):
    """Order 0: - distance^2 / (2 chi); order 1: its slope in the field; order 2: the slope's.  Opened once the label is known."""

    is_real = True

    def __new__(cls, leaf, chi):
        return sp.Expr.__new__(cls, leaf, sp.sympify(chi))

    @property
    def leaf(self) -> Leaf:
        return self.args[0]

    def opened(self, law: Law) -> sp.Expr:
        """The expression for a law that allows a half-line.

        Raises:
            ValueError: another kind of law.
        """
        chi = self.args[1]
        beyond, direction = _beyond(law, self.leaf.h)
        if self.leaf.order == 2:
            return -sp.Heaviside(beyond) / chi
        distance = sp.Max(0, beyond)
        return -(distance**2) / (2 * chi) if self.leaf.order == 0 else direction * distance / chi


def _beyond(law: Law, h: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """(how far a field lies outside the allowed half-line, negative inside; the direction back)."""
    piece = law[0]
    if len(law) == 1 and isinstance(piece, Quadratic):
        if piece.upper == sp.oo and piece.lower != -sp.oo:
            return piece.lower - h, sp.S.One
        if piece.lower == -sp.oo and piece.upper != sp.oo:
            return h - piece.upper, -sp.S.One
    raise ValueError("the edge of solvability is built for losses that allow a half-line of fields (theta)")
