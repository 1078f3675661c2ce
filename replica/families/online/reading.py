"""From an expanded spec to a one-pass learner: its units, the cells it sees in each stage, the directions that make means and labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from replica.families.model import Underivable, refuse_undeclared, second_moment
from replica.formula import exact, parse
from replica.ingredients import Activation, Channel, Loss
from replica.nodes import Tilted
from replica.symbols import Control, control_symbol

X = sp.Symbol("x", real=True)
"""The argument of activations."""


@dataclass(frozen=True)
class Units:
    """z = sum over units of readout times activation of the unit's field.

    Args:
        count: number of units.
        output: the activation as an expression in X.
        trained: whether the readout moves.
    """

    count: sp.Expr
    output: sp.Expr
    trained: bool = False


@dataclass(frozen=True)
class Target:
    """How labels are made: by a channel of a latent's output, as a value that differs from cell to cell, or as random signs."""

    latent: str | None
    channel: Channel | None
    bias: sp.Expr
    random: bool = False


@dataclass(frozen=True)
class CellLaw:
    """One group in one slice.  `variances` by block, `mean` by latent, `odds` inside its slice, `value` of a constant label."""

    name: str
    slice: str
    group: str
    variances: tuple[sp.Expr, ...]
    mean: Mapping[str, sp.Expr]
    target: Target
    value: sp.Expr
    odds: sp.Expr


@dataclass(frozen=True)
class LatentLaw:
    """Fixed vectors of the data: `units` of them, with their overlaps per block."""

    name: str
    units: Units
    moments: tuple[sp.Expr, ...]  # second moment of an entry, by block, times the fraction of the block
    place: int  # how many directions stand before it


@dataclass(frozen=True)
class Stretch:
    """A stage: how long, with which weights of the cells, at which rates."""

    name: str
    duration: sp.Expr
    weights: tuple[sp.Expr, ...]
    rate: sp.Expr
    readout_rate: sp.Expr
    batch: sp.Expr
    decay: sp.Expr


@dataclass(frozen=True)
class OnlineModel:
    """All that the derivation needs of a spec."""

    name: str
    learner: str
    student: Units
    loss: Loss
    blocks: tuple[str, ...]
    fractions: tuple[sp.Expr, ...]
    latents: tuple[LatentLaw, ...]
    overlaps: Mapping[tuple[str, str], sp.Expr]
    cells: tuple[CellLaw, ...]
    stages: tuple[Stretch, ...]
    names: Mapping[str, sp.Expr]
    controls: tuple[Control, ...]
    observables: Mapping[str, Any]
    spread: sp.Expr
    readout: tuple[sp.Expr, sp.Expr]  # size of the readouts at the start, fraction of negative ones
    size: sp.Expr | None  # dimension in which the start is drawn

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the fixed vectors."""
        found: list[str] = []
        for latent in self.latents:
            n = int(latent.units.count)
            found += [latent.name] if n == 1 else [f"{latent.name}_{i + 1}" for i in range(n)]
        return tuple(found)

    def latent(self, name: str) -> LatentLaw:
        return next(latent for latent in self.latents if latent.name == name)


def read(spec: Any, learner: str | None = None) -> OnlineModel:
    """The model of the one learner of an expanded spec.

    Raises:
        Underivable: names the part of the spec that has no theory yet.
    """
    names = control_names(spec)
    if len(spec.learners) != 1:
        raise Underivable(f"online_sgd: {len(spec.learners)} learners have no theory together (built: one)")
    (name,) = spec.learners
    student = spec.learners[name]
    if learner not in (None, name):
        raise Underivable(f"learner '{learner}' is not in this spec (has: {name})")
    _refuse(spec, name, student)
    blocks = tuple(spec.blocks) or ("all",)
    fractions = tuple(_value(spec.blocks[b].fraction, names) for b in blocks) if spec.blocks else (sp.S.One,)
    latents, place = [], 0
    for label, latent in spec.latents.items():
        latents.append(_latent(label, latent, blocks, fractions, names, place))
        place += int(latents[-1].units.count)
    cells = tuple(_cell(s, g, part, cell, blocks, names) for s, part in spec.slices.items() for g, cell in part.groups.items())
    return OnlineModel(
        name=spec.name,
        learner=name,
        student=units(student.network, names, f"learner.{name}"),
        loss=student.loss.bind(names),
        blocks=blocks,
        fractions=fractions,
        latents=tuple(latents),
        overlaps=_overlaps(spec, names),
        cells=cells,
        stages=tuple(_stretch(spec, stage, student, cells, names) for stage in spec.stages),
        names=names,
        controls=_controls(spec),
        observables=spec.observables or {},
        **_start(student, names),
    )


def _refuse(spec: Any, name: str, student: Any) -> None:
    refuse_undeclared(name, student)
    if student.regularizer is not None and student.regularizer.kind != "zero":
        raise Underivable(f"learner.{name}.regularizer: one-pass learning takes 'decay' in its protocol instead")
    if student.loss.weights:
        raise Underivable("loss.weights: per-group weights have no online theory yet")
    for key in ("couple", "self_overlap", "believes", "prior"):
        if getattr(student, key, None):
            raise Underivable(f"learner.{name}.{key}: has no meaning in one-pass learning yet")
    if student.target not in (None, "label"):
        raise Underivable(f"learner.{name}.target: '{student.target}' has no online theory yet (built: label)")
    if student.blocks and set(student.blocks) != set(spec.blocks):
        raise Underivable(f"learner.{name}.blocks: a learner that sees some blocks only has no online theory yet")
    for stage in spec.stages:
        for key in ("loss", "regularizer", "couple"):
            if getattr(stage, key, None):
                raise Underivable(f"stage.{stage.name}.{key}: stages of online theories differ in data and protocol only")
        if stage is not spec.stages[0] and stage.start == "fresh":
            raise Underivable(f"stage.{stage.name}.start: fresh weights between stages of one pass have no theory yet")
    for part in spec.slices.values():
        if part.law.kind not in ("gaussian", "iid"):
            raise Underivable(f"data.law: '{part.law.kind}' has no online theory yet (built: gaussian iid)")
        if part.selection is not None:
            raise Underivable("slice.selection: selected samples have no online theory yet")


def units(network: Any, names: Mapping[str, sp.Expr], where: str) -> Units:
    """The units of a network.

    Raises:
        Underivable: for a network without a theory.
    """
    if network is None or network.kind == "linear":
        if getattr(network, "bias", False):
            raise Underivable(f"{where}.network: a trained bias has no online theory yet")
        return Units(sp.S.One, X)
    if network.kind != "committee":
        raise Underivable(f"{where}.network: '{network.kind}' has no online theory (built: linear committee)")
    bound = network.bind(names)
    activation: Activation = bound.activation
    return Units(bound.expr(bound.units), activation.formula(X), bound.readout == "trained")


def _latent(
    name: str, latent: Any, blocks: tuple[str, ...], fractions: tuple[sp.Expr, ...], names: Mapping[str, sp.Expr], place: int
) -> LatentLaw:
    if latent.shape not in (None, "vector"):
        raise Underivable(f"latent.{name}.shape: '{latent.shape}' has no online theory")
    own = units(latent.network, names, f"latent.{name}")
    if not own.count.is_Integer:
        raise Underivable(f"latent.{name}.network.units: must be a number, found {own.count}")
    moment = second_moment(latent.prior.bind(names))
    if moment.has(Tilted):
        raise Underivable(f"latent.{name}.prior: '{latent.prior.kind}' has no closed second moment")
    seen = latent.blocks or blocks
    return LatentLaw(name, own, tuple(f * moment if b in seen else sp.S.Zero for b, f in zip(blocks, fractions, strict=True)), place)


def _overlaps(spec: Any, names: Mapping[str, sp.Expr]) -> dict[tuple[str, str], sp.Expr]:
    found = {}
    for name, latent in spec.latents.items():
        for other, value in (latent.overlap or {}).items():
            if spec.blocks:
                raise Underivable(f"latent.{name}.overlap: overlapping latents on blocks have no online theory yet")
            found[name, other] = found[other, name] = _value(value, names)
    return found


def _cell(slice_name: str, group_name: str, part: Any, cell: Any, blocks: tuple[str, ...], names: Mapping[str, sp.Expr]) -> CellLaw:
    if cell.corruption is not None:
        raise Underivable("corruption: corrupted inputs have no online theory yet")
    given = cell.variance if cell.variance is not None else 1
    variances = tuple(_value(given[b] if isinstance(given, Mapping) else given, names) for b in blocks)
    label = cell.label
    channel = label.channel.bind(names) if label.channel is not None else None
    value = sp.S.Zero if label.value is None or label.random else _value(label.value, names)
    bias = _value(label.bias, names) if label.bias is not None else sp.S.Zero
    return CellLaw(
        name=f"{slice_name}.{group_name}",
        slice=slice_name,
        group=group_name,
        variances=variances,
        mean={latent: _value(c, names) for latent, c in (cell.mean or {}).items()},
        target=Target(label.of, channel, bias, label.random),
        value=value,
        odds=_value(1 if cell.share is None else cell.share, names),
    )


def _stretch(spec: Any, stage: Any, student: Any, cells: tuple[CellLaw, ...], names: Mapping[str, sp.Expr]) -> Stretch:
    protocol = (stage.protocol or student.protocol).bind(names)
    if protocol.kind != "online_sgd":
        raise Underivable(f"stage.{stage.name}: protocol '{protocol.kind}' among stages of one pass has no theory")
    on = set(stage.on or ()) & (set(student.on) if student.on else set(stage.on or ())) or set(spec.slices)
    seen = [cell for cell in cells if cell.slice in on or cell.group in on]
    parts = {cell.slice for cell in seen}
    shares = {s: _value(1 if spec.slices[s].share is None else spec.slices[s].share, names) for s in parts}
    total = sp.Add(*shares.values())
    inside = {s: sp.Add(*(c.odds for c in seen if c.slice == s)) for s in parts}
    weights = tuple(shares[c.slice] / total * c.odds / inside[c.slice] if c in seen else sp.S.Zero for c in cells)
    if stage.time is not None:
        duration = _value(stage.time, names)
    else:
        duration = sp.Add(*(_value(spec.slices[s].alpha, names) for s in sorted(parts)))
    rate = protocol.expr(protocol.rate)
    other = rate if protocol.readout_rate is None else protocol.expr(protocol.readout_rate)
    return Stretch(stage.name, duration, weights, rate, other, protocol.expr(protocol.batch), protocol.expr(protocol.decay))


def _start(student: Any, names: Mapping[str, sp.Expr]) -> dict[str, Any]:
    start = student.start
    table = dict(start) if isinstance(start, Mapping) else {} if start is None else {"weights": start}
    known = {"weights": 1, "readout": 1, "negative": 0, "size": None}
    unknown = [word for word in table if word not in known]
    if unknown:
        raise Underivable(f"learner.start: '{unknown[0]}' is not known for one-pass learning (takes: {' '.join(known)})")
    given = {word: table.get(word, default) for word, default in known.items()}
    found = {word: None if value is None else _value(value, names) for word, value in given.items()}
    return {"spread": found["weights"], "readout": (found["readout"], found["negative"]), "size": found["size"]}


def _value(value: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    if value is None:
        raise Underivable("data: a slice of one-pass learning needs 'alpha', or its stages need 'time'")
    return parse(value, names) if isinstance(value, str) else exact(value)


def control_names(spec: Any) -> dict[str, sp.Expr]:
    """Every control's symbol; a derived one is the expression of the others that it stands for."""
    tables = spec.controls or {}
    names: dict[str, sp.Expr] = {name: control_symbol(name) for name in tables}
    derived = {name: table.formula for name, table in tables.items() if table.formula is not None}
    values = {control_symbol(name): parse(text, names) for name, text in derived.items()}
    for name in derived:
        value = values[control_symbol(name)]
        while value.free_symbols & set(values):  # the spec's checks have refused circles
            value = value.xreplace(values)
        names[name] = value
    return names


def _controls(spec: Any) -> tuple[Control, ...]:
    return tuple(
        Control(control_symbol(name), float(table.value), table.range, table.meaning or "")
        for name, table in (spec.controls or {}).items()
        if table.formula is None and table.value != math.inf
    )
