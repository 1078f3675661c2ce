"""How the learners of a spec stand together: replicas around a centre, a probe around a reference, RSB levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from replica.ansatz import RSB
from replica.families.chart import Regime
from replica.families.joins import joins
from replica.families.model import SharedLaws, Underivable
from replica.families.pairwise import coupled
from replica.families.reading import StaticModel, read, refuse_structure
from replica.families.selection import TILT, Selected, read_selection, switched
from replica.families.structure import Member, Structure, replicated
from replica.formula import exact, parse
from replica.ingredients import FREE
from replica.losses import Zero


@dataclass(frozen=True)
class Composition:
    """A static model of one or several learners, and the structure of its replicas.

    Args:
        models: learner -> its laws.
        structure: the replica trees.
        steps: Parisi parameters, outermost first.
        free_steps: those of them that are extremized.
        imposed: overlap name -> value held.
        pressed: overlap name -> log-weight per w w', of a length per w^2/2.
        self_overlaps: learner -> imposed length.
        copies: number of real replicas, None where every learner stands once.
    """

    models: Mapping[str, StaticModel]
    structure: Structure
    steps: tuple[sp.Symbol, ...]
    parisi: Mapping[sp.Symbol, sp.Expr]
    free_steps: tuple[sp.Symbol, ...]
    imposed: Mapping[str, sp.Expr]
    pressed: Mapping[str, sp.Expr]
    self_overlaps: Mapping[str, sp.Expr]
    copies: sp.Expr | None
    real: sp.Symbol
    regime: Regime
    edge: str | None = None  # control solved for at the edge of solvability
    selection: Selected | None = None  # a measure over which samples are kept

    @property
    def first(self) -> StaticModel:
        return next(iter(self.models.values()))

    @property
    def laws(self) -> SharedLaws:
        return SharedLaws({name: model.laws for name, model in self.models.items()})


REAL_REPLICAS = sp.Symbol("y_copies", positive=True)


def compose(
    spec: Any, learner: str | None = None, conditions: Mapping[str, tuple[str, float]] | None = None, named: bool = False
) -> Composition:
    """The composition of an expanded spec; with `learner`, of that one alone, which nothing may join.

    Args:
        named: `learner` is one of several that stand side by side; its order parameters carry its name.

    Raises:
        Underivable: names the part of the spec whose structure has no theory yet.
    """
    chosen = list(spec.learners) if learner is None else [learner]
    if learner is not None and not named:
        refuse_structure(spec, learner)
    models = {name: read(spec, name) for name in chosen}
    first = next(iter(models.values()))
    names = first.names
    stages = [[name for name in stage.learners if name in chosen] for stage in spec.stages]
    if len(stages) > 2:
        raise Underivable(f"stage: {len(stages)} stages have no static theory yet (built: one, or a reference and its probe)")
    steps, parisi, free = _steps(spec, names)
    members = [_member(spec, models[name]) for name in stages[0]]
    probes = [_member(spec, models[name]) for name in stages[1]] if len(stages) == 2 else []
    copied = [m for m in (*members, *probes) if m.copies != 1]
    if len(copied) > 1 or any(m in copied for m in probes):
        found = " ".join(m.name for m in copied)
        raise Underivable(f"copies: one learner with real replicas, in the first stage, is built yet, found {found}")
    if probes and (len(members) > 1 or len(probes) > 1):
        names_of = " then ".join(" ".join(stage) for stage in stages)
        raise Underivable(f"stage: one reference, then one probe of it is built yet, found {names_of}; more may stand in one stage alone")
    selection = read_selection(spec, first, [*members, *probes])
    real = REAL_REPLICAS if selection is None else TILT
    standing = tuple(Member(m.name, real if m in copied or selection is not None else sp.S.One, m.silent) for m in members)
    structure = replicated(first.laws.prior is not None, standing, steps, tuple(probes), named)
    if first.disorder is not None:
        structure = coupled(structure, first.disorder, SharedLaws({name: model.laws for name, model in models.items()}))
    if selection is not None:
        structure = switched(structure)
    imposed, pressed = joins(spec, structure, models, {m.name: REAL_REPLICAS for m in copied})
    if len(members) > 1 and not (imposed or pressed):
        apart = " ".join(m.name for m in members)
        raise Underivable(f"stage: {apart} train together and no coupling joins them; their joint overlaps have no theory yet")
    lengths = {name: _number(learner.self_overlap, names) for name, learner in spec.learners.items() if learner.self_overlap is not None}
    copies = selection.tilt if selection is not None else copied[0].copies if copied else None
    edge = _edge(conditions or {}, structure, first)
    regime = _regime(models, copies) if edge is None else Regime.EDGE
    if probes and regime is Regime.COPIES:
        raise Underivable("copies: around one of infinitely many real replicas no probe is built yet; use a finite number")
    if selection is not None and regime is not Regime.FINITE:
        raise Underivable(f"slice.selection: selected samples have no theory yet in this limit ({regime.value})")
    return Composition(models, structure, steps, parisi, free, imposed, pressed, lengths, copies, real, regime, edge, selection)


def _edge(conditions: Mapping[str, tuple[str, float]], structure: Structure, model: StaticModel) -> str | None:
    """The control that is solved for where the innermost overlap reaches the length of the sphere: solutions shrink to a point.

    Any other value of an overlap is an ordinary condition on the solution.
    """
    prior = model.laws.student_prior
    norm = prior.pinned_norm() if prior is not None else None
    if norm is None or not norm.is_number or not model.laws.counts_solutions:
        return None
    last = structure.levels[0].tree.name(structure.chain(structure.members[0].name)[-2])
    found = [name for name, (quantity, value) in conditions.items() if quantity == last and float(norm) == value]
    return found[0] if found else None


def _regime(models: Mapping[str, StaticModel], copies: sp.Expr | None) -> Regime:
    """Which limit the spec asks for: many real replicas, or zero temperature of an energy that is not 0 or infinite."""
    cold = [m for m in models.values() if m.laws.beta == sp.oo and (m.disorder is not None or not m.laws.counts_solutions)]
    if copies == sp.oo:
        if cold:
            raise Underivable("copies: infinitely many real replicas at zero temperature have no theory yet; use a finite beta")
        return Regime.COPIES
    if cold and len(models) > 1:
        raise Underivable("zero temperature of several learners has no theory yet; use a finite beta")
    return Regime.GROUND if cold else Regime.FINITE


def _steps(spec: Any, names: Mapping[str, sp.Expr]) -> tuple[tuple[sp.Symbol, ...], dict[sp.Symbol, sp.Expr], tuple[sp.Symbol, ...]]:
    if not isinstance(spec.ansatz, RSB):
        return (), {}, ()
    bound = spec.ansatz.bind(names)
    ladder = bound.ladder
    symbols = tuple(sp.Symbol("x_parisi" if len(ladder) == 1 else f"x_parisi{j}", positive=True) for j in range(1, len(ladder) + 1))
    parisi = {
        s: sp.Symbol(s.name.replace("_parisi", ""), real=True) if value == FREE else bound.expr(value)
        for s, value in zip(symbols, ladder, strict=True)
    }
    free = tuple(s for s, value in zip(symbols, ladder, strict=True) if value == FREE)
    for name in (parisi[s].name for s in free):
        if name in names:
            raise Underivable(f"controls.{name}: '{name}' is a Parisi parameter that is extremized; give the control another name")
    return symbols, parisi, free


def _member(spec: Any, model: StaticModel) -> Member:
    learner = spec.learners[model.name]
    copies = _number(learner.copies, model.names) if learner.copies is not None else sp.S.One
    return Member(model.name, copies, isinstance(learner.loss, Zero) and model.disorder is None)


def _number(value: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    return parse(value, names) if isinstance(value, str) else exact(value)
