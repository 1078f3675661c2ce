"""Whether the losses of a spec fit their labels, and what must be said about losses that are not convex and levels that collapse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from replica.arrays import evaluate as values_of
from replica.convexity import is_convex
from replica.ingredients import Channel, Loss
from replica.labels import CountLabels, DiscreteLabels, Labels, RealLabels
from replica.spec.causality import Places, during
from replica.spec.document import Tables
from replica.spec.errors import Path, SpecError
from replica.spec.expressions import evaluate
from replica.spec.names import places_of
from replica.spec.point import point
from replica.spec.probabilities import words
from replica.spec.roles import bayes_optimal, kind
from replica.spec.tables import Label

_SIGNS = (-1.0, 1.0)
_REALS = (-2.3, -1.0, -0.4, 0.0, 0.7, 1.0, 3.0)
_COUNTS = (0.0, 1.0, 2.0, 5.0)
_FIELD = np.linspace(-2.93, 2.71, 24)  # off the places where rules jump
_FEW = 8  # a rule with at most so many values on these fields takes no others
_OTHER = 0.7  # the field of an earlier learner, where a loss mentions one


class _Term(NamedTuple):
    """A loss while a stage lasts, with its place, and the labels that it meets, by the groups they come from."""

    path: Path
    learner: str
    protocol: str
    loss: Loss
    cells: Mapping[str, Label | None]


def check_labels(full: Tables, places: Places, at: Mapping[str, float]) -> None:
    """Refuse a loss that is made for labels -1 and 1 where the labels are others.

    Raises:
        SpecError: names the loss and the labels.
    """
    for term in _terms(full, places):
        if not term.loss.signs or full.learners[term.learner].target not in (None, "label"):
            continue
        for group, labels in _labels(term, at):
            if not isinstance(labels, DiscreteLabels) or any(float(atom) not in _SIGNS for atom in labels.atoms):
                raise SpecError(f"'{term.loss.kind}' is for labels -1 and 1, the labels of group '{group}' are {_shown(labels)}", term.path)


def warnings(spec: Tables) -> list[str]:
    """What a reader must know about a spec that is right: a sentence each, about the default controls."""
    full, at = spec.expand(), point(spec.controls, {})  # type: ignore[attr-defined]
    found = []
    for term in _terms(full, places_of(spec, full)):
        if term.protocol == "erm" and full.learners[term.learner].theory is None and not _convex(full, term, at):
            where = SpecError("", term.path).key
            found.append(f"{where} is not convex in z: replica symmetry may be unstable there (see the replicon), and minima may be many")
    for stage in full.stages:
        for name in stage.learners or ():
            if kind(full.ansatz) == "rsb" and bayes_optimal(full.learners[name], during(full.learners[name], stage, "protocol")):
                equal = f"q0 = ... = q{full.ansatz.k}" if full.ansatz.k > 1 else "q0 = q1"
                found.append(f"ansatz: '{name}' is Bayes-optimal, so the levels of 'rsb' collapse ({equal}): what is solved is 'rs'")
    return list(dict.fromkeys(found))


def _terms(full: Tables, places: Places) -> Iterator[_Term]:
    for number, stage in enumerate(full.stages):
        for name in stage.learners or ():
            learner = full.learners[name]
            loss = during(learner, stage, "loss")
            if not isinstance(loss, Loss) or not loss.built:
                continue
            path: Path = ("stage", number, "loss") if stage.loss is not None else (*places[name], "loss")
            cells = {group: cell.label for group, cell in _cells(full, learner.on, stage.on)}
            yield _Term(path, name, kind(during(learner, stage, "protocol")), loss, cells)


def _cells(full: Tables, *lists: Any) -> Iterator[tuple[str, Any]]:
    """The groups that all of these lists of slices and groups let through."""
    for name, part in full.slices.items():
        for group, cell in (part.groups or {}).items():
            if all(not names or name in names or group in names for names in lists):
                yield group, cell


def _labels(term: _Term, at: Mapping[str, float]) -> Iterator[tuple[str, Labels]]:
    for group, label in term.cells.items():
        if (found := _possible(label, at)) is not None:
            yield group, found


def _possible(label: Label | None, at: Mapping[str, float]) -> Labels | None:
    """What the label of a cell may be; None where nobody says."""
    if label is None:
        return None
    if label.random:
        return DiscreteLabels((sp.Integer(-1), sp.Integer(1)))
    if label.value is not None:
        return DiscreteLabels((sp.Float(evaluate(label.value, at)),))
    channel: Channel = label.channel
    return _of(channel.bind({name: at[name] for name in words(channel) if name in at})) if channel.built else None


def _of(channel: Channel) -> Labels:
    """The labels of a channel; those of a rule that takes few values, such as where(z > 0, 1, -1), are found by trying it."""
    labels = channel.labels()
    z, xi = sp.Dummy("z", real=True), sp.Dummy("xi", real=True)
    if not isinstance(labels, RealLabels) or (rule := channel.map(z, xi)) is None:
        return labels
    found = np.unique(values_of(rule, {z: _FIELD[:, None], xi: _FIELD[None, :]}))
    return DiscreteLabels(tuple(sp.Float(value) for value in found)) if found.size <= _FEW and np.isfinite(found).all() else labels


def _shown(labels: Labels) -> str:
    if isinstance(labels, DiscreteLabels):
        return " ".join(f"{float(atom):g}" for atom in labels.atoms[:8]) + (" ..." if len(labels.atoms) > 8 else "")
    if isinstance(labels, CountLabels):
        return "counts 0 1 2 ..."
    ends = (labels.lower, labels.upper)
    return "real numbers" if ends == (-sp.oo, sp.oo) else f"real numbers from {ends[0]} to {ends[1]}"


def _convex(full: Tables, term: _Term, at: Mapping[str, float]) -> bool:
    y, z = sp.Dummy("y", real=True), sp.Dummy("z", real=True)
    others = {f"z_{name}": _OTHER for name in (*full.learners, *full.latents)}
    energy = term.loss.bind({**at, **others}).formula(y, z)
    probes = {value for _, labels in _labels(term, at) for value in _probes(labels)} or set(_REALS)
    return all(is_convex(energy, z, {y: value}) for value in sorted(probes))


def _probes(labels: Labels) -> tuple[float, ...]:
    if isinstance(labels, DiscreteLabels):
        return tuple(float(atom) for atom in labels.atoms)
    if isinstance(labels, CountLabels):
        return _COUNTS
    return tuple(value for value in _REALS if labels.lower <= value <= labels.upper)
