"""One-pass runs by torch: the networks and draws of `simulate.online.sgd`, seeds side by side, gradients from the loss alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
import torch
from numba import njit

from simulate.draw.numbers import bound
from simulate.draw.seeds import generator
from simulate.learn.tape import Tape, stable, torch_operations
from simulate.online.sgd import Path, block_of, codes, label_of, measure, path_of
from simulate.online.system import Stage, System, draw_system, units_of

_TOGETHER = 16  # seeds trained side by side
_X, _Y, _Z = (sp.Symbol(name, real=True) for name in "xyz")


def paths(spec: Any, at: Mapping[str, float], d: int, seeds: Sequence[int], times: Sequence[float], device: str = "cpu") -> list[Path]:
    """One run per seed, measured at the steps nearest to `times`, in double precision.

    Args:
        spec: expanded; times: increasing, within the stages; device: "cpu" or "cuda".

    Raises:
        Unsupported: a part of the spec without a finite system.
    """
    groups = [seeds[i : i + _TOGETHER] for i in range(0, len(seeds), _TOGETHER)]
    return [path for some in groups for path in _together(spec, at, d, some, times, device)]


def _together(spec: Any, at: Mapping[str, float], d: int, seeds: Sequence[int], times: Sequence[float], device: str) -> list[Path]:
    rngs = [generator(spec.fingerprint, at, d, seed) for seed in seeds]
    tests = [generator(spec.fingerprint, at, d, seed, "test") for seed in seeds]
    systems = [draw_system(spec, at, d, rng) for rng in rngs]
    first, steps = systems[0], _Steps(spec, at, d, device)
    marks = np.round(np.asarray(times) * d).astype(int)
    weights = torch.tensor(np.stack([s.weights for s in systems]), device=device, requires_grad=True)
    readout = torch.tensor(np.stack([s.readout for s in systems]), device=device, requires_grad=True)
    found: list[list[dict[str, Any]]] = [[] for _ in seeds]
    failures = [""] * len(seeds)
    done, kept = 0, 0
    for number, stage in enumerate(first.stages):
        end = done + stage.steps
        while True:
            while kept < len(marks) and marks[kept] == done:
                for place, system in enumerate(systems):
                    if not failures[place]:
                        w, v = (t[place].detach().cpu().numpy() for t in (weights, readout))
                        found[place].append(measure(system, w, v, tests[place]))
                kept += 1
            if done >= end or all(failures):
                break
            stop = min([end, *(int(mark) for mark in marks[kept : kept + 1])])
            count = block_of(stage, d, stop - done)
            samples = [_samples(system, system.stages[number], rng, count, d) for system, rng in zip(systems, rngs, strict=True)]
            x, y = (torch.tensor(np.stack(part), device=device) for part in zip(*samples, strict=True))
            for step in range(count):
                own = slice(step * stage.batch, (step + 1) * stage.batch)
                steps(weights, readout, x[:, own], y[:, own], stage)
            done += count
            sound = torch.isfinite(weights.sum(dim=(1, 2)) + readout.sum(dim=1)).tolist()
            failures = [
                old or ("" if good else f"the weights diverge before alpha = {done / d:.4g}")
                for old, good in zip(failures, sound, strict=True)
            ]
    return [path_of(system, marks, one, d, failure) for system, one, failure in zip(systems, found, failures, strict=True)]


def _samples(system: System, stage: Stage, rng: np.random.Generator, count: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (count * batch, d) and labels of a block of steps, in the order in which compiled runs draw them."""
    total = count * stage.batch
    cells = rng.choice(len(stage.odds), size=total, p=stage.odds)
    inputs, extra, uniform = rng.standard_normal((total, d)), rng.standard_normal(total), rng.random(total)
    inputs = inputs * system.deviations[cells] + system.means[cells]
    return inputs, _labels(inputs, cells, extra, uniform, system.directions, system.labels, codes(system)[0])


@njit(error_model="numpy", nogil=True)
def _labels(inputs, cells, extra, uniform, directions, labels, labeler):
    y, registers = np.zeros(len(inputs)), np.zeros(512)
    for n in range(len(inputs)):
        y[n] = label_of(cells[n], inputs[n], directions, labels, labeler, extra[n], uniform[n], registers)
    return y


class _Steps:
    """Steps of descent of the mean loss of a batch."""

    def __init__(self, spec: Any, at: Mapping[str, float], d: int, device: str) -> None:
        (learner,) = spec.learners.values()
        _, output, self.trained = units_of(learner.network, at)
        self.size = d
        self.activation = Tape((stable(output),), (_X,), torch_operations())
        self.loss = Tape((stable(bound(learner.loss, at).formula(_Y, _Z)),), (_Y, _Z), torch_operations())

    def __call__(self, weights: torch.Tensor, readout: torch.Tensor, x: torch.Tensor, y: torch.Tensor, stage: Stage) -> None:
        """One step.

        Args:
            weights: (S, K, d), readout: (S, K); changed in place.
            x: (S, batch, d), y: (S, batch).
        """
        (values,) = self.activation(x @ weights.mT / math.sqrt(self.size))
        (losses,) = self.loss(y, (values @ readout[:, :, None])[:, :, 0])
        down, below = torch.autograd.grad(losses.mean(dim=1).sum(), (weights, readout))
        with torch.no_grad():
            weights.mul_(1 - stage.rate * stage.decay / self.size).sub_(stage.rate * down)
            if self.trained:
                readout.sub_(stage.readout_rate / self.size * below)
