"""Observables of a trained finite system, by averages over it and over fresh data; no derived formula enters.

Names are those of theories (`simulate.naming`): m q Q (per weight), bias, overlap, estimation_mse, generalization_error, mse,
training_loss, training_error, energy; on features also q_s, field_variance, field_overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
from scipy.ndimage import gaussian_filter1d

from replica.labels import CountLabels, DiscreteLabels
from simulate.draw import bound, teacher_of
from simulate.draw.fresh import Population, channel_of
from simulate.instance import Instance
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.tape import Tape, numpy_operations
from simulate.naming import Naming, learner_of, vectors
from simulate.observables import declared

_T, _WEIGHTS = np.polynomial.hermite_e.hermegauss(32)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_SIGNS = {-1.0, 1.0}


def measure_all(instance: Instance, outcome: Outcome, rng: np.random.Generator) -> dict[str, float]:
    """Observable -> value of one run: standard ones of every trained vector, those of the whole system, and the declared ones."""
    population = Population(instance, outcome.estimates, rng)
    naming = Naming(vectors(instance.spec), latents_of(instance))
    found: dict[str, float] = {}
    for name, estimate in outcome.estimates.items():
        learner = instance.spec.learners[learner_of(name)]
        truth = _truth_of(instance, learner)
        for key, value in measure(instance, learner, estimate, rng, population, name).items():
            named = naming.q(name) if key == "q" else naming.m(name, truth) if key == "m" and truth else naming.of(key, name)
            found[named] = value
    for name in outcome.estimates:
        found |= {key: value for key, value in _structure(instance, naming, outcome, name).items() if key not in found}
    found |= {name: float(value) for name, value in outcome.extras.items()}
    return found | declared(instance, outcome, found, population)


def latents_of(instance: Instance) -> tuple[str, ...]:
    """The latents with which learners have overlaps; of couplings between weights, those that a learner is after."""
    every = tuple(name for name, value in instance.truth.items() if value.ndim == 1)
    if "x" in instance.arrays:
        return every
    wanted = {_truth_of(instance, learner) for learner in instance.spec.learners.values()}
    return tuple(name for name in every if name in wanted)


def _structure(instance: Instance, naming: Naming, outcome: Outcome, name: str) -> dict[str, float]:
    """Overlaps of a trained vector with all latents and with the vectors trained after it, in all and block by block."""
    names = list(outcome.estimates)
    estimate = outcome.estimates[name]
    w, found = estimate.mean, {}
    along = w if estimate.layers is None else input_weights(estimate)
    blocks = instance.blocks if len(w) == instance.size else {}
    for block, where in {"": slice(None), **blocks}.items():
        if block and not _lives(instance, name, block):
            continue
        for latent in naming.latents if "x" in instance.arrays else ():
            if along is None or instance.truth[latent].shape != along.shape:
                continue
            if not block or block in (instance.spec.latents[latent].blocks or (block,)):
                m = float(np.mean(along[where] * instance.truth[latent][where]))
                found[naming.m(name, latent, block)] = abs(m) if blind_to_sign(instance) else m
        for other in names[names.index(name) :]:
            v = outcome.estimates[other].mean
            if _same_features(estimate, outcome.estimates[other]) and (not block or _lives(instance, other, block)):
                found[naming.q(name, other, block)] = float(np.mean(w[where] * v[where]))
    return found


def _same_features(a: Estimate, b: Estimate) -> bool:
    """Whether the weights of two learners act on the same things, so that their overlap means something."""
    if a.layers is None or b.layers is None:
        return a.layers is b.layers and a.mean.shape == b.mean.shape
    return a.layers.maps[-1] is b.layers.maps[-1]


def _lives(instance: Instance, name: str, block: str) -> bool:
    """Whether a trained vector has weights in a block."""
    return block in (instance.spec.learners[learner_of(name)].blocks or (block,))


def input_weights(estimate: Estimate) -> np.ndarray | None:
    """(d,) F^T w / sqrt(p), by which weights on one layer of features act on the linear part of the features; None where there are more."""
    if estimate.layers is None or len(estimate.layers.maps) > 1:
        return None
    return estimate.mean @ estimate.layers.maps[0] / np.sqrt(len(estimate.mean))


def measure(
    instance: Instance, learner: Any, estimate: Estimate, rng: np.random.Generator, population: Population | None = None, name: str = ""
) -> dict[str, float]:
    """Observable -> value of one run, for one trained vector.

    Args:
        learner: its protocol says what predicts: an ERM or Gibbs student with its own field, a Bayes learner with its posterior mean label.
        rng: for the noise of a student drawn from a measure.
        population: test data; drawn with `rng` if absent.
        name: of the vector among the learners of the population.
    """
    protocol = learner.protocol.kind
    found = _overlaps(instance, learner, estimate)
    if estimate.bias or getattr(learner.network, "bias", False):
        found["bias"] = estimate.bias
    if "x" in instance.arrays:
        population = population or Population(instance, {name: estimate}, rng)
        found |= _on_fresh(instance, protocol, estimate, rng, population, name)
        if learner.loss is not None and protocol == "erm" and "training_loss" not in estimate.extras:
            found |= _on_training(instance, learner, estimate)
    found |= estimate.extras
    return {name: float(value) for name, value in found.items()}


def _truth_of(instance: Instance, learner: Any) -> str | None:
    """The one latent that a learner is after: that of the labels, its target, or the condensed pattern of its couplings."""
    slices = instance.spec.slices.values()
    if "x" in instance.arrays:
        teachers = {teacher_of(g.label, instance.truth) for s in slices for g in s.groups.values()} - {None}
        return str(teachers.pop()) if len(teachers) == 1 else None
    wanted = [learner.target, *(getattr(part.law, "condensed", None) for part in slices)]
    return next((str(name) for name in wanted if name in instance.truth), None)


def _overlaps(instance: Instance, learner: Any, estimate: Estimate) -> dict[str, float]:
    """Of the minimiser, of the posterior mean (bayes), or of a typical student drawn from the measure (gibbs), whose own norm is Q."""
    w, d, protocol = estimate.mean, len(estimate.mean), learner.protocol.kind
    q = estimate.extras.get("q", w @ w / d)  # a sampler has one without the noise of its mean
    if estimate.layers is not None:
        along = input_weights(estimate)
        return {"q": q} if along is None else {"q": q, "q_s": float(np.mean(along**2))}
    point = protocol in ("erm", "adam")
    found = {"q": q} if point else {"q": q, "Q": estimate.extras.get("Q", q + estimate.spread)}
    name = _truth_of(instance, learner)
    if (
        name is None or instance.truth[name].shape != w.shape
    ):  # couplings without a preferred state: the mean over chains says nothing of the overlap inside a state
        return found if "x" in instance.arrays else {key: value for key, value in found.items() if key == "Q"}
    truth = instance.truth[name]
    m, rho = w @ truth / d, np.mean(truth**2)
    if blind_to_sign(instance):
        m = abs(m)
    own = found["Q"] if protocol == "gibbs" else q
    found |= {"m": m, "estimation_mse": rho - 2 * m + own}
    if own > 0 and rho > 0:
        found["overlap"] = m / np.sqrt(own * rho)
    return found


def blind_to_sign(instance: Instance) -> bool:
    """Whether every label leaves the sign of its field open, so that w and -w are equally good."""
    if "J" in instance.arrays:
        return instance.arrays["J"].ndim % 2 == 0
    y, z, xi = sp.symbols("y z xi", real=True)
    for part in instance.spec.slices.values():
        for group in part.groups.values():
            if teacher_of(group.label, instance.truth) is None or group.label.bias not in (None, 0):
                return False
            channel = bound(group.label.channel, instance.at)
            law = channel.density(y, z)
            rule = law if law is not None else channel.map(z, xi)
            if rule is None or sp.expand(rule - rule.subs(z, -z)) != 0:
                return False
    return True


def _on_fresh(
    instance: Instance, protocol: str, estimate: Estimate, rng: np.random.Generator, population: Population, name: str
) -> dict[str, float]:
    errors: list[tuple[float, float]] = []
    squares: list[tuple[float, float]] = []
    moments: list[tuple[float, np.ndarray]] = []
    for part in population.cells():
        field = part.fields[name]
        if part.teacher is not None:
            t = part.teacher
            moments.append((part.share, np.array([np.mean(field), np.mean(t), np.mean(field**2), np.mean(field * t)])))
        if protocol == "gibbs" and estimate.spread > 0:
            field = field + np.sqrt(estimate.spread) * rng.standard_normal(field.shape)
        predicted = field
        if protocol == "bayes":
            mean = label_mean(channel_of(part, instance))
            if mean is None:
                continue
            predicted = blurred(mean, field, np.sqrt(estimate.spread))
        if part.label is None or part.label.value == "random":
            continue
        if set(np.unique(part.y)) <= _SIGNS:
            errors.append((part.share, float(np.mean(np.where(predicted == 0, 0.5, np.sign(predicted) != part.y)))))
        else:
            squares.append((part.share, float(np.mean((part.y - predicted) ** 2))))
    found = {}
    if errors and not squares:
        found["generalization_error"] = sum(s * e for s, e in errors) / sum(s for s, _ in errors)
    if squares and not errors:
        found["mse"] = sum(s * e for s, e in squares) / sum(s for s, _ in squares)
    if moments and (estimate.layers is not None or any(part.law.maps() for part in instance.spec.slices.values())):
        z, t, zz, zt = np.average([m for _, m in moments], axis=0, weights=[s for s, _ in moments])
        found |= {"field_variance": zz - z**2, "field_overlap": zt - z * t}
    return found


def blurred(function: Callable[[np.ndarray], np.ndarray], z: np.ndarray, width: float) -> np.ndarray:
    """E[function(z + width * xi)] over a standard normal xi, through a fine grid; steps keep the sign of their average."""
    reach = np.abs(z).max() + 8 * width
    if width < 1e-3 * reach:  # a step within so narrow a blur touches few samples
        return np.asarray(sum(w * function(z + width * t) for t, w in zip(_T, _WEIGHTS, strict=True)))
    grid = np.linspace(-reach, reach, 2 * max(2000, round(20 * reach / width)) + 1)
    return np.interp(z, grid, gaussian_filter1d(function(grid), width / (grid[1] - grid[0]), mode="nearest", truncate=8.0))


def label_mean(channel: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """E[y | z] as a function of z, from the declared channel; None where it would need an integral over y."""
    if channel is None:
        return None
    y, z, xi = sp.symbols("y z xi", real=True)
    labels, law, rule = channel.labels(), channel.density(y, z), channel.map(z, xi)
    if isinstance(labels, DiscreteLabels) and law is not None:
        tape = Tape((sum(a * law.subs(y, a) for a in labels.atoms),), (z,), numpy_operations())
        return lambda field: tape(field)[0]
    if isinstance(labels, CountLabels) and law is not None:
        counts = Tape((y * law,), (y, z), numpy_operations())
        return lambda field: sum(counts(np.full_like(field, k), field)[0] for k in range(1, 200))
    if rule is not None:
        noisy = Tape((rule,), (z, xi), numpy_operations())
        return lambda field: sum(w * noisy(field, np.full_like(field, t))[0] for t, w in zip(_T, _WEIGHTS, strict=True))
    return None


def _on_training(instance: Instance, learner: Any, estimate: Estimate) -> dict[str, float]:
    return training_averages(bound(learner.loss, instance.at), instance.arrays["y"], estimate.field(instance.arrays["x"]))


def training_averages(loss: Any, y: np.ndarray, z: np.ndarray) -> dict[str, float]:
    """training_loss per sample and, for labels +-1, training_error, at labels y and fields z of equal shape."""
    label, field = sp.symbols("y z", real=True)
    tape = Tape((sp.sympify(loss.formula(label, field)),), (label, field), numpy_operations())
    found = {"training_loss": float(np.mean(tape(y, z)[0]))}
    if set(np.unique(y)) <= _SIGNS:
        found["training_error"] = float(np.mean(np.sign(z) != y))
    return found
