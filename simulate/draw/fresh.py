"""Fresh data as a learner meets it: pairs of fields and labels, without any formula for their errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from simulate.draw.cells import inputs_of, labels_of, teacher_of
from simulate.draw.numbers import bound, number
from simulate.instance import Instance

_PAIRS = 2**15  # test samples of a cell whose fields are Gaussian
_INPUTS, _BLOCK = 40_000, 4_000  # test samples of any other cell, and how many are held at once


@dataclass(frozen=True)
class Fresh:
    """Test samples of one cell: its share of the population, student fields, teacher fields (or None) and labels."""

    share: float
    label: Any
    student: np.ndarray
    teacher: np.ndarray | None
    y: np.ndarray


def fresh(instance: Instance, w: np.ndarray, rng: np.random.Generator) -> Iterator[Fresh]:
    """Fresh samples of every cell of the last slice, the default test law.

    Gaussian inputs enter only through the fields of w and of the teacher, which are drawn as the Gaussian pair they are, on a
    shifted net; other inputs are drawn whole.
    """
    part = list(instance.spec.slices.values())[-1]
    total = sum(_share(g, instance) for g in part.groups.values())
    for group in part.groups.values():
        teacher = teacher_of(group.label, instance.truth)
        directions = np.stack([w] if teacher is None else [w, instance.truth[teacher]])
        if part.law.kind == "gaussian" and not isinstance(group.variance, dict):
            fields = _gaussian_fields(instance, group, directions, rng)
        else:
            fields = _drawn_fields(instance, group, part.law, directions, rng)
        against = None if teacher is None else fields[:, 1]
        y = labels_of(group.label, against, instance.at, len(fields), rng)
        yield Fresh(_share(group, instance) / total, group.label, fields[:, 0], against, y)


def channel_of(fresh: Fresh, instance: Instance) -> Any:
    """The channel of the labels, its parameters numbers; None where labels do not come from a field."""
    return None if fresh.teacher is None else bound(fresh.label.channel, instance.at)


def _share(group: Any, instance: Instance) -> float:
    return 1.0 if group.share is None else number(group.share, instance.at)


@lru_cache(maxsize=4)
def _net(dimension: int) -> np.ndarray:
    return qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(0)).random(_PAIRS)


def _gaussian_fields(instance: Instance, group: Any, directions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    at, d = instance.at, instance.size
    covariance = directions @ directions.T / d * (1.0 if group.variance is None else number(group.variance, at))
    means = sum((number(c, at) * directions @ instance.truth[t] / d for t, c in (group.mean or {}).items()), np.zeros(len(directions)))
    level, axes = np.linalg.eigh(covariance)
    normal = ndtri(np.clip((_net(len(directions)) + rng.random(len(directions))) % 1.0, 1e-12, 1 - 1e-12))
    return means + normal @ (axes * np.sqrt(np.maximum(level, 0.0))).T


def _drawn_fields(instance: Instance, group: Any, law: Any, directions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    blocks = [
        inputs_of(group, law, instance.truth, instance.at, _BLOCK, instance.size, rng) @ directions.T / np.sqrt(instance.size)
        for _ in range(_INPUTS // _BLOCK)
    ]
    return np.concatenate(blocks)
