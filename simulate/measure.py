"""Observables of a trained finite system, by averages over it and over fresh data; no derived formula enters.

Names are those of theories: m q Q (per weight), overlap, estimation_mse, generalization_error, mse, training_loss, training_error, energy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
from scipy.ndimage import gaussian_filter1d

from replica.labels import CountLabels, DiscreteLabels
from simulate.draw import bound, teacher_of
from simulate.draw.fresh import channel_of, fresh
from simulate.instance import Instance
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.tape import Tape, numpy_operations
from simulate.observables import declared

_T, _WEIGHTS = np.polynomial.hermite_e.hermegauss(32)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_SIGNS = {-1.0, 1.0}


def measure_all(instance: Instance, outcome: Outcome, rng: np.random.Generator) -> dict[str, float]:
    """Observable -> value of one run: standard ones of every learner, those of the whole system, and the declared ones.

    With several learners the names are `Q[a]`, `m[a,latent]`, `energy[a]` and `q[a,b]`.
    """
    several = len(instance.spec.learners) > 1
    found: dict[str, float] = {}
    for name, estimate in outcome.estimates.items():
        own = measure(instance, instance.spec.learners[name], estimate, rng)
        truth = _truth_of(instance, instance.spec.learners[name])
        found |= {_name(key, name, truth) if several else key: value for key, value in own.items()}
    names = list(outcome.estimates) if several else []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            found[f"q[{a},{b}]"] = float(outcome.estimates[a].mean @ outcome.estimates[b].mean) / instance.size
    found |= {name: float(value) for name, value in outcome.extras.items()}
    return found | declared(instance, outcome, found, rng)


def _name(key: str, learner: str, truth: str | None) -> str:
    return f"q[{learner},{learner}]" if key == "q" else f"m[{learner},{truth}]" if key == "m" else f"{key}[{learner}]"


def measure(instance: Instance, learner: Any, estimate: Estimate, rng: np.random.Generator) -> dict[str, float]:
    """Observable -> value of one run.

    Args:
        learner: its protocol says what predicts: an ERM or Gibbs student with its own field, a Bayes learner with its posterior mean label.
        rng: for test data.
    """
    protocol = learner.protocol.kind
    found = _overlaps(instance, learner, estimate)
    if "x" in instance.arrays:
        found |= _on_fresh(instance, protocol, estimate, rng)
        if learner.loss is not None and protocol == "erm":
            found |= _on_training(instance, learner, estimate.mean)
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
    w, d, protocol = estimate.mean, instance.size, learner.protocol.kind
    q = estimate.extras.get("q", w @ w / d)  # a sampler has one without the noise of its mean
    found = {"q": q} if protocol == "erm" else {"q": q, "Q": estimate.extras.get("Q", q + estimate.spread)}
    name = _truth_of(instance, learner)
    if name is None:  # couplings without a preferred state: the mean over chains says nothing of the overlap inside a state
        return found if "x" in instance.arrays else {key: value for key, value in found.items() if key == "Q"}
    truth = instance.truth[name]
    m, rho = w @ truth / d, np.mean(truth**2)
    if _blind_to_sign(instance):
        m = abs(m)
    own = found["Q"] if protocol == "gibbs" else q
    found |= {"m": m, "estimation_mse": rho - 2 * m + own}
    if own > 0 and rho > 0:
        found["overlap"] = m / np.sqrt(own * rho)
    return found


def _blind_to_sign(instance: Instance) -> bool:
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


def _on_fresh(instance: Instance, protocol: str, estimate: Estimate, rng: np.random.Generator) -> dict[str, float]:
    errors: list[tuple[float, float]] = []
    squares: list[tuple[float, float]] = []
    for part in fresh(instance, estimate.mean, rng):
        field = part.student
        if protocol == "gibbs" and estimate.spread > 0:
            field = field + np.sqrt(estimate.spread) * rng.standard_normal(field.shape)
        predicted = field
        if protocol == "bayes":
            mean = label_mean(channel_of(part, instance))
            if mean is None:
                continue
            predicted = blurred(mean, field, np.sqrt(estimate.spread))
        if part.teacher is None:
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


def _on_training(instance: Instance, learner: Any, w: np.ndarray) -> dict[str, float]:
    x, y = instance.arrays["x"], instance.arrays["y"]
    z = x @ w / np.sqrt(instance.size)
    return training_averages(bound(learner.loss, instance.at), y, z)


def training_averages(loss: Any, y: np.ndarray, z: np.ndarray) -> dict[str, float]:
    """training_loss per sample and, for labels +-1, training_error, at labels y and fields z of equal shape."""
    label, field = sp.symbols("y z", real=True)
    tape = Tape((sp.sympify(loss.formula(label, field)),), (label, field), numpy_operations())
    found = {"training_loss": float(np.mean(tape(y, z)[0]))}
    if set(np.unique(y)) <= _SIGNS:
        found["training_error"] = float(np.mean(np.sign(z) != y))
    return found
