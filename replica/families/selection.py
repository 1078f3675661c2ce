"""Samples kept from a pool by a measure over selections: copies of a learner share theirs, a price per sample sets how many they keep.

A selection s of samples has the weight V(s)^x exp(-phi |s|), V the volume (or partition function) that it leaves.  V^x is that of x copies, for any
real x; in the replica tree they stand on one node, and every sample switches that node's leaves on or off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from replica.families.closed_level import ClosedLevel
from replica.families.model import Underivable
from replica.families.structure import Structure
from replica.tree import Functional

TILT = sp.Symbol("x_tilt", real=True)
PRICE = sp.Symbol("phi", real=True)


@dataclass(frozen=True)
class Selected:
    """A selection as the derivation sees it.

    Args:
        budget: samples kept, per weight.
        pool: samples to choose from, per weight.
        tilt: power of the volume.
    """

    budget: sp.Expr
    pool: sp.Expr
    tilt: sp.Expr

    def equation(self, level: ClosedLevel) -> sp.Expr:
        """The price at which the budget is kept: moved by the log-odds that a sample is kept, exact where samples are kept at random."""
        kept = -level.slope(PRICE)
        return PRICE + sp.log(kept / (self.pool - kept)) - sp.log(self.budget / (self.pool - self.budget))

    def free_entropy(self, level: ClosedLevel) -> sp.Expr:
        """log of the sum over selections of one size, per weight: stationary in the price, too."""
        return level.value + PRICE * self.budget

    def observables(self, level: ClosedLevel) -> dict[str, sp.Expr]:
        """log-volume that a selection leaves, relative to the prior, and log-number of selections that leave it; per weight."""
        volume = level.slope(TILT)
        return {"log_volume": volume, "complexity": self.free_entropy(level) - TILT * volume}


def read_selection(data: Any, pool: sp.Expr, names: Mapping[str, sp.Expr]) -> Selected | None:
    """The selection of an expanded slice; None where every sample is used.

    Raises:
        Underivable: for a selection by something that is not a volume.
    """
    if data.selection is None:
        return None
    bound = data.selection.bind(names)
    if bound.by != "log_volume":
        raise Underivable(f"slice.selection.by: '{bound.by}' has no theory yet (built: log_volume)")
    return Selected(bound.expr(bound.keep), pool, bound.expr(bound.tilt))


def switched(structure: Structure) -> Structure:
    """The structure whose samples switch every replica of the system on or off, together for all copies in it."""
    levels = []
    for level in structure.levels:
        assert isinstance(level.energetic, Functional)
        levels.append(replace(level, energetic=replace(level.energetic, gates={"replica": -PRICE})))
    return replace(structure, levels=tuple(levels))
