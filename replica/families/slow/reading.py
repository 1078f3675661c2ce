"""From an expanded spec to noisy descent of a two-layer linear network in a fixed dimension."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from replica.families.model import Underivable, refuse_undeclared, second_moment
from replica.families.online.reading import control_names
from replica.formula import exact, parse
from replica.nodes import Tilted
from replica.spec.observables import ColumnNorm, Combination, Standard
from replica.symbols import Control, control_symbol

ALWAYS = ("loss", "mse")


@dataclass(frozen=True)
class Stretch:
    """A stage: steps, their size, samples in each, and which part of their noise is left when they are drawn without replacement."""

    name: str
    steps: sp.Expr
    rate: sp.Expr
    batch: sp.Expr
    part: sp.Expr


@dataclass(frozen=True)
class SlowModel:
    """All that the derivation needs of a spec.

    Args:
        width: of the hidden layer; dimension: of the inputs; stiffness: c of the loss c (y - z)^2/2.
        fractions, variances, moments: of coordinates, inputs and the teacher's squared weights, by block.
        noise: variance of the label around the teacher's field.
        spread, readout: standard deviation of first weights, value of second ones at the start.
        finite: whether samples are drawn from a fixed set; ordered: in passes.
    """

    name: str
    learner: str
    teacher: str
    width: sp.Expr
    dimension: sp.Expr
    stiffness: sp.Expr
    blocks: tuple[str, ...]
    fractions: tuple[sp.Expr, ...]
    variances: tuple[sp.Expr, ...]
    moments: tuple[sp.Expr, ...]
    noise: sp.Expr
    stages: tuple[Stretch, ...]
    spread: sp.Expr
    readout: sp.Expr
    negative: sp.Expr
    finite: bool
    ordered: bool
    names: Mapping[str, sp.Expr]
    controls: tuple[Control, ...]
    observables: Mapping[str, Any]


def read(spec: Any, learner: str | None = None) -> SlowModel:
    """The model of the one learner of an expanded spec.

    Raises:
        Underivable: names the part of the spec that has no theory.
    """
    names = control_names(spec)
    if len(spec.learners) != 1 or len(spec.slices) != 1:
        raise Underivable(f"sgd: {len(spec.learners)} learners on {len(spec.slices)} slices have no theory yet (built: one of each)")
    ((name, student),) = spec.learners.items()
    ((_, data),) = spec.slices.items()
    if learner not in (None, name):
        raise Underivable(f"learner '{learner}' is not in this spec (has: {name})")
    if spec.assume is not None and "small_step" not in spec.assume:
        raise Underivable("assume: sgd without small_step has no theory yet; add 'small_step', or leave 'assume' out")
    _refuse(spec, name, student, data)
    ((_, cell),) = data.groups.items()
    teacher = _teacher(spec, cell)
    law = data.law.bind(names)
    if getattr(law, "dimension", None) is None:
        raise Underivable("data.law: sgd has a theory in a fixed dimension only; give the law gaussian a 'dimension'")
    dimension = law.expr(law.dimension)
    blocks = tuple(spec.blocks) or ("all",)
    fractions = tuple(_value(spec.blocks[b].fraction, names) for b in blocks) if spec.blocks else (sp.S.One,)
    given = cell.variance if cell.variance is not None else 1
    moment = second_moment(spec.latents[teacher].prior.bind(names))
    if moment.has(Tilted):
        raise Underivable(f"latent.{teacher}.prior: '{spec.latents[teacher].prior.kind}' has no closed second moment")
    seen = spec.latents[teacher].blocks or blocks
    samples = _value(data.samples, names) if data.samples is not None else _value(data.alpha, names) * dimension
    endless = {control_symbol(one): sp.oo for one, table in spec.controls.items() if table.value == math.inf}
    network, start = student.network.bind(names), _start(student, names)
    return SlowModel(
        name=spec.name,
        learner=name,
        teacher=teacher,
        width=network.expr(network.widths[0]),
        dimension=dimension,
        stiffness=_stiffness(student, names),
        blocks=blocks,
        fractions=fractions,
        variances=tuple(_value(given[b] if isinstance(given, Mapping) else given, names) for b in blocks),
        moments=tuple(moment if b in seen else sp.S.Zero for b in blocks),
        noise=_noise(cell, names),
        stages=tuple(_stretch(stage, student, samples, names) for stage in spec.stages),
        finite=not samples.xreplace(endless).is_infinite,
        ordered=any(not (stage.protocol or student.protocol).replace for stage in spec.stages),
        names=names,
        controls=tuple(
            Control(control_symbol(one), float(table.value), table.range, table.meaning or "")
            for one, table in (spec.controls or {}).items()
            if table.formula is None
        ),
        observables=_observables(spec, blocks),
        **start,
    )


def _refuse(spec: Any, name: str, student: Any, data: Any) -> None:
    refuse_undeclared(name, student)
    network = student.network
    if network is None or network.kind != "deep_linear":
        raise Underivable(f"learner.{name}.network: sgd on '{getattr(network, 'kind', 'linear')}' has no theory (built: deep_linear)")
    if len(network.widths) != 1:
        raise Underivable(f"learner.{name}.network.widths: {len(network.widths)} hidden layers have no slow flow in overlaps (built: one)")
    if network.bias:
        raise Underivable(f"learner.{name}.network.bias: trained biases have no slow flow yet")
    if student.regularizer is not None and student.regularizer.kind != "zero":
        raise Underivable(f"learner.{name}.regularizer: a penalty beside the noise of sgd has no theory yet")
    if student.loss.weights:
        raise Underivable("loss.weights: per-group weights have no slow flow yet")
    for key in ("couple", "self_overlap", "believes", "prior"):
        if getattr(student, key, None):
            raise Underivable(f"learner.{name}.{key}: has no meaning under sgd yet")
    if student.target not in (None, "label"):
        raise Underivable(f"learner.{name}.target: '{student.target}' has no slow flow yet (built: label)")
    if student.blocks and set(student.blocks) != set(spec.blocks):
        raise Underivable(f"learner.{name}.blocks: a learner that sees some blocks only has no slow flow yet")
    if data.law.kind != "gaussian" or data.selection is not None or len(data.groups) != 1:
        raise Underivable("data: sgd has a theory on one group of gaussian inputs without selection only")
    for stage in spec.stages:
        for key in ("loss", "regularizer", "couple", "time"):
            if getattr(stage, key, None):
                raise Underivable(f"stage.{stage.name}.{key}: stages of sgd differ in their protocol only, which counts 'steps'")
        if stage is not spec.stages[0] and stage.start == "fresh":
            raise Underivable(f"stage.{stage.name}.start: fresh weights between stages have no theory yet")


def _teacher(spec: Any, cell: Any) -> str:
    if cell.mean or cell.corruption is not None:
        raise Underivable("data: sgd has a theory on centered, plain gaussian inputs only")
    if cell.label.of is None or len(spec.latents) != 1:
        raise Underivable("data: sgd has a theory for labels of one teacher only")
    latent = spec.latents[cell.label.of]
    if latent.network is not None and latent.network.kind != "linear":
        raise Underivable(f"latent.{cell.label.of}.network: '{latent.network.kind}' has no slow flow (built: linear)")
    return str(cell.label.of)


def _noise(cell: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """Variance of y - z, which must not depend on z and have mean zero."""
    z, xi = sp.Symbol("z", real=True), sp.Symbol("xi", real=True)
    channel = cell.label.channel.bind(names)
    rule = channel.map(z, xi)
    rest = sp.expand(rule - z) if rule is not None and cell.label.bias in (None, 0) else z
    if rest.has(z) or not rest.is_polynomial(xi) or sp.Poly(rest, xi).degree() > 1 or rest.xreplace({xi: sp.S.Zero}) != 0:
        raise Underivable(f"channel '{channel.kind}': sgd has a theory for y = z + noise only (channel linear)")
    return sp.simplify(rest.coeff(xi) ** 2)


def _stiffness(student: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    y, z = sp.Symbol("y", real=True), sp.Symbol("z", real=True)
    formula = sp.sympify(student.loss.bind(names).formula(y, z))
    found = sp.simplify(sp.diff(formula, z, 2))
    if found.has(y, z) or sp.expand(formula - found * (y - z) ** 2 / 2) != 0:
        raise Underivable(f"loss '{student.loss.kind}': sgd has a theory for a multiple of (y - z)^2 only")
    return found


def _stretch(stage: Any, student: Any, samples: sp.Expr, names: Mapping[str, sp.Expr]) -> Stretch:
    protocol = (stage.protocol or student.protocol).bind(names)
    if protocol.kind != "sgd":
        raise Underivable(f"stage.{stage.name}: protocol '{protocol.kind}' among stages of sgd has no theory")
    if protocol.clip is not None:
        raise Underivable(f"stage.{stage.name}.protocol.clip: a clipped gradient descends no loss; it is simulated only")
    batch = protocol.expr(protocol.batch)
    part = sp.S.One if protocol.replace else 1 - (batch - 1) / (samples - 1)  # of a batch drawn from a finite set
    return Stretch(stage.name, protocol.expr(protocol.steps), protocol.expr(protocol.rate), batch, part)


def _start(student: Any, names: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
    given = student.start
    table = dict(given) if isinstance(given, Mapping) else {} if given is None else {"weights": given}
    known = {"weights": ("spread", 1), "readout": ("readout", 1), "negative": ("negative", 0)}
    unknown = [word for word in table if word not in known]
    if unknown:
        raise Underivable(f"learner.start: '{unknown[0]}' is not known for sgd (takes: {' '.join(known)})")
    return {name: _value(table.get(word, default), names) for word, (name, default) in known.items()}


def _observables(spec: Any, blocks: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for name, record in (spec.observables or {}).items():
        if isinstance(record, Standard) and name in ALWAYS:
            continue
        if not isinstance(record, ColumnNorm | Combination):
            raise Underivable(f"observables.{name}: has no value in a slow flow (built: {' '.join(ALWAYS)} column_norm, formulas of these)")
        found[name] = record
    return found


def _value(value: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    if value is None:
        raise Underivable("data: sgd needs 'alpha' or 'samples'; alpha = inf draws fresh samples in every step")
    return parse(value, names) if isinstance(value, str) else exact(value)
