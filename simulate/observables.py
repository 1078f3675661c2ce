"""Observables that a spec declares, measured on a finite system: overlaps, averages over fresh data, energies between solutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from replica.formula import exact, names_in, parse, parse_condition
from replica.spec.observables import (
    Agreement,
    Average,
    BooleanMeanDimension,
    Combination,
    Cosine,
    GeodesicEnergy,
    Overlap,
    Similarity,
    Standard,
)
from simulate.draw import bound, number
from simulate.draw.fresh import Fresh, Population
from simulate.instance import Instance
from simulate.learn.estimate import Outcome
from simulate.learn.tape import Tape, numpy_operations
from simulate.naming import last, learner_of, vectors
from simulate.representations import alignment, boolean_mean_dimension

_PAIRS = 64  # of samples of two learners between which an energy is measured


def declared(instance: Instance, outcome: Outcome, found: Mapping[str, float], population: Population) -> dict[str, float]:
    """Name -> value of the declared observables that can be measured; the others are left out.

    Args:
        found: the standard observables of the run.
        population: test data.
    """
    known = dict(found)
    for name, record in (getattr(instance.spec, "observables", None) or {}).items():
        value = _one(instance, outcome, known, record, population)
        if value is not None and name not in found:
            known[name] = float(value)
    return {name: value for name, value in known.items() if name not in found}


def _one(instance: Instance, outcome: Outcome, known: Mapping[str, float], record: Any, population: Population) -> float | None:
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
        name = _vector(instance, outcome, record.learner)
        return known.get(f"{record.kind}[{name}]", known.get(str(record.kind)))
    if isinstance(record, Agreement):
        first, second = (_vector(instance, outcome, word) for word in record.between or ())
        return _agreement(first, second, population)
    if isinstance(record, BooleanMeanDimension):
        of = _vector(instance, outcome, record.of)
        return None if of is None else boolean_mean_dimension(outcome.estimates[of], instance.size, population.rng)
    if isinstance(record, Similarity) and record.measure in (None, "cka"):
        pair = [_vector(instance, outcome, word) for word in record.between or ()]
        if None in pair:
            return None
        first_net, second_net = (outcome.estimates[str(name)] for name in pair)
        return alignment(instance, first_net, second_net, round(number(record.layer or 0, instance.at)), population.rng)
    if isinstance(record, Average):
        return _average(instance, outcome, record, population)
    return None


def _vector(instance: Instance, outcome: Outcome, learner: str | None) -> str | None:
    """The trained vector that a learner's name means, which is the last of its stages; the last of all where none is named."""
    names = tuple(outcome.estimates)
    return last(names, learner) if learner else (names[-1] if names else None)


def _overlap(instance: Instance, outcome: Outcome, known: Mapping[str, float], a: str, b: str) -> float | None:
    """a.b/d; of a learner that samples with itself its own norm, of two learners that of independent draws."""
    names = [name if name in instance.truth else _vector(instance, outcome, name) for name in (a, b)]
    if None in names:
        return None
    if a == b and a not in instance.truth:
        several, kind = len(vectors(instance.spec)) > 1, instance.spec.learners[a].protocol.kind
        own = f"Q[{names[0]}]" if several else "Q"
        pair = f"q[{names[0]},{names[0]}]" if several else "q"
        return known.get(own if kind == "gibbs" else pair, known.get(pair))
    u, v = (instance.truth[str(name)] if name in instance.truth else outcome.estimates[str(name)].mean for name in names)
    return float(np.mean(u * v)) if u.shape == v.shape else None


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


def _agreement(a: str | None, b: str | None, population: Population) -> float | None:
    if a is None or b is None:
        return None
    return sum(part.share * float(np.mean(part.fields[a] * part.fields[b] > 0)) for part in population.cells())


def _average(instance: Instance, outcome: Outcome, record: Average, population: Population) -> float | None:
    """Over fresh samples of a slice or group, by default of the last stage, for learners that predict with their own fields."""
    spec = instance.spec
    own = record.learner or (next(iter(spec.learners)) if len(spec.learners) == 1 else None)
    used = set(names_in(str(record.average)) + (() if record.given is None else names_in(str(record.given))))
    fields = {word: last(tuple(outcome.estimates), word[2:]) for word in used if word.startswith("z_") and word[2:] in spec.learners}
    if own is not None:
        fields["z"] = last(tuple(outcome.estimates), own)
    if None in fields.values():
        return None
    y, z = sp.symbols("y z", real=True)
    symbols = {word: sp.Symbol(word, real=True) for word in fields}
    words = {**{key: exact(value) for key, value in instance.at.items()}, "y": y, **symbols}
    if own is not None and (loss := spec.learners[own].loss) is not None and "loss" in used:
        others = {f"z_{name}": sp.Symbol(f"z_{name}", real=True) for name in spec.learners}
        words["loss"] = sp.sympify(loss.bind({**words, **others}).formula(y, z))
        mentioned = {str(symbol) for symbol in words["loss"].free_symbols} - {"y", "z"}
        fields |= {word: last(tuple(outcome.estimates), word[2:]) for word in mentioned}
        symbols |= {word: others[word] for word in mentioned}
    body = parse(str(record.average), words)
    weight = sp.S.One if record.given is None else sp.Piecewise((sp.S.One, parse_condition(record.given, words)), (sp.S.Zero, True))
    tape = Tape((body * weight, weight), (y, *symbols.values()), numpy_operations())
    total = mass = 0.0
    for part in population.cells(record.on):
        values, counted = tape(part.y, *(_noisy(instance, outcome, str(fields[word]), part, population) for word in symbols))
        total, mass = total + part.share * float(np.mean(values)), mass + part.share * float(np.mean(counted))
    return total / mass if mass > 0 else None


def _noisy(instance: Instance, outcome: Outcome, name: str, part: Fresh, population: Population) -> np.ndarray:
    """The field of a learner; of one drawn from a measure, with the spread of that measure."""
    field, spread = part.fields[name], outcome.estimates[name].spread
    if instance.spec.learners[learner_of(name)].protocol.kind == "gibbs" and spread > 0:
        return field + np.sqrt(spread) * population.rng.standard_normal(field.shape)
    return field
