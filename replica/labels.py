"""What a label may be: one of a few numbers, a real number, or a count."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp


@dataclass(frozen=True)
class DiscreteLabels:
    """The labels are these numbers."""

    atoms: tuple[sp.Expr, ...]


@dataclass(frozen=True)
class RealLabels:
    """The labels are real, between these ends."""

    lower: sp.Expr = -sp.oo
    upper: sp.Expr = sp.oo


@dataclass(frozen=True)
class CountLabels:
    """The labels are 0, 1, 2, ..."""


Labels = DiscreteLabels | RealLabels | CountLabels
SIGNS = DiscreteLabels((sp.Integer(-1), sp.Integer(1)))
