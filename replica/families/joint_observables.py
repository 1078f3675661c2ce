"""Declared observables of independent learners: overlaps and cosines, agreement, the energy between two solutions, and formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from replica.families.chart import Regime
from replica.families.closed_level import plain
from replica.families.declared import declared
from replica.families.model import Underivable
from replica.families.pairs import Pair, Part
from replica.families.thermal_observables import sampled
from replica.formula import exact, parse
from replica.labels import SIGNS
from replica.losses import Theta
from replica.nodes import Gauss, LogH
from replica.passes.between import Between
from replica.passes.gaussian import orthant
from replica.spec.observables import Agreement, Average, Combination, Cosine, GeodesicEnergy, Standard
from replica.spec.observables import Overlap as Product
from replica.theory import Theory
from replica.tree import Overlap, Side

END = sp.Rational(1, 10**9)
"""How near to a vertex a point between two is looked at: on the vertex the other one's field would be divided by zero."""


def declared_jointly(pairs: Sequence[Pair], theory: Theory, records: Any) -> dict[str, sp.Expr]:
    """Name -> value of the declared observables that this theory can give; the others are left out.

    Args:
        theory: of all learners, with their standard observables under the names `kind[learner]`.
        records: the declared observables of the spec.
    """
    known = dict(theory.observables)
    for name, record in records.items():
        value = _one(pairs, known, name, record)
        if value is not None:
            known[name] = value
    return {name: value for name, value in known.items() if name not in theory.observables}


def _one(pairs: Sequence[Pair], known: dict[str, sp.Expr], name: str, record: Any) -> sp.Expr | None:
    names = pairs[0].one.composition.first.names
    if isinstance(record, Combination):
        return parse(record.formula or "", {**names, **known})
    if isinstance(record, Standard):
        return known.get(f"{record.kind}[{record.learner}]")
    between = _vectors(record)
    pair = next((p for p in pairs if between == {p.one.name, p.other.name}), None)
    if pair is not None:
        return _of_two(pair, record)
    of = next((part for pair in pairs for part in (pair.one, pair.other) if part.name in between or part.name == _learner(record)), None)
    return None if of is None else _of_one(of, name, record)


def _vectors(record: Any) -> set[str]:
    for key in ("overlap", "cosine", "between", "vertices"):
        if getattr(record, key, None) is not None:
            return set(getattr(record, key))
    return set()


def _learner(record: Any) -> str | None:
    return record.learner if isinstance(record, Average) else None


def _of_one(part: Part, name: str, record: Any) -> sp.Expr | None:
    """What the learner's own theory gives."""
    composition = replace(part.composition, models={part.name: replace(part.composition.first, observables={name: record})})
    return declared(*sampled(composition, part.sheets, part.name), {}).get(name)


def _of_two(pair: Pair, record: Any) -> sp.Expr | None:
    cosine = pair.value() / sp.sqrt(_length(pair.one) * _length(pair.other))
    if isinstance(record, Product):
        return pair.value()
    if isinstance(record, Cosine):
        return cosine
    if isinstance(record, Agreement):
        return _agreement(pair, cosine)
    if isinstance(record, GeodesicEnergy):
        return _between(pair, record)
    return None


def _length(part: Part) -> sp.Expr:
    """|w|^2/d of a draw."""
    return plain(part.sheets, Overlap(None, part.name, part.name)).xreplace(dict(part.composition.parisi))


def _agreement(pair: Pair, cosine: sp.Expr) -> sp.Expr | None:
    """The same sign of both fields on a new sample: one field, and the other given it."""
    channel = pair.one.composition.first.laws.channel
    if channel is not None and channel.labels() != SIGNS:
        return None
    h = sp.Dummy("h", real=True)
    both = orthant(sp.Heaviside(h, sp.Rational(1, 2)), LogH(-cosine * h / sp.sqrt(1 - cosine**2)), (Gauss([h], [0], [[1]]),))
    return None if both is None else 2 * both


def _between(pair: Pair, record: GeodesicEnergy) -> sp.Expr:
    """Energy per weight of (1 - at) w_one + at w_other, brought to the length of w_one, averaged over samples in the fields of both.

    Raises:
        Underivable: vertices whose fields on a sample are not drawn from one law each.
    """
    first, second = (pair.one, pair.other) if record.vertices[0] == pair.one.name else (pair.other, pair.one)  # type: ignore[index]
    for part in (first, second):
        if part.composition.steps or part.composition.regime is not Regime.FINITE:
            raise Underivable(
                f"observables: an energy between solutions is built for ansatz 'rs' and protocol 'gibbs', not for {part.name} here"
            )
    model = first.composition.first
    at = END + (1 - 2 * END) * (parse(record.at, model.names) if isinstance(record.at, str) else exact(record.at))
    loss = model.laws.loss
    if record.margin is not None:
        loss = Theta(margin=record.margin).bind(model.names)
    assert loss is not None
    lengths = [part.sheets.chart[part.sheets.symbol(Overlap(None, part.name, part.name))] for part in (first, second)]
    norm = (1 - at) ** 2 * lengths[0] + at**2 * lengths[1] + 2 * at * (1 - at) * pair.tree.symbol(pair.overlap)
    scale = sp.sqrt(lengths[0] / norm)
    samples, root = pair.functional(Side.ENERGETIC), pair.tree.root
    leaves = {child.leaves[0]: samples.leaf(child, child.leaves[0], root) for child in root.children}
    u = sp.Dummy("u", real=True)
    formula = loss.formula(pair.label, u)
    body = Between(leaves[first.name], leaves[second.name], formula, u, (1 - at) * scale, at * scale)
    return model.alpha * pair.closed(pair.arranged(samples.root_average(body), Side.ENERGETIC), Side.ENERGETIC)
