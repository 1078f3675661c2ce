"""One step of replica symmetry breaking more or less: where a solution with k steps begins, given one with k - 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from replica.ansatz import RS
from replica.families.replicated import Sheets
from replica.families.structure import Names
from replica.ingredients import FREE
from replica.spec.checks import used_names
from replica.spec.expressions import mentioned
from replica.theory import Start
from replica.tree import Overlap

APART = sp.Rational(3, 4)  # how far the two Parisi parameters are moved from the one that they come from


def one_step_less(spec: Any) -> Any:
    """The spec with k - 1 steps; a condition on the innermost overlap is one on the innermost overlap that is left."""
    k, left = int(spec.ansatz.k), spec.ansatz.ladder[:-1]
    less = replace(spec.ansatz, k=k - 1, x=left if spec.ansatz.x != FREE else FREE) if left else RS()
    used = used_names(spec, spec.mentions(), "ansatz") | {name for value in left for name in mentioned(str(value))}
    controls = {  # not those that the Parisi parameter alone reads
        name: replace(table, solve=f"q{k - 1} = {table.condition[1]!r}") if table.condition and table.condition[0] == f"q{k}" else table
        for name, table in (spec.controls or {}).items()
        if name in used
    }
    return replace(spec, ansatz=less, controls=controls, run=None)


@dataclass(frozen=True)
class Refined:
    """Where a theory with k steps begins, in the unknowns of the one with k - 1, and what it is where the innermost levels are one.

    A level between two that are there, with the same Parisi parameter above and below it, changes nothing: there the free entropy has a
    slope in these two parameters alone.

    Args:
        ladder: Parisi parameters, outermost first; steps: those that are free.
        unknowns: of the theory.
    """

    sheets: Sheets
    ladder: tuple[sp.Expr, ...]
    steps: tuple[sp.Symbol, ...]
    unknowns: tuple[sp.Symbol, ...]

    def apart(self) -> tuple[Start, ...]:
        """Starts with a level half-way between two that are there, one for each pair, the innermost first, where all steps are free."""
        gaps = range(len(self.steps) - 1, 0, -1) if self.steps == self.ladder else ()
        return tuple(Start(f"refined_{gap}", self._values(gap, self._parted(gap), sp.Rational(1, 2))) for gap in gaps)

    def merged(self) -> Start:
        """The two innermost levels as one; a Parisi parameter between them may be anything."""
        ladder = (*self._before, (self._before or (sp.S.Half,))[-1])
        free = tuple(x for x, step in zip(ladder, self.ladder, strict=True) if step in self.steps)
        return Start("merged", self._values(len(self.ladder) - 1, free, sp.S.One))

    @property
    def _before(self) -> tuple[sp.Expr, ...]:
        """The ladder of the coarser theory: there one step of several that is free has another name."""
        less = self.ladder[:-1]
        return tuple(sp.Symbol(str(s) if len(less) > 1 else str(s).rstrip("1"), real=True) if s in self.steps else s for s in less)

    def _parted(self, gap: int) -> tuple[sp.Expr, ...]:
        """Parisi parameters with one of them, counted from 1, in two."""
        before = self._before
        x = before[gap - 1]
        low = x * APART if gap == 1 else sp.sqrt(x * before[gap - 2])
        high = x / APART if gap == len(before) else sp.sqrt(x * before[gap])
        return (*before[: gap - 1], low, high, *before[gap:])

    def _values(self, gap: int, parisi: tuple[sp.Expr, ...], share: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
        """Every unknown, for a new level at a share of the way through a gap."""
        values: dict[sp.Symbol, sp.Expr] = dict(zip(self.steps, parisi, strict=True))
        places = self._places(gap)
        for symbol in self.unknowns:
            if symbol not in values:
                values[symbol] = _between(*places[symbol], gap, share) if symbol in places else symbol
        return values

    def _places(self, gap: int) -> dict[sp.Symbol, tuple[list[sp.Expr], int, bool]]:
        """Unknowns that stand on a level: all of their kind in the coarser theory, on which level it is, whether they are increments."""
        sheets = self.sheets
        found: dict[sp.Symbol, tuple[list[sp.Expr], int, bool]] = {}
        names = sheets.structure.levels[0].tree.name
        assert isinstance(names, Names)
        for member in sheets.structure.members:
            between = sheets.structure.chain(member.name)[:-1]
            first = names.place(between[0])
            for hat in (False, True):
                own = [sheets.symbol(between[0], hat), *(sheets.increment(o, hat) for o in between[1:])]
                outermost = sheets.settled(own[0])
                if outermost == own[0]:
                    outermost = _called(names, between[0], first - (first > gap), hat)
                elif len(own) > 1:
                    outermost = outermost.xreplace({own[-1]: sp.S.Zero})
                kind = [*[sp.S.Zero] * (first - (first > gap)), outermost, *own[1:]]
                found |= {symbol: (kind, number, True) for number, symbol in enumerate(own, first)}
        pairs: dict[tuple[str, str], list[Overlap]] = {}
        for overlap in (o for level in sheets.levels for o in level.level.own if o.first != o.second):
            pairs.setdefault((overlap.first, overlap.second), []).append(overlap)
        for overlaps in pairs.values():
            if len(overlaps) > 1:
                for hat in (False, True):
                    kind = [_called(names, overlaps[0], depth, hat) for depth in range(len(overlaps) - 1)]
                    found |= {sheets.symbol(o, hat): (kind, number, False) for number, o in enumerate(overlaps)}
        return found


def _called(names: Names, overlap: Overlap, depth: int, hat: bool) -> sp.Symbol:
    """The symbol of an overlap of the coarser theory."""
    return sp.Symbol(names.fewer(overlap, depth) + ("_hat" if hat else ""), real=True)


def _between(kind: list[sp.Expr], number: int, increment: bool, gap: int, share: sp.Expr) -> sp.Expr:
    """An unknown of a level where the one numbered `gap` is new."""
    if number < gap or number > gap + increment:
        return kind[number if number < gap else number - 1]
    if increment:
        return kind[gap] * (share if number == gap else 1 - share)
    return kind[gap - 1] * (1 - share) + kind[gap] * share if gap else kind[gap]
