"""Samples kept from a pool by a measure over selections: copies of a learner share theirs, a price per sample sets how many they keep.

A selection s of samples has the weight V(s)^x exp(-phi |s|), V the volume (or partition function) that it leaves.  V^x is that of
x copies, for any real x; in the replica tree they stand on one node, and every sample switches that node's leaves on or off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from replica.families.closed_level import ClosedLevel, plain
from replica.families.model import Underivable
from replica.families.reading import StaticModel
from replica.families.replicated import Sheets, Unknown
from replica.families.structure import Member, Structure
from replica.symbols import REAL, OrderParameter
from replica.tree import Functional

TILT = sp.Symbol("x_tilt", real=True)
PRICE = sp.Symbol("phi", real=True)
_NEARER = 1 / (1 + sp.Abs(TILT))  # copies of one selection start nearer to each other than others, by as much as any tilt allows
STAIRS = ((5, 15 - 5 * _NEARER), (14, 6 - 2 * _NEARER))


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

    def price(self, level: ClosedLevel) -> Unknown:
        """The price at which the budget is kept: moved by the log-odds that a sample is kept, exact where samples are kept at random."""
        kept = -level.slope(PRICE)
        equation = PRICE + sp.log(kept / (self.pool - kept)) - sp.log(self.budget / (self.pool - self.budget))
        return Unknown(OrderParameter(PRICE, "price of a sample", REAL), equation, sp.S.Zero)

    def free_entropy(self, level: ClosedLevel) -> sp.Expr:
        """log of the sum over selections of one size, per weight: stationary in the price, too."""
        return level.value + PRICE * self.budget

    def room(self, sheets: Sheets) -> tuple[sp.Expr, ...]:
        """The overlaps of the copies of one selection, as a matrix of that size, are positive: a condition where the tilt is negative."""
        (member,) = sheets.structure.members
        *_, apart, together, own = (plain(sheets, o) for o in sheets.structure.chain(member.name))
        return (own - together + TILT * (together - apart),)

    def observables(self, level: ClosedLevel) -> dict[str, sp.Expr]:
        """log-volume that a selection leaves, relative to the prior, and log-number of selections that leave it; per weight."""
        volume = level.slope(TILT)
        return {"log_volume": volume, "complexity": self.free_entropy(level) - TILT * volume}


def read_selection(spec: Any, model: StaticModel, members: list[Member]) -> Selected | None:
    """The selection of an expanded spec, of the samples of `model`; None where every sample is used.

    Raises:
        Underivable: where it is not one learner alone whose volume tilts it.
    """
    (data,) = spec.slices.values()
    if data.selection is None:
        return None
    if model.disorder is not None:
        raise Underivable(f"slice.selection: the law '{model.disorder.kind}' has no samples to select")
    if len(members) > 1 or members[0].copies != 1 or members[0].silent:
        raise Underivable("slice.selection: the volume of one learner that stands once tilts it; several learners or copies are not built")
    bound = data.selection.bind(model.names)
    return Selected(bound.expr(bound.keep), model.alpha, bound.expr(bound.tilt))


def switched(structure: Structure) -> Structure:
    """The structure whose samples switch every replica of the system on or off, together for all copies in it."""
    levels = []
    for level in structure.levels:
        assert isinstance(level.energetic, Functional)
        levels.append(replace(level, energetic=replace(level.energetic, gates={"replica": -PRICE})))
    return replace(structure, levels=tuple(levels))
