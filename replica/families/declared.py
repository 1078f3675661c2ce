"""Observables that a spec declares: averages over a new sample, overlaps, cosines, and formulas of other observables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from replica.families.draft import Draft
from replica.families.observables import Predictor, Sampled, on_new_sample
from replica.formula import parse, parse_condition
from replica.spec.observables import Average, Combination, Cosine, Overlap, Standard


def declared(draft: Draft | Sampled, predictor: Predictor, found: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    """The declared observables that this theory can give; built-in kinds of other families are left to them.

    Args:
        predictor: the field z with which the learner predicts.
        found: the standard observables, by name.
    """
    names = draft.model.names
    known = dict(found)
    for name, record in draft.model.observables.items():
        value = _one(draft, predictor, known, record, names)
        if value is not None:
            known[name] = value
    return {name: value for name, value in known.items() if name not in found}


def _one(
    draft: Draft | Sampled, predictor: Predictor, known: Mapping[str, sp.Expr], record: Any, names: Mapping[str, sp.Expr]
) -> sp.Expr | None:
    if isinstance(record, Average):
        return _average(draft, predictor, record, names) if draft.teacher else None
    if isinstance(record, (Overlap, Cosine)):
        return _overlap(draft, predictor, record)
    if isinstance(record, Combination):
        return parse(record.formula or "", {**names, **known})
    if isinstance(record, Standard):
        return known.get(record.kind or "")
    return None


def _average(draft: Draft | Sampled, predictor: Predictor, record: Average, names: Mapping[str, sp.Expr]) -> sp.Expr:
    def body(y: sp.Expr, z: sp.Expr) -> sp.Expr:
        words = {**names, "y": y, "z": z, f"z_{draft.model.name}": z}
        if draft.model.laws.loss is not None:
            words["loss"] = draft.model.laws.loss.formula(y, z)
        return parse(record.average or "", words)

    value = on_new_sample(draft, predictor, body)
    if record.given is None:
        return value
    condition = record.given

    def holds(y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return sp.Piecewise((sp.S.One, parse_condition(condition, {**names, "y": y, "z": z})), (sp.S.Zero, True))

    both = on_new_sample(draft, predictor, lambda y, z: body(y, z) * holds(y, z))
    return both / on_new_sample(draft, predictor, holds)


def _overlap(draft: Draft | Sampled, predictor: Predictor, record: Overlap | Cosine) -> sp.Expr | None:
    pair = record.overlap if isinstance(record, Overlap) else record.cosine
    learner = draft.model.name
    vectors = set(pair or ())
    if learner not in vectors:
        return None
    own = vectors == {learner}
    value = predictor.variance if own else predictor.covariance
    if isinstance(record, Overlap):
        return value
    return sp.S.One if own else value / sp.sqrt(draft.rho * predictor.variance)
