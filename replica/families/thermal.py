"""The theory of Gibbs learners on a replica tree: unknowns, free entropy, complexity, local entropy, observables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import sympy as sp

from replica.families.chart import Regime
from replica.families.closed_level import ClosedLevel, plain
from replica.families.composition import Composition
from replica.families.draft import Closing
from replica.families.model import Underivable, second_moment
from replica.families.observables import REPLICA_SYMMETRY
from replica.families.refined import Refined
from replica.families.replicated import Sheets, Unknown
from replica.families.selection import STAIRS
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK
from replica.families.thermal_observables import observables
from replica.families.tree_story import trail
from replica.symbols import POSITIVE, UNIT, Domain, OrderParameter
from replica.theory import Assumption, Scores, Start, Stationary, Theory
from replica.tree import Overlap


def broken(steps: int) -> Assumption:
    return Assumption(
        "replica_symmetry_breaking", f"replicas stand in {steps} nested groups of groups; the replicon says whether that is enough"
    )


def theory(composition: Composition) -> Theory:
    """Equations of all levels together; the free entropy is that of the last one.

    Raises:
        Underivable: a law or a length without a closed form.
    """
    return theory_of(composition, sheets_of(composition))


def sheets_of(composition: Composition) -> Sheets:
    """The equations in increments, before anything is solved for."""
    first = composition.first
    prior = first.laws.prior
    return Sheets(
        composition.structure,
        composition.laws,
        first.alpha,
        second_moment(prior) if prior is not None else sp.S.Zero,
        composition.imposed,
        composition.pressed,
        composition.self_overlaps,
        composition.regime,
        composition.steps,
        composition.real,
        **({} if composition.selection is None else {"stairs": STAIRS}),
    )


def theory_of(composition: Composition, sheets: Sheets) -> Theory:
    """The theory of equations that are there already."""
    first = composition.first
    values = dict(composition.parisi)
    if composition.copies not in (None, sp.oo):
        values[composition.real] = composition.copies
    levels = [ClosedLevel(sheets, level) for level in sheets.levels]
    unknowns = list(sheets.unknowns)
    if composition.free_steps:
        unknowns += _extremal(composition, levels[0])
    if composition.selection is not None:
        unknowns.append(composition.selection.price(levels[0]))
    controls = first.controls
    if composition.edge is not None:
        controls = tuple(c for c in first.controls if c.name != composition.edge)
        unknowns = _consistent([*unknowns, _edge(composition, sheets)], _edge_length(composition, sheets), composition.parisi)
    free = tuple(composition.parisi[step] for step in composition.free_steps)
    free_entropy = levels[-1].value if composition.selection is None else composition.selection.free_entropy(levels[-1])
    names = {sheets.name(o): plain(sheets, o) for level in sheets.levels for o in level.level.own if _is_known(sheets, o)}
    conjugates = {
        f"{sheets.name(o)}_hat": plain(sheets, o, True) for level in sheets.levels for o in level.level.own if _is_known(sheets, o)
    }
    ladder = tuple(composition.parisi[step] for step in composition.steps)
    coarser = (len(free) > 1 and free == ladder) or (ladder and _alone(composition))
    finer = Refined(sheets, ladder, free, tuple(u.parameter.symbol for u in unknowns)) if coarser else None
    found = Theory(
        name="",
        fingerprint="",
        controls=controls,
        system=Stationary(
            tuple(u.parameter for u in unknowns),
            tuple(u.equation for u in unknowns),
            constraints=_constraints(composition, sheets, levels)
            + _ascending(composition)
            + (composition.selection.room(sheets) if composition.selection is not None else ()),
            starts=_starts(unknowns, sheets.easy(composition.copies)),
            minimal=free,
            ladder=ladder,
            refined=finer.apart() if finer is not None else (),
            merged=finer.merged() if finer is not None else None,
        ),
        order_parameters=names
        | {str(s): s for s in free}
        | {u.parameter.name: u.parameter.symbol for u in unknowns if u.parameter.name == composition.edge or _scaled(sheets, u)},
        conjugates=conjugates,
        free_entropy=free_entropy,
        observables=observables(composition, sheets, levels),
        terms=levels[-1].terms,
        scores=_scores(composition),
        assumptions=(broken(len(composition.steps)) if composition.steps else REPLICA_SYMMETRY, REPLICA_TRICK, GAUSSIAN_FIELDS),
    )
    return replace(found, trail=trail(composition, sheets, found)).xreplace(values)


def _alone(composition: Composition) -> bool:
    """Whether the theory with a step less is that of two levels that are one, wherever Parisi parameters are held."""
    return composition.selection is None and not composition.structure.vanishing and composition.edge is None


def _extremal(composition: Composition, level: ClosedLevel) -> list[Unknown]:
    """Parisi parameters at their extremum (a minimum of Phi, as n -> 0)."""
    found = []
    for step in composition.free_steps:
        symbol = composition.parisi[step]
        assert isinstance(symbol, sp.Symbol)
        start, *others = (_between(composition, step, first) for first in _PARISI_STARTS[composition.regime])
        slope = level.slope(step)
        domain = UNIT if composition.regime is Regime.FINITE else POSITIVE  # in a limit it is in units of the large parameter
        found.append(Unknown(OrderParameter(symbol, "Parisi parameter", domain), symbol - slope, start, broken=tuple(others)))
    return found


def _ascending(composition: Composition) -> tuple[sp.Expr, ...]:
    """Differences of Parisi parameters, as far as they can change."""
    values = [composition.parisi[step] for step in composition.steps]
    return tuple(high - low for low, high in pairwise(values) if (high - low).free_symbols)


def _between(composition: Composition, step: sp.Symbol, alone: sp.Expr) -> sp.Expr:
    """Where a Parisi parameter starts: evenly between those that are held, beyond the last one on the scale `alone` of one step."""
    steps, held = composition.steps, [s for s in composition.steps if s not in composition.free_steps]
    number = steps.index(step)
    before = [s for s in held if steps.index(s) < number]
    after = [s for s in held if steps.index(s) > number]
    low = composition.parisi[before[-1]] if before else sp.S.Zero
    first, last = steps.index(before[-1]) if before else -1, steps.index(after[0]) if after else len(steps)
    share = sp.Rational(number - first, last - first)
    if after:
        return low + share * (composition.parisi[after[0]] - low)
    return low + share * ((1 - low) if composition.regime is Regime.FINITE else 2 * alone)


_PARISI_STARTS = {  # of one step; in a limit in units of the large parameter
    Regime.FINITE: (sp.Rational(1, 2),) * 3,
    Regime.GROUND: (sp.S.One,) * 3,
    Regime.COPIES: (sp.S.One,) * 3,
    Regime.EDGE: tuple(sp.Integer(x) for x in (10, 40, 20, 40, 20, 44)),
}


def _consistent(unknowns: list[Unknown], length: sp.Expr, parisi: Mapping[sp.Symbol, sp.Expr]) -> list[Unknown]:
    """Conjugates started where they give the overlaps that are started with, innermost first; the length gives the outermost one."""
    equations = {u.parameter.symbol: u for u in unknowns}
    hats = [u for u in unknowns if u.conjugate]
    known: dict[sp.Symbol, sp.Expr] = {}
    for hat in reversed(hats):
        symbol = hat.parameter.symbol
        overlap = equations.get(sp.Symbol(symbol.name.removesuffix("_hat"), real=True))
        condition = overlap.equation - overlap.parameter.symbol if overlap is not None else length - 1
        roots = sp.solve(sp.numer(sp.together(condition.xreplace(dict(parisi)).xreplace(known))), symbol, check=False, simplify=False)
        if len(roots) != 1:
            return unknowns
        known[symbol] = roots[0]
    count = max(len(u.broken) for u in unknowns)
    found = []
    for u in unknowns:
        if u.parameter.symbol in known:
            values = [{v.parameter.symbol: (v.start, *v.broken)[min(k, len(v.broken))] for v in unknowns} for k in range(count + 1)]
            first, *others = (known[u.parameter.symbol].xreplace(v) for v in values)
            u = replace(u, start=first, broken=tuple(others))
        found.append(u)
    return found


def _edge_length(composition: Composition, sheets: Sheets) -> sp.Expr:
    """|w|^2/d over its imposed value, from the conjugates."""
    (member,) = composition.structure.members
    norm = sheets.norms[member.name]
    if norm is None:
        raise Underivable(f"controls.{composition.edge}.solve: an overlap reaches 1 only where the length of {member.name} is imposed")
    return sheets.entropic(sheets.levels[0].inputs[Overlap(None, member.name, member.name)]) / norm


def _edge(composition: Composition, sheets: Sheets) -> Unknown:
    """The control at which the weights, shrunk to a point, have their length."""
    control = next(c for c in composition.first.controls if c.name == composition.edge)
    symbol = composition.first.names[control.name]
    assert isinstance(symbol, sp.Symbol)
    length = _edge_length(composition, sheets)
    equation = symbol / length if control.domain.lower >= 0 else symbol - sp.log(length)
    domain = Domain(control.domain.lower, control.domain.upper)
    return Unknown(OrderParameter(control.symbol, control.meaning or "edge of solvability", domain), equation, sp.Float(control.value))


def _scores(composition: Composition) -> Scores | None:
    """Scalar functions for message passing, which knows one learner and symmetric replicas so far."""
    first = composition.first
    alone = len(composition.models) == 1 and not composition.steps and composition.copies is None and not composition.self_overlaps
    if not alone or composition.regime is not Regime.FINITE or first.disorder is not None:
        return None
    return Closing(first.laws, composition.structure.label).scores()


def _scaled(sheets: Sheets, unknown: Unknown) -> bool:
    """Whether an unknown is the coefficient of what vanishes in a limit: a response."""
    return not unknown.conjugate and sheets.power(unknown.parameter.symbol) < 0


def _is_known(sheets: Sheets, overlap) -> bool:
    """Whether an overlap and its conjugate are unknowns or imposed; those of a silent species are not followed."""
    known = {u.parameter.symbol for u in sheets.unknowns}
    values = [*sheets.imposed.values(), *(norm for norm in sheets.norms.values() if norm is not None)]
    held = {s for value in values for s in value.free_symbols}
    return (plain(sheets, overlap).free_symbols | plain(sheets, overlap, True).free_symbols) <= known | held


def _constraints(composition: Composition, sheets: Sheets, levels: list[ClosedLevel]) -> tuple[sp.Expr, ...]:
    """Variances, and overlaps that an imposed length leaves, that are no unknown of their own."""
    own = {u.parameter.symbol for u in sheets.unknowns}
    known = own | {composition.real, *composition.steps, *(control.symbol for control in composition.first.controls)}
    found: dict[sp.Expr, None] = {}
    for level in sheets.levels:
        for variance in (*level.positive, *sheets.rest):
            value = sheets.settled(variance.xreplace(sheets.chart))
            if sheets.plan is not None:
                value = value.xreplace(dict.fromkeys(sheets.plan.fixed, sp.S.Zero))
            if value not in own and value.free_symbols & own:
                found[value] = None
    for closed in levels:
        for log in sorted(closed.terms["entropic"].atoms(sp.log), key=str):
            (inside,) = log.args
            if inside.free_symbols <= known and inside.free_symbols & own:
                found[inside] = None
    return tuple(found)


def _starts(unknowns: list[Unknown], easy: tuple[Mapping[sp.Symbol, sp.Expr], ...]) -> tuple[Start, ...]:
    count = max(len(u.broken) for u in unknowns)
    found = [Start("uninformed", {u.parameter.symbol: u.start for u in unknowns}, easy)]
    for k in range(count):
        found.append(Start(f"broken_{k + 1}", {u.parameter.symbol: u.broken[k] if u.broken else u.start for u in unknowns}, easy))
    return tuple(found)
