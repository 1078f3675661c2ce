"""What a theory of trained features takes from finite systems: how the features vary, and what they know of the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from replica.families.staged.measured import EIGENVALUE, FRACTION, LABEL_NODES, NODES, PLACE, POWER, node
from replica.gauss import gauss_of_logarithm
from replica.spec.expressions import mentioned
from simulate.draw import draw, generator, inputs_of, number, teacher_of
from simulate.draw.fresh import weights
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Outcome
from simulate.learn.features import Layers
from simulate.naming import last

SAMPLES, PER_FEATURE = 20_000, 40  # at least as many fresh inputs
NETWORKS = 4  # trained for one answer
_ABSENT = 1e-9  # samples per input of a slice that nobody is trained on
_CERTAIN = 1e-6  # part of the label's field that no features explain


@dataclass(frozen=True)
class Modes:
    """Features of one network.

    Args:
        values: (p,) eigenvalues of their covariance.
        power: (p,) part of the variance of the label's field along the eigenvectors.
    """

    values: np.ndarray
    power: np.ndarray


def measured(
    spec: Any,
    at: Mapping[str, float],
    size: int | None = None,
    seeds: Sequence[int] | None = None,
    device: str = "cpu",
) -> dict[str, float]:
    """The measured controls of the theory of a spec at a point, from a few networks trained for it.

    Controls that act only after the networks are trained leave the networks as they are.

    Args:
        at: controls that differ from the spec's defaults.
        size, seeds: of the systems: the largest and the first few of the run plan if absent.

    Raises:
        Unsupported: networks that cannot be trained.
    """
    from simulate.runs import plan

    full, point = spec.expand(), spec.at(at)
    sizes, numbers = plan(full, None if size is None else [size], seeds, point)
    known = tuple((name, point[name]) for name in acting(spec) if name in point)
    return controls(_networks(full, known, max(sizes), tuple(numbers[: NETWORKS if seeds is None else None]), device))


def acting(spec: Any) -> tuple[str, ...]:
    """The controls on which the networks depend whose features a theory reads."""
    probe = _until_trained(spec.expand())
    words = {word for mention in probe.changed(controls={}).mentions() for word in mentioned(mention.text)}
    return tuple(name for name in spec.controls if name in words)


@lru_cache(maxsize=256)
def _networks(full: Any, known: tuple[tuple[str, float], ...], size: int, seeds: tuple[int, ...], device: str) -> dict[str, list[Modes]]:
    from simulate.learn.stages import solve  # brings torch

    probe = _until_trained(full)
    instances = [draw(probe, dict(known), size, seed) for seed in seeds]
    found: dict[str, list[Modes]] = {}
    for instance, outcome in zip(instances, solve(instances, device), strict=True):
        if outcome.failure:
            raise Unsupported(f"features cannot be measured: {outcome.failure}")
        for name, one in modes_of(instance, outcome, full).items():
            found.setdefault(name, []).append(one)
    return found


def modes_of(instance: Instance, outcome: Outcome, spec: Any) -> dict[str, Modes]:
    """Learner -> the features that it reads in a finite system, for every learner of the spec that reads those of a trained network."""
    readers = {name: learner for name, learner in spec.learners.items() if _reads(learner, spec)}
    return {name: modes(instance, one, _layers(outcome, one.network, instance.at), name) for name, one in readers.items()}


def controls(found: Mapping[str, Sequence[Modes]]) -> dict[str, float]:
    """The measured controls, from the features of some networks each."""
    return {key: value for name, parts in found.items() for key, value in nodes(name, parts).items()}


def modes(instance: Instance, learner: Any, layers: Layers, name: str) -> Modes:
    """From fresh inputs of the cells that a learner is trained on, less what the noise of the estimate adds to the powers."""
    from simulate.learning_curve.estimate import pooled  # brings scikit-learn

    rng = generator(instance.spec.fingerprint, instance.at, instance.size, instance.seed, f"features of {name}, measured")
    cells = [(key, weight) for key, weight in weights(instance, learner.on) if weight > 0]
    total, count = sum(weight for _, weight in cells), max(SAMPLES, PER_FEATURE * layers.width)
    phi, field = [], []
    for (part, group), weight in cells:
        law = instance.spec.slices[part]
        cell = law.groups[group]
        teacher = teacher_of(cell.label, instance.truth)
        if teacher is None:
            raise Unsupported(f"learner '{name}': features without a label's field cannot be measured")
        share = max(1, round(count * weight / total))
        inputs = inputs_of(cell, law.law, instance.truth, instance.at, share, instance.size, rng, instance.blocks)
        phi.append(layers(inputs.seen))
        field.append(inputs.field(instance.truth[teacher]))
    x, nu = np.concatenate(phi), np.concatenate(field)
    x, nu, n = x - x.mean(0), nu / np.sqrt(np.mean(nu**2)), len(nu)
    values, axes = np.linalg.eigh(x.T @ x / n)
    kept = values > 1e-12 * values[-1]
    raw = (axes[:, kept].T @ (x.T @ nu / n)) ** 2 / values[kept]
    left = max(1 - float(raw.sum()), 0.0) / max(n - int(kept.sum()) - 1, 1)
    power = pooled(raw, np.full(len(raw), left))
    return Modes(values[kept], power * min(1.0, (1 - _CERTAIN) / max(float(power.sum()), 1e-300)))


def nodes(name: str, parts: Sequence[Modes]) -> dict[str, float]:
    """Quadratures of the mean spectrum of some networks as the controls of a learner's theory."""
    values, power = np.concatenate([m.values for m in parts]), np.concatenate([m.power for m in parts]) / len(parts)
    share = np.concatenate([np.full(len(m.values), 1 / (len(m.values) * len(parts))) for m in parts])
    found: dict[str, float] = {}
    for (place, part), mass, count in (((EIGENVALUE, FRACTION), share, NODES), ((PLACE, POWER), power, LABEL_NODES)):
        at, held = gauss_of_logarithm(values, mass, count)
        for i in range(count):
            found[node(name, place, i)] = float(at[i]) if i < len(at) else 1.0
            found[node(name, part, i)] = min(float(held[i]), 1.0) if i < len(at) else 0.0
    return found


def _reads(learner: Any, spec: Any) -> bool:
    return learner.network.kind == "head_of" and spec.learners[learner.network.learner].network.kind == "mlp"


def _layers(outcome: Outcome, network: Any, at: Mapping[str, float]) -> Layers:
    source = outcome.estimates[str(last(tuple(outcome.estimates), network.learner))]
    layer = round(number(network.layer, at))
    if source.layers is None or layer > len(source.layers.maps):
        raise Unsupported(f"'{network.learner}' has no layer {layer}")
    return source.layers.up_to(layer)


def _until_trained(full: Any) -> Any:
    """The spec up to the stage in which the last network that is read is trained; of other slices there is hardly a sample."""
    sources = {learner.network.learner for learner in full.learners.values() if _reads(learner, full)}
    final = max(i for i, stage in enumerate(full.stages) if sources & set(stage.learners))
    stages = [
        stage.changed(learners=tuple(name for name in stage.learners if not _reads(full.learners[name], full)))
        for stage in full.stages[: final + 1]
    ]
    stages = [stage for stage in stages if stage.learners]
    kept = {name for stage in stages for name in stage.learners}
    seen = {
        part
        for stage in stages
        for name in stage.learners
        for part in full.slices
        if all(not only or part in only or set(full.slices[part].groups) & set(only) for only in (full.learners[name].on, stage.on))
    }
    slices = {name: part if name in seen else part.changed(alpha=_ABSENT, samples=None) for name, part in full.slices.items()}
    learners = {name: learner for name, learner in full.learners.items() if name in kept}
    return full.changed(learners=learners, stages=stages, slices=slices, observables={}, run=None)
