"""Static theories: a learner on quenched samples becomes equations through the replica tree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import sympy as sp

from replica.ansatz import RSB
from replica.families import annealed, couplings, ground_state, independent, pairwise, posterior, thermal
from replica.families.composition import compose
from replica.families.draft import Closing, Draft
from replica.families.equations import Opaque, finite_temperature, gauge_fixed, zero_temperature
from replica.families.model import second_moment
from replica.families.moments import RHO, with_moment
from replica.families.reading import StaticModel, control_names, read, refuse_structure
from replica.families.refined import one_step_less
from replica.families.rs import ReplicaSymmetric, replica_symmetric
from replica.families.solved import with_solved
from replica.families.staged import theory as staged
from replica.families.staged.read import has_structure, is_structured
from replica.nodes import Tilted
from replica.symbols import control_symbol
from replica.theory import Theory

_CHARTS = {"erm": ground_state.theory, "bayes": posterior.theory}


def derive(spec: Any, learner: str | None = None) -> Theory:
    """The replica-symmetric theory of one learner.

    Raises:
        Underivable: the spec is sound and this family has no theory for it.
    """
    full = spec.expand()
    conditions = {name: table.condition for name, table in (full.controls or {}).items() if table.condition is not None}
    annealed_average = full.ansatz is not None and full.ansatz.kind == "annealed"
    if independent.stand_apart(full, learner) and not (_structured(full, learner) and has_structure(full)):
        model, found = read(full, next(iter(full.learners))), independent.theory(full)
    elif _structured(full, learner):
        return _finished(spec, full, staged.theory(full, learner), tuple(control_names(full).values()), conditions)
    elif annealed_average or not _thermal(full, learner):
        model = read(full, learner)
        refuse_structure(full, model.name)
        found = annealed.theory(model) if annealed_average else _quenched(model)
        if isinstance(full.ansatz, RSB):
            found = posterior.collapsed(found, int(full.ansatz.k))
    else:
        composition = compose(full, learner, conditions)
        model, found = composition.first, thermal.theory(composition)
        conditions = {name: condition for name, condition in conditions.items() if name != composition.edge}
        if found.system.merged is not None and (len(found.system.minimal) > 1 or not conditions):
            found = replace(found, coarser=partial(_coarser, full, learner))
    if model.disorder is not None:
        found = couplings.told(found, model)
    return _finished(spec, full, found, model.symbols, conditions)


def _coarser(spec: Any, learner: str | None) -> Theory:
    return derive(one_step_less(spec), learner)


def _finished(spec: Any, full: Any, found: Theory, symbols: tuple[sp.Expr, ...], conditions: Mapping[str, tuple[str, float]]) -> Theory:
    """With plain symbols for controls, those that are solved for among the unknowns, and its names."""
    plain = {symbol: control_symbol(symbol.name) for symbol in symbols if isinstance(symbol, sp.Symbol)}
    theory = with_solved(found.xreplace(plain), conditions)
    return replace(theory, name=full.name, fingerprint=_key(spec, full), spec=spec)


def _structured(spec: Any, learner: str | None) -> bool:
    """Whether minimizers meet structured data or one another, under replica symmetry."""
    chosen = [learner] if learner is not None else [name for name, table in spec.learners.items() if table.theory != "none"]
    kinds = {spec.learners[name].protocol.kind for name in chosen if name in spec.learners}
    symmetric = spec.ansatz is None or spec.ansatz.kind == "rs"
    return kinds == {"erm"} and symmetric and is_structured(spec)


def _key(spec: Any, full: Any) -> str:
    """What tells theories apart: the model, the ansatz with its parameters, and the limits that are taken."""
    limits = "".join(f":{name}=inf" for name, table in (full.controls or {}).items() if table.value == math.inf)
    return f"{spec.fingerprint}:{full.ansatz!r}{limits}"


def _thermal(spec: Any, learner: str | None) -> bool:
    """Whether the learners in question sample a Gibbs measure: any replica tree is built for these."""
    chosen = [learner] if learner is not None else list(spec.learners)
    kinds = {spec.learners[name].protocol.kind for name in chosen if name in spec.learners}
    return kinds == {"gibbs"} or (kinds == {"erm"} and spec.ansatz is not None and spec.ansatz.kind == "rsb")


def _quenched(model: StaticModel) -> Theory:
    teacher = model.laws.prior is not None
    system = replica_symmetric(teacher)
    if model.disorder is not None:
        system = pairwise.coupled_rs(system, model.disorder)
    moment = second_moment(model.laws.prior) if model.laws.prior is not None else sp.S.Zero
    rho = RHO if moment.has(Tilted) else moment
    closing = Closing(model.laws, system.label)
    raw = finite_temperature(system)
    draft = Draft(model, system, raw, _opaque(model, system, raw, teacher), closing, rho, teacher)
    theory = _CHARTS[model.protocol](draft)
    return theory if rho is moment else with_moment(theory, moment, model)


def _opaque(model: StaticModel, system: ReplicaSymmetric, raw: Opaque, teacher: bool) -> Opaque:
    if model.protocol != "erm":
        return gauge_fixed(raw, system, teacher)
    loss, penalty = model.laws.loss, model.laws.regularizer
    assert loss is not None
    limit = zero_temperature(system, loss.formula, penalty.formula if penalty is not None else lambda w: sp.S.Zero, teacher)
    return gauge_fixed(limit, system, teacher)
