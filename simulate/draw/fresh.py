"""Fresh data as learners meet it: fields of all learners with labels, cell by cell, without any formula for their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from simulate.draw.cells import inputs_of, labels_of, teacher_of
from simulate.draw.coordinates import per_coordinate
from simulate.draw.numbers import bound, number
from simulate.draw.system import samples
from simulate.instance import Instance

_PAIRS = 2**15  # test samples of a cell whose fields are Gaussian
_INPUTS, _BLOCK = 20_000, 2_000  # test samples of any other cell, and how many are held at once


@dataclass(frozen=True)
class Fresh:
    """Test samples of one cell.

    Args:
        share: of the population that was asked for.
        fields: learner -> its output.
        teacher: fields that make the labels; None where no field does.
        y: labels.
    """

    share: float
    label: Any
    fields: Mapping[str, np.ndarray]
    teacher: np.ndarray | None
    y: np.ndarray


@dataclass(frozen=True)
class Population:
    """Test samples of the cells of an instance, drawn once each, so that all observables are read from the same ones.

    Gaussian inputs enter only through the fields of linear learners and of the teacher, which are drawn as the Gaussian vector they are,
    on a shifted net; other inputs are drawn whole.

    Args:
        learners: name -> an Estimate; at least one.
    """

    instance: Instance
    learners: Mapping[str, Any]
    rng: np.random.Generator = field(repr=False)
    _drawn: dict[tuple[str, str], Fresh] = field(default_factory=dict, repr=False)

    def cells(self, on: str | Sequence[str] | None = None) -> list[Fresh]:
        """The cells of these slices or groups with their shares; of the slices of the last stage, the default test law, if absent."""
        found = [(key, weight) for key, weight in weights(self.instance, on) if weight > 0]
        total = sum(weight for _, weight in found)
        return [self._cell(key, weight / total) for key, weight in found]

    def _cell(self, key: tuple[str, str], share: float) -> Fresh:
        if key not in self._drawn:
            self._drawn[key] = self._draw(*key)
        cell = self._drawn[key]
        return Fresh(share, cell.label, cell.fields, cell.teacher, cell.y)

    def _draw(self, part_name: str, group_name: str) -> Fresh:
        instance = self.instance
        part = instance.spec.slices[part_name]
        group = part.groups[group_name]
        teacher = teacher_of(group.label, instance.truth)
        variances = bound(part.law, instance.at).variances(instance.size)
        if variances is not None and group.corruption is None and all(one.layers is None for one in self.learners.values()):
            vectors = [one.mean for one in self.learners.values()] + ([] if teacher is None else [instance.truth[teacher]])
            z = _gaussian_fields(instance, group, variances, np.stack(vectors), self.rng)
            biases = np.array([one.bias for one in self.learners.values()])
            fields = dict(zip(self.learners, (z[:, : len(biases)] + biases).T, strict=True))
            against = None if teacher is None else z[:, -1]
        else:
            fields, against = _drawn_fields(instance, group, part.law, self.learners, teacher, self.rng)
        count = len(next(iter(fields.values())))
        return Fresh(1.0, group.label, fields, against, labels_of(group.label, against, instance.at, count, self.rng))


def weights(instance: Instance, on: str | Sequence[str] | None = None) -> list[tuple[tuple[str, str], float]]:
    """((slice, group), part of all samples) of the cells of these slices or groups, or of those of the last stage.

    A group is taken in the slices of the last stage where it is among them, else wherever it is.
    """
    spec = instance.spec
    last = _last(spec)
    parts = {
        (name, key): samples(part, instance.at, instance.size) * (1.0 if group.share is None else number(group.share, instance.at))
        for name, part in spec.slices.items()
        for key, group in part.groups.items()
    }
    now = {cell: weight for cell, weight in parts.items() if cell[0] in last}
    if on is None:
        return list(now.items())
    names = {on} if isinstance(on, str) else set(on)
    by_slice = {cell: weight for cell, weight in parts.items() if cell[0] in names}
    by_group = {cell: weight for cell, weight in now.items() if cell[1] in names} or {c: w for c, w in parts.items() if c[1] in names}
    return list({**by_slice, **by_group}.items())


def _last(spec: Any) -> set[str]:
    """The slices that learners of the last stage learn from."""
    stage = spec.stages[-1]
    lists = [(getattr(spec.learners[name], "on", None), stage.on) for name in stage.learners or spec.learners]
    cells = [(name, group) for name, part in spec.slices.items() for group in part.groups]
    return {part for part, group in cells for one in lists if all(part in names or group in names for names in one if names)}


def channel_of(fresh: Fresh, instance: Instance) -> Any:
    """The channel of the labels, its parameters numbers; None where labels do not come from a field."""
    return None if fresh.teacher is None else bound(fresh.label.channel, instance.at)


@lru_cache(maxsize=4)
def _net(dimension: int) -> np.ndarray:
    return qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(0)).random(_PAIRS)


def _gaussian_fields(instance: Instance, group: Any, variances: np.ndarray, directions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, K) fields of K directions at inputs of independent Gaussian coordinates."""
    at, d = instance.at, instance.size
    spread = variances * per_coordinate(group.variance, instance.blocks, at, d)
    covariance = (directions * spread) @ directions.T / d
    means = sum((number(c, at) * directions @ instance.truth[t] / d for t, c in (group.mean or {}).items()), np.zeros(len(directions)))
    level, axes = np.linalg.eigh(covariance)
    normal = ndtri(np.clip((_net(len(directions)) + rng.random(len(directions))) % 1.0, 1e-12, 1 - 1e-12))
    return means + normal @ (axes * np.sqrt(np.maximum(level, 0.0))).T


def _drawn_fields(
    instance: Instance, group: Any, law: Any, learners: Mapping[str, Any], teacher: str | None, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    fields: dict[str, list[np.ndarray]] = {name: [] for name in learners}
    against: list[np.ndarray] = []
    for _ in range(_INPUTS // _BLOCK):
        inputs = inputs_of(group, law, instance.truth, instance.at, _BLOCK, instance.size, rng, instance.blocks)
        for name, one in learners.items():
            fields[name].append(one.field(inputs.seen))
        if teacher is not None:
            against.append(inputs.field(instance.truth[teacher]))
    return {name: np.concatenate(parts) for name, parts in fields.items()}, np.concatenate(against) if against else None
