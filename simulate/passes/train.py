"""Noisy descent of linear layers: batches drawn with or without replacement, steps in a compiled loop, norms measured on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numba import njit

from simulate.draw.seeds import generator
from simulate.instance import Unsupported
from simulate.online.machine import evaluate
from simulate.online.sgd import Path
from simulate.passes.system import Stage, System, draw_system

_BLOCK = 2**20  # numbers drawn at once
_TEST = 4000  # fresh samples for a measured average
Batches = Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""steps -> inputs (n, d), labels (n,), and which of them each step takes (steps, batch)."""


def paths(spec: Any, at: Mapping[str, float], d: int, seeds: Sequence[int], times: Sequence[float], device: str = "cpu") -> list[Path]:
    """One run per seed.

    Raises:
        Unsupported: a part of the spec without a finite system, or a device that is not the processor.
    """
    if device != "cpu":
        raise Unsupported(f"sgd runs on the processor, not on {device!r}")
    return [run(spec, at, d, seed, times) for seed in seeds]


def run(spec: Any, at: Mapping[str, float], d: int, seed: int, times: Sequence[float]) -> Path:
    """One run, measured at the steps nearest to `times`.

    Args:
        spec: expanded; times: increasing, within the stages.

    Raises:
        Unsupported: a part of the spec without a finite system.
    """
    rng = generator(spec.fingerprint, at, d, seed)
    system = draw_system(spec, at, d, rng)
    test = system.samples.draw(generator(spec.fingerprint, at, d, seed, "test"), _TEST)
    fixed = system.samples.draw(rng, system.count) if system.count else None
    marks, weights = np.round(np.asarray(times)).astype(int), system.weights.copy()
    found: list[dict[str, float]] = []
    done, seen = 0, np.zeros(3)  # steps, those that were clipped, sum of squared errors since the last mark
    for stage in system.stages:
        end, batches = done + stage.steps, _batches(system, stage, fixed, rng)
        while True:
            while len(found) < len(marks) and marks[len(found)] == done:
                found.append(_measure(system, weights, test, seen))
                seen[:] = 0.0
            if done >= end:
                break
            stop = min([end, *(int(mark) for mark in marks[len(found) : len(found) + 1])])
            count = min(stop - done, max(1, _BLOCK // (stage.batch * d)))
            _descend(weights, np.array(system.widths), system.biased, *batches(count), system.score.packed, stage.rate, stage.clip, seen)
            done += count
            if not np.isfinite(weights.sum()):
                return _path(system, marks, found, f"the weights diverge before step {done}")
    return _path(system, marks, found, "")


def _batches(system: System, stage: Stage, fixed: tuple[np.ndarray, np.ndarray] | None, rng: np.random.Generator) -> Batches:
    batch = stage.batch
    if fixed is None:

        def fresh(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            return (*system.samples.draw(rng, steps * batch), np.arange(steps * batch).reshape(steps, batch))

        return fresh
    left = np.zeros(0, int)

    def known(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        nonlocal left
        if stage.replace:
            return (*fixed, rng.integers(system.count, size=(steps, batch)))
        while len(left) < steps * batch:
            left = np.concatenate([left, rng.permutation(system.count)])
        taken, left = left[: steps * batch], left[steps * batch :]
        return (*fixed, taken.reshape(steps, batch))

    return known


@njit(error_model="numpy", nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _descend(weights, widths, biased, inputs, labels, chosen, score, rate, clip, seen):
    """Steps down the mean gradient of a batch each; `weights` and `seen` change in place."""
    steps, batch = chosen.shape
    depth = len(widths) - 1
    ends, offsets = np.zeros(depth + 1, np.int64), np.zeros(depth + 2, np.int64)
    for n in range(depth):
        ends[n + 1] = ends[n] + widths[n] * widths[n + 1]
        offsets[n + 1] = offsets[n] + widths[n]
    offsets[depth + 1] = offsets[depth] + widths[depth]
    values, slopes = np.zeros(offsets[depth + 1]), np.zeros(offsets[depth + 1])
    gradient, registers = np.zeros(len(weights)), np.zeros(512)
    for step in range(steps):
        gradient[:] = 0.0
        for s in range(batch):
            x = inputs[chosen[step, s]]
            for i in range(widths[0]):
                values[i] = x[i]
            for n in range(depth):
                below, above, place = offsets[n], offsets[n + 1], ends[n]
                for o in range(widths[n + 1]):
                    total = weights[ends[depth] + above - widths[0] + o] if biased else 0.0
                    for i in range(widths[n]):
                        total += weights[place + o * widths[n] + i] * values[below + i]
                    values[above + o] = total
            y, z = labels[chosen[step, s]], values[offsets[depth]]
            registers[0], registers[1] = y, z
            slopes[offsets[depth]] = evaluate(score, registers)
            seen[2] += (y - z) ** 2 / batch
            for n in range(depth - 1, -1, -1):
                below, above, place = offsets[n], offsets[n + 1], ends[n]
                for i in range(widths[n]):
                    slopes[below + i] = 0.0
                for o in range(widths[n + 1]):
                    s_o = slopes[above + o]
                    if biased:
                        gradient[ends[depth] + above - widths[0] + o] += s_o
                    for i in range(widths[n]):
                        gradient[place + o * widths[n] + i] += s_o * values[below + i]
                        slopes[below + i] += s_o * weights[place + o * widths[n] + i]
        square = 0.0
        for p in range(len(weights)):
            square += gradient[p] * gradient[p]
        norm, size = np.sqrt(square) / batch, rate / batch
        seen[0] += 1.0
        if norm > clip:
            size *= clip / norm
            seen[1] += 1.0
        for p in range(len(weights)):
            weights[p] += size * gradient[p]


def _measure(system: System, weights: np.ndarray, test: tuple[np.ndarray, np.ndarray], seen: np.ndarray) -> dict[str, Any]:
    """Norms, averages over fresh samples, and what was seen in the steps since the last time."""
    layers = system.layers(weights)
    z, y = test[0].T, test[1]
    place = sum(layer.size for layer in layers)
    for layer in layers:
        z = layer @ z
        if system.biased:
            z = z + weights[place : place + len(layer), None]
            place += len(layer)
    found: dict[str, Any] = {"loss": float(np.mean(_losses(system.loss.packed, y, z[0]))), "mse": float(np.mean((y - z[0]) ** 2))}
    found |= {name: float(np.linalg.norm(layers[0][:, block])) for name, block in system.norms.items()}
    steps = max(seen[0], 1.0)
    found["batch_mse"] = float(seen[2] / steps) if seen[0] else found["mse"]
    if any(np.isfinite(stage.clip) for stage in system.stages):
        found["clipped"] = float(seen[1] / steps)
    if len(layers) == 2 and not system.biased:
        blocks = tuple(system.blocks.values()) or (slice(0, system.widths[0]),)
        target = system.samples.teacher / np.sqrt(system.widths[0])
        found["Q"] = np.array([layers[0][:, b] @ layers[0][:, b].T for b in blocks])
        found["R"] = np.array([(layers[0][:, b] @ target[b])[:, None] for b in blocks])
        found["v"] = layers[1][0].copy()
        found["T"] = np.array([[[target[b] @ target[b]]] for b in blocks])
    return found


@njit(error_model="numpy", nogil=True)
def _losses(loss, y, z):
    found, registers = np.zeros(len(y)), np.zeros(512)
    for n in range(len(y)):
        registers[0], registers[1] = y[n], z[n]
        found[n] = evaluate(loss, registers)
    return found


def _path(system: System, marks: np.ndarray, found: list[dict[str, Any]], failure: str) -> Path:
    arrays = ("Q", "R", "v", "T")
    start = {name: found[0][name] for name in arrays if name in found[0]} if found else {}
    names = [name for name in found[0] if name not in arrays] if found else []
    averages = {name: np.array([one[name] for one in found]) for name in names}
    return Path(marks[: len(found)].astype(float), {}, start, averages, failure)
