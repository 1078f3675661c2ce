"""A finite system for noisy descent: teacher, samples, layers of a linear network, stages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from replica.spec.observables import ColumnNorm
from simulate.draw.coordinates import blocks_of, inside, per_coordinate
from simulate.draw.numbers import bound, number
from simulate.instance import Unsupported
from simulate.online.machine import Program, program
from simulate.online.system import descent

_Y, _Z = (sp.Symbol(name, real=True) for name in "yz")


@dataclass(frozen=True)
class Stage:
    """Steps of one rate; `batch` samples in each, with replacement or not; `clip`: largest norm of a gradient, inf for none."""

    steps: int
    rate: float
    batch: int
    replace: bool
    clip: float


@dataclass(frozen=True)
class Samples:
    """A law of samples: inputs normal with the given deviations, labels by a channel of the teacher's field."""

    deviations: np.ndarray
    teacher: np.ndarray
    channel: Any

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (count, d) and labels."""
        inputs = rng.standard_normal((count, len(self.teacher))) * self.deviations
        return inputs, np.asarray(self.channel.sample(rng, inputs @ self.teacher / math.sqrt(len(self.teacher))), float)


@dataclass(frozen=True)
class System:
    """A drawn system.

    Args:
        widths: number of inputs, of units of every hidden layer, and 1.
        weights: all layers one after the other, each (outputs, inputs), and then their biases.
        biased: whether biases are trained.
        samples: the law; count: how many there are, 0 where every step draws fresh ones.
        score: -d loss/d z as a program of (y, z), loss: the loss.
        blocks: by name; norms: observable -> its block.
    """

    widths: tuple[int, ...]
    weights: np.ndarray
    biased: bool
    samples: Samples
    count: int
    score: Program
    loss: Program
    blocks: Mapping[str, slice]
    norms: Mapping[str, slice]
    stages: tuple[Stage, ...]

    def layers(self, weights: np.ndarray) -> list[np.ndarray]:
        """The matrices of a vector of weights."""
        found, place = [], 0
        for below, above in zip(self.widths[:-1], self.widths[1:], strict=True):
            found.append(weights[place : place + above * below].reshape(above, below))
            place += above * below
        return found


def draw_system(spec: Any, at: Mapping[str, float], d: int, rng: np.random.Generator) -> System:
    """A system of an expanded spec.

    Raises:
        Unsupported: a part that has no finite system.
    """
    if len(spec.learners) != 1 or len(spec.slices) != 1:
        raise Unsupported(f"sgd of {len(spec.learners)} learners on {len(spec.slices)} slices cannot be simulated, one of each can")
    (learner,), (data,) = spec.learners.values(), spec.slices.values()
    _refuse(learner, data)
    law = bound(data.law, at)
    if law.dimension is not None and law.number(law.dimension) != d:
        raise Unsupported(f"the inputs have {law.number(law.dimension):g} coordinates, {d} were asked for")
    ((_, cell),) = data.groups.items()
    blocks = blocks_of(spec, at, d)
    latent = spec.latents[cell.label.of]
    teacher = np.asarray(bound(latent.prior, at).sample(rng, (d,)), float) * inside(latent.blocks or None, blocks, d)
    network, loss = bound(learner.network, at), bound(learner.loss, at).formula(_Y, _Z)
    widths = (d, *(int(network.number(width)) for width in network.widths), 1)
    return System(
        widths=widths,
        weights=_start(learner, widths, network.bias, at, rng),
        biased=network.bias,
        samples=Samples(np.sqrt(per_coordinate(cell.variance, blocks, at, d)), teacher, bound(cell.label.channel, at)),
        count=_count(data, at, d),
        score=descent(loss),
        loss=program(loss, (_Y, _Z)),
        blocks=blocks,
        norms={name: blocks[str(one.block)] for name, one in (spec.observables or {}).items() if isinstance(one, ColumnNorm)},
        stages=tuple(_stage(stage, learner, at) for stage in spec.stages),
    )


def _refuse(learner: Any, data: Any) -> None:
    if learner.network is None or learner.network.kind != "deep_linear":
        raise Unsupported(f"sgd of network '{getattr(learner.network, 'kind', 'linear')}' cannot be simulated yet, deep_linear can")
    if learner.regularizer is not None and learner.regularizer.kind != "zero":
        raise Unsupported("sgd with a regularizer cannot be simulated yet")
    if data.law.kind != "gaussian" or data.selection is not None or len(data.groups) != 1:
        raise Unsupported("sgd is simulated on one group of gaussian inputs without selection only")
    (cell,) = data.groups.values()
    if cell.mean or cell.corruption is not None or cell.label.of is None or cell.label.bias not in (None, 0):
        raise Unsupported("sgd is simulated on centered inputs with labels of one teacher only")


def _count(data: Any, at: Mapping[str, float], d: int) -> int:
    if data.samples is not None:
        return round(number(data.samples, at))
    alpha = number(data.alpha, at)
    return 0 if math.isinf(alpha) else round(alpha * d)


def _start(learner: Any, widths: tuple[int, ...], biased: bool, at: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Normal entries; those of the last layer have one size, and a part of them is negative."""
    given = learner.start
    table = dict(given) if isinstance(given, Mapping) else {} if given is None else {"weights": given}
    size, readout, negative = (number(table.get(word, default), at) for word, default in (("weights", 1), ("readout", 1), ("negative", 0)))
    hidden = sum(above * below for below, above in zip(widths[:-2], widths[1:-1], strict=True))
    last = np.full(widths[-2], readout)
    last[widths[-2] - round(negative * widths[-2]) :] *= -1.0
    return np.concatenate([size * rng.standard_normal(hidden), last, np.zeros(sum(widths[1:]) if biased else 0)])


def _stage(stage: Any, learner: Any, at: Mapping[str, float]) -> Stage:
    protocol = bound(stage.protocol or learner.protocol, at)
    steps, batch = int(protocol.number(protocol.steps)), int(protocol.number(protocol.batch))
    clip = math.inf if protocol.clip is None else protocol.number(protocol.clip)
    return Stage(steps, protocol.number(protocol.rate), batch, protocol.replace, clip)
