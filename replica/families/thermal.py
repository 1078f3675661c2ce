"""The theory of Gibbs learners on a replica tree: unknowns, free entropy, complexity, local entropy, observables."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from replica.families.composition import Composition
from replica.families.lengths import log_states
from replica.families.model import second_moment
from replica.families.observables import REPLICA_SYMMETRY
from replica.families.replicated import Sheets, Unknown
from replica.families.sheet import LevelSheet
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK
from replica.symbols import UNIT, OrderParameter
from replica.theory import Assumption, Start, Stationary, Step, Theory


def broken(steps: int) -> Assumption:
    return Assumption("replica_symmetry_breaking", f"replicas stand in {steps} nested groups of groups; the replicon says whether that is enough")


def theory(composition: Composition) -> Theory:
    """Equations of all levels together; the free entropy is that of the last one.

    Raises:
        Underivable: a law or a length without a closed form.
    """
    first = composition.first
    prior = first.laws.prior
    rho = second_moment(prior) if prior is not None else sp.S.Zero
    sheets = Sheets(
        composition.structure, composition.laws, first.alpha, rho, composition.imposed, composition.pressed, composition.self_overlaps
    )
    values = dict(composition.parisi)
    if composition.copies is not None:
        values[composition.real] = composition.copies
    levels = [_Level(sheets, level) for level in sheets.levels]
    unknowns = list(sheets.unknowns)
    if composition.free_steps:
        unknowns += _extremal(composition, levels[0])
    free_entropy = levels[-1].value
    observables = _entropies(composition, sheets, levels)
    observables["replicon"] = _replicon(sheets, levels[-1].level)
    names = {sheets.name(o): _plain(sheets, o) for level in sheets.levels for o in level.level.own if _is_known(sheets, o)}
    conjugates = {f"{sheets.name(o)}_hat": _plain(sheets, o, True) for level in sheets.levels for o in level.level.own if _is_known(sheets, o)}
    found = Theory(
        name="",
        fingerprint="",
        controls=first.controls,
        system=Stationary(
            tuple(u.parameter for u in unknowns),
            tuple(u.equation for u in unknowns),
            constraints=_constraints(sheets),
            starts=(Start("uninformed", {u.parameter.symbol: u.start for u in unknowns}),),
        ),
        order_parameters=names | {str(s): s for s in ([v for v in composition.parisi.values()] if composition.free_steps else [])},
        conjugates=conjugates,
        free_entropy=free_entropy,
        observables=observables,
        terms=levels[-1].terms,
        assumptions=(broken(len(composition.steps)) if composition.steps else REPLICA_SYMMETRY, REPLICA_TRICK, GAUSSIAN_FIELDS),
    )
    found = found.xreplace(values)
    return replace(found, trail=_trail(found))


class _Level:
    """Free entropy of one level, closed."""

    def __init__(self, sheets: Sheets, level: LevelSheet) -> None:
        self.sheets, self.level = sheets, level
        self.terms = {
            "trace": -sheets.trace(level),
            "entropic": sheets.entropic(level.entropic),
            "energetic": sheets.alpha * sheets.energetic(level.energetic),
        }
        self.value = sp.Add(*self.terms.values())

    def slope(self, parameter: sp.Symbol) -> sp.Expr:
        """d Phi / d parameter at fixed order parameters."""
        trace = -self.sheets.trace(replace(self.level, trace=self.level.trace.diff(parameter)))
        entropic = self.sheets.entropic(self.level.entropic.diff(parameter))
        return trace + entropic + self.sheets.alpha * self.sheets.energetic(self.level.energetic.diff(parameter))


def _extremal(composition: Composition, level: _Level) -> list[Unknown]:
    """Parisi parameters at their extremum (a minimum of Phi, as n -> 0)."""
    found = []
    for number, step in enumerate(composition.steps, 1):
        symbol = composition.parisi[step]
        assert isinstance(symbol, sp.Symbol)
        start = sp.Rational(number, len(composition.steps) + 1)
        slope = level.slope(step)
        found.append(Unknown(OrderParameter(symbol, "Parisi parameter", UNIT), symbol - slope, start))
    return found


def _entropies(composition: Composition, sheets: Sheets, levels: list[_Level]) -> dict[str, sp.Expr]:
    found: dict[str, sp.Expr] = {}
    first, last = levels[0], levels[-1]
    laws = composition.laws.by
    if len(composition.steps) == 1:
        (x,) = composition.steps
        slope = first.slope(x)
        found["complexity"] = -(x**2) * slope
        found["internal_entropy"] = first.value + x * slope
    if len(levels) > 1:
        probe = composition.structure.members[-1].name
        found["local_entropy"] = last.value + log_states(laws[probe])
    cold = all(model.laws.beta == sp.oo for model in composition.models.values())
    if composition.copies is not None:
        y = composition.real
        centre = [m for m in composition.structure.members if m.copies == 1]
        (copied,) = (m for m in composition.structure.members if m.copies != 1)
        slope = first.slope(y)
        found["local_entropy"] = slope + log_states(laws[copied.name])
        found["complexity"] = first.value - y * slope + sp.Add(*(log_states(laws[m.name]) for m in centre))
    elif cold:
        found["entropy"] = first.value + log_states(laws[composition.structure.members[0].name])
    return found


def _replicon(sheets: Sheets, level: LevelSheet) -> sp.Expr:
    """The smallest of the learners' replicons, innermost level."""
    found = [1 - sheets.alpha * sheets.energetic(out) * sheets.entropic(into) for out, into in level.slopes.values()]
    return found[0] if len(found) == 1 else sp.Min(*found)


def _plain(sheets: Sheets, overlap, hat: bool = False) -> sp.Expr:
    symbol = sheets.symbol(overlap, hat)
    return sheets.chart.get(symbol, symbol)


def _is_known(sheets: Sheets, overlap) -> bool:
    """Whether an overlap and its conjugate are unknowns or imposed; those of a silent species are not followed."""
    known = {u.parameter.symbol for u in sheets.unknowns}
    held = {s for value in sheets.imposed.values() for s in value.free_symbols}
    return (_plain(sheets, overlap).free_symbols | _plain(sheets, overlap, True).free_symbols) <= known | held


def _constraints(sheets: Sheets) -> tuple[sp.Expr, ...]:
    """Variances that are no unknown of their own."""
    own = {u.parameter.symbol for u in sheets.unknowns}
    found: dict[sp.Expr, None] = {}
    for level in sheets.levels:
        for variance in level.positive:
            value = variance.xreplace(sheets.chart)
            if value not in own and value.free_symbols & own:
                found[value] = None
    return tuple(found)


def _trail(theory: Theory) -> tuple[Step, ...]:
    return ()
