"""Observables that a spec declares, measured on a finite system: overlaps, averages over fresh data, energies between solutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from replica.formula import exact, names_in, parse, parse_condition
from replica.spec.observables import Average, Combination, Cosine, GeodesicEnergy, Overlap, Standard
from simulate.draw import bound, number
from simulate.draw.fresh import fresh
from simulate.instance import Instance
from simulate.learn.estimate import Outcome
from simulate.learn.tape import Tape, numpy_operations

_PAIRS = 64  # of samples of two learners between which an energy is measured


def declared(instance: Instance, outcome: Outcome, found: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """Name -> value of the declared observables that can be measured; the others are left out.

    Args:
        found: the standard observables of the run.
        rng: for test data.
    """
    known = dict(found)
    for name, record in (getattr(instance.spec, "observables", None) or {}).items():
        value = _one(instance, outcome, known, record, rng)
        if value is not None and name not in found:
            known[name] = float(value)
    return {name: value for name, value in known.items() if name not in found}


def _one(instance: Instance, outcome: Outcome, known: Mapping[str, float], record: Any, rng: np.random.Generator) -> float | None:
    if isinstance(record, Overlap):
        return _overlap(instance, outcome, known, *record.overlap)  # type: ignore[misc]
    if isinstance(record, Cosine):
        a, b = record.cosine  # type: ignore[misc]
        parts = [_overlap(instance, outcome, known, *pair) for pair in ((a, b), (a, a), (b, b))]
        return None if None in parts or not parts[1] or not parts[2] else parts[0] / np.sqrt(parts[1] * parts[2])
    if isinstance(record, GeodesicEnergy):
        return _geodesic(instance, outcome, record)
    if isinstance(record, Combination):
        names = {**instance.at, **known}
        formula = str(record.formula)
        return number(formula, names) if set(names_in(formula)) <= set(names) else None
    if isinstance(record, Standard):
        return known.get(f"{record.kind}[{record.learner}]" if record.learner and len(instance.spec.learners) > 1 else str(record.kind))
    if isinstance(record, Average):
        return _average(instance, outcome, record, rng)
    return None


def _overlap(instance: Instance, outcome: Outcome, known: Mapping[str, float], a: str, b: str) -> float | None:
    """a.b/d; of a learner that samples with itself its own norm, of two learners that of independent draws."""
    if a == b and a in outcome.estimates:
        suffix = f"[{a}]" if len(instance.spec.learners) > 1 else ""
        kind = instance.spec.learners[a].protocol.kind
        return known.get(f"{'Q' if kind == 'gibbs' else 'q'}{suffix}", known.get(f"q{suffix}"))
    vectors = [outcome.estimates[name].mean if name in outcome.estimates else instance.truth.get(name) for name in (a, b)]
    if vectors[0] is None or vectors[1] is None:
        return None
    return float(vectors[0] @ vectors[1]) / instance.size


def _geodesic(instance: Instance, outcome: Outcome, record: GeodesicEnergy) -> float | None:
    """Energy per weight of (1 - at) a + at b, brought to the length of a, for samples a and b of the two vertices."""
    names = tuple(record.vertices or ())
    draws = [outcome.estimates[name].samples if name in outcome.estimates else None for name in names]
    if draws[0] is None or draws[1] is None:
        return None
    count = min(len(draws[0]), len(draws[1]), _PAIRS)
    a, b = draws[0][:count], draws[1][:count]
    position = number(record.at, instance.at)
    w = (1 - position) * a + position * b
    w *= np.sqrt(np.sum(a**2, axis=1) / np.sum(w**2, axis=1))[:, None]
    y = np.broadcast_to(instance.arrays["y"], (count, len(instance.arrays["y"])))
    z = w @ instance.arrays["x"].T / np.sqrt(instance.size)
    if record.margin is not None:
        return float(np.sum(y * z < number(record.margin, instance.at))) / count / instance.size
    return float(np.sum(_formula(bound(instance.spec.learners[names[0]].loss, instance.at).formula)(y, z))) / count / instance.size


def _formula(rule: Callable[[sp.Expr, sp.Expr], Any]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    y, z = sp.symbols("y z", real=True)
    tape = Tape((sp.sympify(rule(y, z)),), (y, z), numpy_operations())
    return lambda labels, fields: tape(labels, fields)[0]


def _average(instance: Instance, outcome: Outcome, record: Average, rng: np.random.Generator) -> float | None:
    """Over fresh samples of the last slice, for a learner that predicts with its own field."""
    name = record.learner or next(iter(instance.spec.learners))
    if name not in outcome.estimates or record.on not in (None, *list(instance.spec.slices)[-1:]):
        return None
    learner, estimate = instance.spec.learners[name], outcome.estimates[name]
    y, z = sp.symbols("y z", real=True)
    words = {**{key: exact(value) for key, value in instance.at.items()}, "y": y, "z": z, f"z_{name}": z}
    if learner.loss is not None:
        words["loss"] = sp.sympify(bound(learner.loss, instance.at).formula(y, z))
    body = parse(str(record.average), words)
    weight = sp.S.One if record.given is None else sp.Piecewise((sp.S.One, parse_condition(record.given, words)), (sp.S.Zero, True))
    tape = Tape((body * weight, weight), (y, z), numpy_operations())
    total = weights = 0.0
    for part in fresh(instance, estimate.mean, rng):
        field = part.student
        if learner.protocol.kind == "gibbs" and estimate.spread > 0:
            field = field + np.sqrt(estimate.spread) * rng.standard_normal(field.shape)
        value, mass = tape(part.y, field)
        total, weights = total + part.share * float(np.mean(value)), weights + part.share * float(np.mean(mass))
    return total / weights if weights > 0 else None
