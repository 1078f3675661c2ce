"""Free entropy of one level of a replica tree, closed, and its slopes in the parameters of the ansatz."""

from __future__ import annotations

import sympy as sp

from replica.families.limits import B
from replica.families.replicated import Sheets
from replica.families.sheet import LevelSheet
from replica.nodes import LogAverage, Tilted
from replica.tree import Overlap


class ClosedLevel:
    """Free entropy of one level, closed."""

    def __init__(self, sheets: Sheets, level: LevelSheet) -> None:
        self.sheets, self.level = sheets, level
        self.power = 0 if sheets.plan is None else 1  # the free entropy is divided by the large parameter
        self.terms = {
            "trace": -sheets.trace(level),
            "entropic": sheets.entropic(level.entropic, self.power),
            "energetic": sheets.alpha * sheets.energetic(level.energetic, self.power),
        }
        self.value = sp.Add(*self.terms.values())
        self._slopes: dict[sp.Symbol, sp.Expr] = {}

    def slope(self, parameter: sp.Symbol) -> sp.Expr:
        """d Phi / d parameter at fixed order parameters."""
        if parameter not in self._slopes:
            self._slopes[parameter] = self._slope(parameter)
        return self._slopes[parameter]

    def _slope(self, parameter: sp.Symbol) -> sp.Expr:
        sheets, level = self.sheets, self.level
        power = self.power - sheets.power(parameter)
        trace = sp.S.Zero
        if level.trace.diff(parameter) != 0:  # linear in the parameter
            trace = self.terms["trace"].diff(parameter)
        entropic = self.terms["entropic"]
        known = sheets.plan is None and not entropic.has(Tilted, LogAverage) and not sheets.reads(parameter)
        entropic = entropic.diff(parameter) if known else sheets.entropic(level.entropic.diff(parameter), power)
        return trace + entropic + sheets.alpha * sheets.energetic(level.energetic.diff(parameter), power)


def plain(sheets: Sheets, overlap: Overlap, hat: bool = False) -> sp.Expr:
    """An overlap or conjugate in the unknowns; in a limit, what is left of it."""
    symbol = sheets.symbol(overlap, hat)
    value = sheets.settled(sheets.chart.get(symbol, symbol))
    if sheets.plan is None:
        return value
    powers = {s: sheets.power(s) for s in value.free_symbols}
    highest = max([0, *powers.values()])
    return sp.expand(value.xreplace({s: s * B**p for s, p in powers.items()})).coeff(B, highest)
