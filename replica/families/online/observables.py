"""What is measured along a one-pass run: averages over new samples of the last stage, or of the slice or group that is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from replica.families.model import Underivable
from replica.families.online import names as nm
from replica.families.online.reading import CellLaw, OnlineModel
from replica.families.online.ways import Body, Way
from replica.formula import parse, parse_condition
from replica.labels import SIGNS
from replica.spec.observables import Average, Combination
from replica.theory import Definition


@dataclass(frozen=True)
class Observed:
    """Definitions of the averages in each cell, their weights, and the observables in terms of both.

    Args:
        used: 1 for every cell that some average uses.
        sampled: the ways that need nodes, by number.
    """

    program: tuple[Definition, ...]
    weights: Mapping[sp.IndexedBase, tuple[sp.Expr, ...]]
    values: tuple[sp.IndexedBase, ...]
    results: Mapping[str, sp.Expr]
    used: tuple[sp.Expr, ...]
    sampled: Mapping[int, Way]


def observed(model: OnlineModel, found: tuple[Way, ...]) -> Observed:
    """The standard observables (loss, and the error of signs or the mean square of numbers) and the declared averages."""
    bodies: dict[str, Body] = {}
    weights: dict[str, tuple[sp.Expr, ...]] = {}
    last = model.stages[-1].weights
    for name, body in _standard(model, last).items():
        bodies[name], weights[name] = body, last
    ratios: dict[str, tuple[str, str]] = {}
    for name, record in model.observables.items():
        if not isinstance(record, Average):
            continue
        bodies[name], weights[name] = _declared(model, record, False), _weights(model, record.on, last)
        if record.given is not None:
            bodies[f"{name}_given"], weights[f"{name}_given"] = _declared(model, record, True), weights[name]
            ratios[name] = (name, f"{name}_given")
    used = tuple(sp.S.One if any(w[n] != 0 for w in weights.values()) else sp.S.Zero for n in range(len(model.cells)))
    program: list[Definition] = []
    sampled = {}
    for way in found:
        if not any(used[way.first - 1 : way.last]):
            continue
        program += way.covariances(nm.test[nm.c])
        definitions, nodes = way.observed(bodies, nm.test[nm.c])
        program += definitions
        if nodes:
            sampled[way.number] = way
    bases = {name: sp.IndexedBase(f"p_{name}") for name in bodies}
    values = {name: sp.IndexedBase(f"obs_{name}") for name in bodies}
    plain = {name: sp.Sum(bases[name][nm.c] * values[name][nm.c], (nm.c, 1, nm.C)) for name in bodies}
    results = {name: value for name, value in plain.items() if not name.endswith("_given")}
    results |= {name: plain[top] / plain[bottom] for name, (top, bottom) in ratios.items()}
    for name, record in model.observables.items():
        if isinstance(record, Combination):
            results[name] = parse(record.formula or "", {**model.names, **results})
    return Observed(tuple(program), {bases[name]: weights[name] for name in bodies}, tuple(values.values()), results, used, sampled)


def _standard(model: OnlineModel, last: tuple[sp.Expr, ...]) -> dict[str, Body]:
    tested = [cell for cell, weight in zip(model.cells, last, strict=True) if weight != 0]
    found: dict[str, Body] = {"loss": model.loss.formula}
    if all(_signs(cell) for cell in tested):
        found["generalization_error"] = lambda y, z: sp.Heaviside(-y * z, sp.Rational(1, 2))
    else:
        found["mse"] = lambda y, z: (y - z) ** 2
    return found


def _signs(cell: CellLaw) -> bool:
    channel = cell.target.channel
    if channel is not None:
        return channel.labels() == SIGNS
    return cell.target.random or cell.value in (1, -1)


def _declared(model: OnlineModel, record: Average, condition: bool) -> Body:
    def body(y: sp.Expr, z: sp.Expr) -> sp.Expr:
        words = {**model.names, "y": y, "z": z, f"z_{model.learner}": z, "loss": model.loss.formula(y, z)}
        value = sp.S.One if condition else parse(record.average or "", words)
        if record.given is None:
            return value
        return value * sp.Piecewise((sp.S.One, parse_condition(record.given, words)), (sp.S.Zero, True))

    return body


def _weights(model: OnlineModel, on: str | None, last: tuple[sp.Expr, ...]) -> tuple[sp.Expr, ...]:
    """Probability of each cell under a slice or group; of the last stage where none is named."""
    if on is None:
        return last
    seen = [cell for cell in model.cells if on in (cell.slice, cell.group)]
    if not seen:
        raise Underivable(f"observables: no cell belongs to '{on}'")
    total = sp.Add(*(cell.odds for cell in seen))
    return tuple(cell.odds / total if cell in seen else sp.S.Zero for cell in model.cells)
