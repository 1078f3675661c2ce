"""Inputs and labels of one cell, which is one group in one slice.

x = sum_t mean_t latent_t / sqrt(d) + sqrt(variance) noise,  y ~ channel(latent.x / sqrt(d) + bias).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.draws import draw_weight
from replica.labels import SIGNS, DiscreteLabels, Labels, RealLabels
from simulate.draw.coordinates import per_coordinate
from simulate.draw.numbers import bound, number
from simulate.instance import Unsupported


@dataclass(frozen=True)
class Inputs:
    """Inputs of a cell.

    Args:
        seen: (n, d) what learners see.
        acting: (n, k) the coordinates that labels act on: the inputs before corruption, or those of a hidden manifold.
    """

    seen: np.ndarray
    acting: np.ndarray

    def field(self, latent: np.ndarray) -> np.ndarray:
        """(n,) field of a latent (k,)."""
        return self.acting @ latent / np.sqrt(self.acting.shape[1])


def inputs_of(
    cell: Any,
    law: Any,
    truth: Mapping[str, np.ndarray],
    at: Mapping[str, float],
    n: int,
    d: int,
    rng: np.random.Generator,
    blocks: Mapping[str, slice] = MappingProxyType({}),
) -> Inputs:
    """n inputs of a cell; `law` is the law of its slice."""
    x, hidden = bound(law, at).draw(rng, n, d, truth)
    if isinstance(cell.variance, Mapping):
        x *= np.sqrt(per_coordinate(cell.variance, blocks, at, d))
    elif cell.variance is not None:
        x *= np.sqrt(number(cell.variance, at))
    for latent, coefficient in (cell.mean or {}).items():
        x += number(coefficient, at) / np.sqrt(d) * truth[latent]
    seen = x if cell.corruption is None else bound(cell.corruption, at).apply(rng, x)
    return Inputs(seen, x if hidden is None else hidden)


def teacher_of(label: Any, truth: Container[str]) -> str | None:
    """The latent whose field makes the labels; None where no field does."""
    if label is None or label.value is not None:
        return None
    return str(label.of) if label.of is not None else ("teacher" if "teacher" in truth else None)


def labels_of(label: Any, fields: np.ndarray | None, at: Mapping[str, float], n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) labels: random signs, a constant, or the channel of teacher fields (n,)."""
    if label is None or label.value == "random":
        return rng.choice([-1.0, 1.0], size=n)
    if label.value is not None:
        return np.full(n, number(label.value, at))
    if fields is None:
        raise Unsupported("a label needs the field of a latent")
    bias = 0.0 if label.bias is None else number(label.bias, at)
    channel = bound(label.channel, at)
    noise = _additive_noise(channel)
    if noise is not None:
        return fields + bias + draw_weight(rng, np.shape(fields), -np.inf, np.inf, noise)
    return np.asarray(channel.sample(rng, fields + bias), float)


def label_law(label: Any, at: Mapping[str, float]) -> Labels:
    """What the labels of a cell may be."""
    if label is not None and label.value is not None and label.value != "random":
        return DiscreteLabels((sp.Float(number(label.value, at)),))
    return SIGNS if label is None or label.channel is None else bound(label.channel, at).labels()


def _additive_noise(channel: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """The density of y - z where the channel is declared by a density that depends on y - z alone: one table serves all fields."""
    y, z, xi = sp.symbols("y z xi", real=True)
    labels = channel.labels()
    if not isinstance(labels, RealLabels) or channel.map(z, xi) is not None or (labels.lower, labels.upper) != (-sp.oo, sp.oo):
        return None
    law = channel.density(y, z)
    if law is None or (shifted := law.xreplace({y: y + z})).has(z):
        return None
    return lambda u: evaluate(shifted, {y: u})
