"""Several learners in one stage that nothing joins: each has the theory of one, and every pair an overlap through the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import sympy as sp

from replica.families import thermal
from replica.families.chart import Regime
from replica.families.composition import Composition, compose
from replica.families.joint_observables import declared_jointly
from replica.families.model import Underivable
from replica.families.pairs import Pair, Part
from replica.theory import Assumption, Start, Stationary, Step, Theory

INDEPENDENT = Assumption("independent_learners", "learners of one stage are drawn independently of each other, given the data")


def stand_apart(spec: Any, learner: str | None) -> bool:
    """Whether a spec asks for several learners of one stage that no coupling joins."""
    learners = spec.learners.values()
    joined = any(one.couple for one in (*learners, *spec.stages))
    kinds = {one.protocol.kind for one in learners}
    annealed = spec.ansatz is not None and spec.ansatz.kind == "annealed"
    return (
        learner is None and len(spec.learners) > 1 and len(spec.stages) == 1 and not joined and kinds <= {"gibbs", "erm"} and not annealed
    )


def theory(spec: Any) -> Theory:
    """The theories of all learners of an expanded spec, and the overlap of each pair.

    Raises:
        Underivable: a learner that has no theory beside others yet.
    """
    parts = [_part(spec, name) for name in spec.learners]
    pairs = [Pair(one, other) for one, other in combinations(parts, 2)]
    theories = [part.theory for part in parts]
    cross = [unknown for pair in pairs for unknown in pair.unknowns()]
    systems = [one.system for one in theories]
    own = [u for system in systems for u in system.unknowns]
    equations = [e for system in systems for e in system.equations]
    found = Theory(
        name="",
        fingerprint="",
        controls=theories[0].controls,
        system=Stationary(
            (*own, *(u.parameter for u in cross)),
            (*equations, *(u.equation for u in cross)),
            tuple(dict.fromkeys(c for system in systems for c in system.constraints)),
            _starts(systems, {u.parameter.symbol: u.start for u in cross}),
        ),
        order_parameters=_joined(one.order_parameters for one in theories) | {pair.name: pair.value() for pair in pairs},
        conjugates=_joined(one.conjugates for one in theories) | {f"{pair.name}_hat": pair.value(True) for pair in pairs},
        free_entropy=sp.Add(*(one.free_entropy for one in theories)),
        observables={f"{key}[{part.name}]": value for part in parts for key, value in part.theory.observables.items()},
        terms={key: sp.Add(*(one.terms[key] for one in theories)) for key in theories[0].terms},
        assumptions=tuple(dict.fromkeys(a for one in theories for a in one.assumptions)) + (INDEPENDENT,),
        trail=tuple(replace(step, title=f"{step.title}: {part.name}") for part in parts for step in part.theory.trail),
    )
    found = replace(found, trail=(*found.trail, *(_told(pair) for pair in pairs)))
    return replace(found, observables={**found.observables, **declared_jointly(pairs, found, spec.observables or {})})


def _part(spec: Any, name: str) -> Part:
    composition = compose(spec, name, named=True)
    composition = replace(composition, models={name: replace(composition.first, observables={})})
    _refuse(composition, name)
    sheets = thermal.sheets_of(composition)
    return Part(name, composition, sheets, thermal.theory_of(composition, sheets))


def _refuse(composition: Composition, name: str) -> None:
    if composition.first.disorder is not None:
        raise Underivable(f"stage: {name} trains beside others on couplings between weights; independent learners need samples")
    if composition.copies is not None or composition.regime not in (Regime.FINITE, Regime.GROUND):
        raise Underivable(f"learner.{name}: real replicas or selected samples beside independent learners have no theory yet")
    if composition.free_steps:
        raise Underivable("ansatz.x: independent learners have no theory with free Parisi parameters yet; write x as a value")
    if any(member.silent for member in composition.structure.members):
        raise Underivable(f"learner.{name}: it reads no samples, so that nothing relates it to the others; take it out")


def _joined(tables) -> dict[str, sp.Expr]:
    return {key: value for table in tables for key, value in table.items()}


def _starts(systems: list[Stationary], cross: Mapping[sp.Symbol, sp.Expr]) -> tuple[Start, ...]:
    """Starts of the same name together; a learner without one takes its first."""
    names = dict.fromkeys(start.name for system in systems for start in system.starts)
    found = []
    for name in names:
        chosen = [next((start for start in system.starts if start.name == name), system.starts[0]) for system in systems]
        found.append(Start(name, {k: v for start in chosen for k, v in start.values.items()} | dict(cross)))
    return tuple(found)


def _told(pair: Pair) -> Step:
    one, other = pair.one.name, pair.other.name
    symbols = (pair.tree.symbol(pair.overlap), pair.tree.symbol(pair.overlap, True))
    return Step(
        "Overlap of independent learners",
        f"n copies of {one} and s of {other} on the same samples, part of order n s: {symbols[0]} is the product of their mean weights, "
        "its conjugate that of their mean scores; each keeps its own equations",
        tuple(sp.Eq(symbol, pair.value(hat), evaluate=False) for symbol, hat in zip(symbols, (False, True), strict=True)),
        INDEPENDENT,
    )
