"""The theory of Gibbs learners on a replica tree: unknowns, free entropy, complexity, local entropy, observables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from replica.families.composition import Composition
from replica.families.declared import declared
from replica.families.draft import Closing
from replica.families.lengths import log_states
from replica.families.model import TEACHER, SharedLaws, Underivable, second_moment
from replica.families.observables import REPLICA_SYMMETRY, Predictor, Sampled, prediction
from replica.families.replicated import Regime, Sheets, Unknown
from replica.families.sheet import LevelSheet
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK
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
    first = composition.first
    prior = first.laws.prior
    rho = second_moment(prior) if prior is not None else sp.S.Zero
    sheets = Sheets(
        composition.structure,
        composition.laws,
        first.alpha,
        rho,
        composition.imposed,
        composition.pressed,
        composition.self_overlaps,
        composition.regime,
        composition.steps,
        composition.real,
    )
    values = dict(composition.parisi)
    if composition.copies not in (None, sp.oo):
        values[composition.real] = composition.copies
    levels = [_Level(sheets, level) for level in sheets.levels]
    unknowns = list(sheets.unknowns)
    if composition.free_steps:
        unknowns += _extremal(composition, levels[0])
    controls = first.controls
    if composition.edge is not None:
        controls = tuple(c for c in first.controls if c.name != composition.edge)
        unknowns = _consistent([*unknowns, _edge(composition, sheets)], _edge_length(composition, sheets), composition.parisi)
    free_entropy = levels[-1].value
    observables = _measured(composition, sheets) | _entropies(composition, sheets, levels)
    observables |= _energies(composition, sheets, levels[0]) if len(composition.models) == 1 else {}
    observables |= _declared(composition, sheets, observables)
    observables |= _replicon(sheets, levels[-1].level)
    names = {sheets.name(o): _plain(sheets, o) for level in sheets.levels for o in level.level.own if _is_known(sheets, o)}
    conjugates = {
        f"{sheets.name(o)}_hat": _plain(sheets, o, True) for level in sheets.levels for o in level.level.own if _is_known(sheets, o)
    }
    found = Theory(
        name="",
        fingerprint="",
        controls=controls,
        system=Stationary(
            tuple(u.parameter for u in unknowns),
            tuple(u.equation for u in unknowns),
            constraints=_constraints(sheets, levels),
            starts=_starts(unknowns),
        ),
        order_parameters=names
        | {str(s): s for s in (composition.parisi.values() if composition.free_steps else ())}
        | {u.parameter.name: u.parameter.symbol for u in unknowns if u.parameter.name == composition.edge or _scaled(sheets, u)},
        conjugates=conjugates,
        free_entropy=free_entropy,
        observables=observables,
        terms=levels[-1].terms,
        scores=_scores(composition),
        assumptions=(broken(len(composition.steps)) if composition.steps else REPLICA_SYMMETRY, REPLICA_TRICK, GAUSSIAN_FIELDS),
    )
    return replace(found, trail=trail(composition, sheets, found)).xreplace(values)


class _Level:
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
        entropic = sheets.entropic(level.entropic.diff(parameter), power)
        return trace + entropic + sheets.alpha * sheets.energetic(level.energetic.diff(parameter), power)


def _extremal(composition: Composition, level: _Level) -> list[Unknown]:
    """Parisi parameters at their extremum (a minimum of Phi, as n -> 0)."""
    found = []
    for number, step in enumerate(composition.steps, 1):
        symbol = composition.parisi[step]
        assert isinstance(symbol, sp.Symbol)
        share = sp.Rational(2 * number, len(composition.steps) + 1)
        start, *others = (share * first for first in _PARISI_STARTS[composition.regime])
        slope = level.slope(step)
        domain = UNIT if composition.regime is Regime.FINITE else POSITIVE  # in a limit it is in units of the large parameter
        found.append(Unknown(OrderParameter(symbol, "Parisi parameter", domain), symbol - slope, start, broken=tuple(others)))
    return found


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


def _entropies(composition: Composition, sheets: Sheets, levels: list[_Level]) -> dict[str, sp.Expr]:
    found: dict[str, sp.Expr] = {}
    first, last = levels[0], levels[-1]
    laws = composition.laws.by
    cold = all(model.laws.beta == sp.oo for model in composition.models.values())
    states = log_states(laws[composition.structure.members[0].name])
    if len(composition.steps) == 1 and composition.regime in (Regime.FINITE, Regime.GROUND):
        (x,) = composition.steps
        slope = first.slope(x)
        found["complexity"] = -(x**2) * slope
        if cold and composition.regime is Regime.FINITE:  # elsewhere this is a free energy, and energies come with `_energies`
            found["internal_entropy"] = first.value + x * slope + states
    if len(levels) > 1:
        probe = composition.structure.members[-1].name
        found["local_entropy"] = last.value + log_states(laws[probe])
    if composition.copies is not None:
        y = composition.real
        centre = [m for m in composition.structure.members if m.copies == 1]
        (copied,) = (m for m in composition.structure.members if m.copies != 1)
        slope = first.slope(y) if composition.regime is Regime.FINITE else first.value
        found["local_entropy"] = slope + log_states(laws[copied.name])
        if composition.regime is Regime.FINITE:
            found["complexity"] = first.value - y * slope + sp.Add(*(log_states(laws[m.name]) for m in centre))
    elif cold and composition.regime is Regime.FINITE:
        found["entropy"] = _of_states(composition, first) + states
    return found


def _of_states(composition: Composition, level: _Level) -> sp.Expr:
    """Phi with the log-number of states counted once: at a fixed Parisi parameter Phi = internal part + complexity / x."""
    if len(composition.steps) != 1:
        return level.value
    (x,) = composition.steps
    return level.value + (x - x**2) * level.slope(x)


def _sampled(composition: Composition, sheets: Sheets, name: str) -> tuple[Sampled, Predictor]:
    """A learner as it meets a new sample: a draw from its Gibbs measure."""
    own = _plain(sheets, Overlap(None, name, name))
    m = _plain(sheets, Overlap("root", TEACHER, name)) if composition.structure.teacher else sp.S.Zero
    return Sampled(composition.models[name], sheets.closing, sheets.rho), Predictor(own, m)


def _measured(composition: Composition, sheets: Sheets) -> dict[str, sp.Expr]:
    """What a draw predicts, learner by learner; their names are left out where there is one."""
    found: dict[str, sp.Expr] = {}
    if not composition.structure.teacher:
        return found
    speaking = [m.name for m in composition.structure.members if not m.silent]
    for name in speaking:
        sampled, predictor = _sampled(composition, sheets, name)
        own = prediction(sampled, predictor)
        own["estimation_mse"] = sheets.rho - 2 * predictor.covariance + predictor.variance
        found |= {key if len(speaking) == 1 else f"{key}[{name}]": value for key, value in own.items()}
    return found


def _declared(composition: Composition, sheets: Sheets, found: dict[str, sp.Expr]) -> dict[str, sp.Expr]:
    if len(composition.models) > 1:
        return {}
    sampled, predictor = _sampled(composition, sheets, composition.first.name)
    return declared(sampled, predictor, found)


def _energies(composition: Composition, sheets: Sheets, level: _Level) -> dict[str, sp.Expr]:
    """Mean loss per sample under the Gibbs measure, energy and entropy."""
    model = composition.first
    laws = model.laws
    assert laws.beta is not None
    if composition.regime is Regime.GROUND:
        return {"energy": -level.value}
    if laws.beta == sp.oo:
        return {"training_loss": sp.S.Zero}
    if laws.regularizer is not None:
        return {}
    beta = sp.Dummy("beta", positive=True)
    warm = Closing(SharedLaws({model.name: replace(laws, beta=beta)}), sheets.structure.label)
    mean = -warm.energetic(level.level.energetic.xreplace(sheets.chart)).diff(beta).xreplace({beta: laws.beta}).xreplace(sheets.rest)
    energy = model.alpha * mean
    return {"training_loss": mean, "energy": energy, "entropy": _of_states(composition, level) + laws.beta * energy + log_states(laws)}


def _replicon(sheets: Sheets, level: LevelSheet) -> dict[str, sp.Expr]:
    """The smallest of the learners' replicons, innermost level; none where a weight jumps, which makes it infinite."""
    found = []
    for species, (out, into) in level.slopes.items():
        power = 2 * sheets.power(sheets.variance(species)) if sheets.regime is not Regime.EDGE else -2
        try:
            found.append(1 - sheets.alpha * sheets.energetic(out, -power) * sheets.entropic(into, power))
        except Underivable:
            return {}
    return {"replicon": found[0] if len(found) == 1 else sp.Min(*found)}


def _plain(sheets: Sheets, overlap, hat: bool = False) -> sp.Expr:
    symbol = sheets.symbol(overlap, hat)
    value = sheets.settled(sheets.chart.get(symbol, symbol))
    if sheets.plan is None:
        return value
    powers = {s: sheets.power(s) for s in value.free_symbols}
    highest = max([0, *powers.values()])
    return value.xreplace({s: sp.S.Zero for s, p in powers.items() if p < highest})  # in a limit, what is left of it


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
    return (_plain(sheets, overlap).free_symbols | _plain(sheets, overlap, True).free_symbols) <= known | held


def _constraints(sheets: Sheets, levels: list[_Level]) -> tuple[sp.Expr, ...]:
    """Variances, and overlaps that an imposed length leaves, that are no unknown of their own."""
    own = {u.parameter.symbol for u in sheets.unknowns}
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
            if inside.free_symbols <= own | set(sheets.steps) and inside.free_symbols & own:
                found[inside] = None
    return tuple(found)


def _starts(unknowns: list[Unknown]) -> tuple[Start, ...]:
    count = max(len(u.broken) for u in unknowns)
    found = [Start("uninformed", {u.parameter.symbol: u.start for u in unknowns})]
    for k in range(count):
        found.append(Start(f"broken_{k + 1}", {u.parameter.symbol: u.broken[k] if u.broken else u.start for u in unknowns}))
    return tuple(found)
