"""Shorthand to canonical tables: a pure function of the tables, idempotent, whose result is a valid spec of the same model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from replica import ansatz, laws, losses, networks, regularizers
from replica.ensemble import Part
from replica.ingredients import Table
from replica.spec.document import Tables
from replica.spec.learners import Coupling, Learner, Stage
from replica.spec.records import Record, keys_of
from replica.spec.roles import NO_SAMPLES, kind, own_energy, replicas
from replica.spec.tables import RANDOM, Data, Group, Label, Latent, Slice

ALL, ALPHA, TEACHER, STUDENT = "all", "alpha", "teacher", "student"
_CELL = ("mean", "variance", "label", "corruption")
R = TypeVar("R", bound=Record)


def expanded(spec: Tables) -> Tables:
    """The canonical tables of a spec whose names are known to be right."""
    latents = _latents(spec)
    learners, stages = _ensembles(_learners(spec), spec.stages)
    slices = _slices(spec)
    stages = _stages(stages, tuple(learners), tuple(slices))
    learners = {name: _learner(learner, slices, tuple(spec.blocks)) for name, learner in learners.items()}
    slices = {name: _sized(part, spec) for name, part in slices.items()}
    assumed = spec.ansatz or (ansatz.RS() if replicas(learners, slices) else None)
    return Tables(name=spec.name).changed(
        notes=spec.notes, assume=spec.assume, blocks=spec.blocks, latents=Table(latents), slices=Table(slices), learners=Table(learners),
        stages=stages, ansatz=assumed, observables=spec.observables, controls=spec.controls, run=spec.run,
    )


def over(first: R, *defaults: Record | Mapping[str, Any] | None) -> R:
    """`first`, with the keys it lacks taken from the defaults in their order."""
    names = [k.name for k in keys_of(type(first)).values()]
    missing: dict[str, Any] = {}
    for name in names:
        if getattr(first, name) is None:
            found = (d.get(name) if isinstance(d, Mapping) else getattr(d, name, None) for d in defaults if d is not None)
            value = next((value for value in found if value is not None), None)
            if value is not None:
                missing[name] = value
    return first.changed(**missing) if missing else first


def _latents(spec: Tables) -> dict[str, Latent]:
    latents = dict(spec.latents)
    if (t := spec.teacher) is not None:
        latents = {TEACHER: Latent(prior=t.prior, blocks=t.blocks, overlap=t.overlap, network=t.network, shape=t.shape), **latents}
    whole = {"blocks": tuple(spec.blocks) or None, "overlap": Table(), "network": networks.Linear(), "shape": "vector"}
    return {name: over(latent, whole) for name, latent in latents.items()}


def _learners(spec: Tables) -> dict[str, Learner]:
    written = dict(spec.learners)
    if spec.student is not None:
        written = {STUDENT: spec.student, **written}
    return {name: like(name, written) for name in written}


def like(name: str, written: Mapping[str, Learner]) -> Learner:
    """The learner with the tables that `like` names copied under it."""
    learner = written[name]
    while learner.like is not None:
        model = written[learner.like]
        learner = over(learner.changed(like=None), model.changed(like=None)).changed(like=model.like)
    return learner


def _ensembles(learners: dict[str, Learner], stages: tuple[Stage, ...]) -> tuple[dict[str, Learner], tuple[Stage, ...]]:
    """A lone learner with `ensemble` becomes the learners it stands for."""
    if len(learners) != 1 or (ensemble := next(iter(learners.values())).ensemble) is None:
        return learners, stages
    plain = next(iter(learners.values())).changed(ensemble=None)
    parts = ensemble.parts()
    named = dict.fromkeys(part.stage for part in parts if part.stage)
    stages = tuple(Stage(name=name, learners=tuple(p.name for p in parts if p.stage == name)) for name in named) or stages
    return {part.name: _part(plain, part) for part in parts}, stages


def _part(plain: Learner, part: Part) -> Learner:
    couple = tuple(Coupling(to=tie.to, overlap=tie.overlap, log_weight=tie.log_weight) for tie in part.ties)
    silent = {} if part.solves else {"loss": losses.Zero()}
    return plain.changed(copies=part.copies, couple=couple or None, **silent)


def _stages(stages: tuple[Stage, ...], learners: tuple[str, ...], slices: tuple[str, ...]) -> tuple[Stage, ...]:
    stages = stages or (Stage(name="train"),)
    filled = []
    for number, stage in enumerate(stages):
        filled.append(over(stage, {"learners": learners, "on": slices, "start": "previous" if number else "fresh"}))
    return tuple(filled)


def _slices(spec: Tables) -> dict[str, Slice]:
    data = spec.data or Data()
    named = dict(spec.slices) or {ALL: Slice()}
    return {name: _slice(part, data, spec) for name, part in named.items()}


def _slice(part: Slice, data: Data, spec: Tables) -> Slice:
    own, common = dict(part.groups or {}), dict(spec.groups)
    names = list(common) + [name for name in own if name not in common] or [ALL]
    teacher = spec.teacher
    label = None if teacher is None else Label(of=TEACHER, channel=teacher.channel, bias=teacher.bias)
    last = {"mean": Table(), "variance": 1, "label": label or Label(value=RANDOM), "share": 1 if len(names) == 1 else None}
    shared = {word: getattr(data, word) for word in _CELL}
    bare = {word: getattr(part, word) for word in _CELL}
    groups = {name: _cell(over(own.get(name, Group()), bare, common.get(name), shared, last)) for name in names}
    frame = part.changed(groups=Table(groups), **dict.fromkeys(_CELL))
    sized = frame.alpha is not None or frame.samples is not None  # a count replaces a ratio, and the other way round
    size = {} if sized else {"alpha": data.alpha, "samples": data.samples}
    return over(frame, size, {"law": data.law or laws.Gaussian(), "share": data.share, "selection": data.selection})


def _cell(group: Group) -> Group:
    label = group.label
    if isinstance(label, Label) and label.channel is not None and label.of is not None:
        label = over(label, {"bias": 0})
    return group.changed(label=label)


def _sized(part: Slice, spec: Tables) -> Slice:
    """The control `alpha` is the size of a slice that gives none and needs one."""
    given = part.alpha is not None or part.samples is not None
    return part if given or kind(part.law) in NO_SAMPLES or ALPHA not in spec.controls else part.changed(alpha=ALPHA)


def _learner(learner: Learner, slices: Mapping[str, Slice], blocks: tuple[str, ...]) -> Learner:
    default: dict[str, Any] = {"on": tuple(slices), "network": networks.Linear(), "target": "label", "copies": 1, "blocks": blocks or None}
    protocol: Any = learner.protocol
    if own_energy(learner, slices) and protocol is not None and protocol.energy:
        default["loss"] = losses.Zero()
    if protocol is not None and protocol.energy and (learner.loss is not None or "loss" in default):
        default["regularizer"] = regularizers.Zero()
    return over(learner, default)

