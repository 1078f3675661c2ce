"""What a side of a tree must answer: its value, its gradient, and the slope of its scores."""

from __future__ import annotations

from typing import Protocol

import sympy as sp

from replica.tree.tree import Node, Overlap


class Term(Protocol):
    """One side of the free entropy; a `Functional` is one, and so is a sum over pairs of copies."""

    @property
    def silent(self) -> frozenset[str]:
        """Species without a field on this side."""

    def field(self, node: Node | None, s: str) -> sp.Expr:
        """The total field of a species at a node."""

    def log_integral(self) -> sp.Expr:
        """log I: at integer multiplicities the value, else the coefficient of eps."""

    def gradient(self, overlap: Overlap) -> sp.Expr:
        """d log I / d overlap (one factor for the unordered pair)."""

    def squared_slope(self, s: str) -> sp.Expr:
        """Sum over copies of s of the mean squared slope of a copy's own score; for the replicon."""
