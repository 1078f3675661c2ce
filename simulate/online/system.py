"""A finite one-pass system: its latents, the cells of its data, its learner and its stages, as arrays and programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.families.online.existence import LABELS, jumps
from replica.labels import DiscreteLabels
from simulate.draw.coordinates import blocks_of, inside, per_coordinate
from simulate.draw.latents import correlated, joined
from simulate.draw.numbers import bound, number
from simulate.instance import Unsupported
from simulate.online.averages import Declared, averages, combined
from simulate.online.machine import Program, program
from simulate.online.times import length

_X, _Y, _Z, _XI = (sp.Symbol(name, real=True) for name in ("x", "y", "z", "xi"))
VALUE, RULE, ODDS = range(3)
"""How a cell labels: by a value, by y(z, xi), or by the odds of +1 given z."""


@dataclass(frozen=True)
class Stage:
    """Steps, odds of the cells, and rates of one stage."""

    steps: int
    odds: np.ndarray
    rate: float
    readout_rate: float
    batch: int
    decay: float


@dataclass(frozen=True)
class System:
    """A drawn system.

    Args:
        weights: (K, d) of the student, readout: (K,); trained: whether the readout moves.
        directions: (D, d) fixed vectors; owner: latent -> its rows.
        deviations: (C, d), means: (C, d): the law of the inputs of each cell.
        labels: (C, 4): kind, first row and number of rows of the latent, value.
        rules: program of the label per cell; outputs: program of the latent's unit per cell.
        activation, rise: the student's unit and its slope; score: -d loss/d z as a program of (y, z).
        loss: as a program of (y, z).
        blocks: slices of coordinates.
        declared: averages that the spec asks for; combined: what was measured -> the spec's formulas of it.
    """

    size: int
    weights: np.ndarray
    readout: np.ndarray
    trained: bool
    directions: np.ndarray
    names: tuple[str, ...]
    deviations: np.ndarray
    means: np.ndarray
    labels: np.ndarray
    rules: tuple[Program, ...]
    outputs: tuple[Program, ...]
    activation: Program
    rise: Program
    score: Program
    loss: Program
    blocks: tuple[slice, ...]
    stages: tuple[Stage, ...]
    signs: bool
    declared: tuple[Declared, ...]
    combined: Callable[[Mapping[str, float]], dict[str, float]]


def draw_system(spec: Any, at: Mapping[str, float], d: int, rng: np.random.Generator) -> System:
    """A system of an expanded spec.

    Raises:
        Unsupported: a part that has no finite system yet.
    """
    if len(spec.learners) != 1:
        raise Unsupported(f"one-pass learning of {len(spec.learners)} learners cannot be simulated yet")
    (learner,) = spec.learners.values()
    blocks = blocks_of(spec, at, d)
    vectors: list[np.ndarray] = []
    rows: dict[str, tuple[int, int]] = {}
    units: dict[str, sp.Expr] = {}
    drawn = _latents(spec, at, blocks, d, rng)
    for name, latent in spec.latents.items():
        rows[name], units[name] = (len(vectors), len(drawn[name])), units_of(latent.network, at)[1]
        vectors += list(drawn[name])
    names = tuple(name if n == 1 else f"{name}_{i + 1}" for name, (_, n) in rows.items() for i in range(n))
    count, output, trained = units_of(learner.network, at)
    start = _start(learner, at)
    readout = np.full(count, start["readout"] if trained else 1.0)
    readout[count - round(start["negative"] * count) :] *= -1.0 if trained else 1.0
    cells = [(s, g, part, cell) for s, part in spec.slices.items() for g, cell in part.groups.items()]
    directions = np.array(vectors).reshape(-1, d)
    deviations, means, labels, rules, outputs, signs = [], [], [], [], [], []
    for _, _, part, cell in cells:
        if part.law.kind not in ("gaussian", "iid") or cell.corruption is not None or part.selection is not None:
            raise Unsupported("one-pass learning needs plain vectors as inputs")
        deviations.append(np.sqrt(per_coordinate(cell.variance, blocks, at, d)))
        mean = np.zeros(d)
        for name, coefficient in (cell.mean or {}).items():
            mean += number(coefficient, at) / np.sqrt(d) * directions[rows[name][0]]
        means.append(mean)
        kind, value, rule, binary = _label(cell.label, at)
        first, n = rows.get(cell.label.of, (0, 0)) if cell.label.of else (0, 0)
        labels.append((kind, first, n, value))
        rules.append(rule)
        outputs.append(program(units[cell.label.of] if cell.label.of else _X, (_X,)))
        signs.append(binary)
    loss = bound(learner.loss, at).formula(_Y, _Z)
    return System(
        size=d, weights=start["weights"] * rng.standard_normal((count, d)), readout=readout, trained=trained, directions=directions,
        names=names, deviations=np.array(deviations), means=np.array(means), labels=np.array(labels, float), rules=tuple(rules),
        outputs=tuple(outputs), activation=program(output, (_X,)), rise=program(sp.diff(output, _X), (_X,)),
        score=descent(loss), loss=program(loss, (_Y, _Z)), blocks=tuple(blocks.values()) or (slice(0, d),),
        stages=_stages(spec, learner, cells, at, d), signs=all(signs), declared=averages(spec, at, cells),
        combined=partial(combined, spec, at),
    )  # fmt: skip


def _latents(
    spec: Any, at: Mapping[str, float], blocks: Mapping[str, slice], d: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Latent -> (units, d)."""
    drawn: dict[str, np.ndarray] = {}
    for group in joined(spec.latents):
        together = correlated(spec, group, at, dict.fromkeys(group, (d,)), blocks, d, rng) if len(group) > 1 else {}
        for name in group:
            latent = spec.latents[name]
            count = units_of(latent.network, at)[0]
            if together and count > 1:
                raise Unsupported(f"latent.{name}.overlap: {count} units have no common overlap that could be drawn")
            found = together[name][None] if together else bound(latent.prior, at).sample(rng, (count, d))
            drawn[name] = np.asarray(found, float) * inside(latent.blocks or None, blocks, d)
    return drawn


def _at_label(loss: sp.Expr, y: float, z: Any) -> Any:
    return evaluate(loss.xreplace({_Y: sp.Float(y)}), {_Z: z})


@lru_cache(maxsize=16)
def descent(loss: sp.Expr) -> Program:
    """-d loss/d z as a program of (y, z).

    Raises:
        Unsupported: the loss jumps, and its slope misses that.
    """
    if any(jumps(partial(_at_label, loss, y)) for y in LABELS):
        raise Unsupported(f"the loss {loss} jumps, and the gradient that steps follow does not see it")
    return program(-sp.diff(loss, _Z), (_Y, _Z))


def units_of(network: Any, at: Mapping[str, float]) -> tuple[int, sp.Expr, bool]:
    """Number of units, their activation in x, and whether the readout is trained."""
    if network is None or network.kind == "linear":
        if getattr(network, "bias", False):
            raise Unsupported("a trained bias cannot be simulated in one-pass learning yet")
        return 1, _X, False
    if network.kind != "committee":
        raise Unsupported(f"network '{network.kind}' cannot be simulated in one-pass learning")
    fixed = bound(network, at)
    return int(fixed.number(fixed.units)), fixed.activation.formula(_X), fixed.readout == "trained"


def _start(learner: Any, at: Mapping[str, float]) -> dict[str, float]:
    given = learner.start
    table = dict(given) if isinstance(given, Mapping) else {} if given is None else {"weights": given}
    return {word: number(table.get(word, default), at) for word, default in (("weights", 1), ("readout", 1), ("negative", 0))}


def _label(label: Any, at: Mapping[str, float]) -> tuple[int, float, Program, bool]:
    """(kind, value, program, whether it is a sign)."""
    if label.value is not None and not label.random:
        value = number(label.value, at)
        return VALUE, value, program(_Z, (_Z, _XI)), abs(value) == 1
    if label.random:
        return ODDS, 0.0, program(sp.Rational(1, 2), (_Z, _XI)), True
    channel, field = bound(label.channel, at), _Z + (0 if label.bias is None else number(label.bias, at))
    labels = channel.labels()
    if isinstance(labels, DiscreteLabels):
        if labels.atoms != (-1, 1):
            raise Unsupported(f"channel '{channel.kind}': labels other than signs cannot be simulated in one-pass learning yet")
        return ODDS, 0.0, program(channel.density(sp.S.One, field), (_Z, _XI)), True
    rule = channel.map(field, _XI)
    if rule is None:
        raise Unsupported(f"channel '{channel.kind}' has no rule y(z, xi), which one-pass learning needs")
    return RULE, 0.0, program(rule, (_Z, _XI)), False


def _stages(spec: Any, learner: Any, cells: list, at: Mapping[str, float], d: int) -> tuple[Stage, ...]:
    """Stages of whole steps that end at the steps nearest to where they should."""
    ends = np.round(np.cumsum([0.0, *(length(spec, stage, at) for stage in spec.stages)]) * d).astype(int)
    return tuple(_stage(spec, stage, learner, cells, at, int(n)) for stage, n in zip(spec.stages, np.diff(ends), strict=True))


def _stage(spec: Any, stage: Any, learner: Any, cells: list, at: Mapping[str, float], steps: int) -> Stage:
    protocol = bound(stage.protocol or learner.protocol, at)
    on = set(stage.on or ()) & (set(learner.on) if learner.on else set(stage.on or ())) or set(spec.slices)
    seen = [s in on or g in on for s, g, _, _ in cells]
    parts = {s for (s, _, _, _), yes in zip(cells, seen, strict=True) if yes}
    odds = np.zeros(len(cells))
    for s in parts:
        own = [yes and name == s for (name, _, _, _), yes in zip(cells, seen, strict=True)]
        inner = [1 if cell.share is None else cell.share for _, _, _, cell in cells]
        shares = np.array([yes * number(share, at) for yes, share in zip(own, inner, strict=True)])
        odds += number(1 if spec.slices[s].share is None else spec.slices[s].share, at) * shares / shares.sum()
    rate = protocol.number(protocol.rate)
    other = rate if protocol.readout_rate is None else protocol.number(protocol.readout_rate)
    return Stage(steps, odds / odds.sum(), rate, other, int(protocol.number(protocol.batch)), protocol.number(protocol.decay))
