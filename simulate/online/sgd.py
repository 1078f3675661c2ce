"""Stochastic gradient descent in one pass: inputs drawn in blocks, steps in a compiled loop, overlaps measured on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from simulate.draw.seeds import generator
from simulate.instance import Unsupported
from simulate.online.machine import Program, evaluate
from simulate.online.system import ODDS, RULE, Stage, System, draw_system

_BLOCK = 2**20  # numbers drawn at once
_TEST = 4000  # fresh samples for a measured average


@dataclass(frozen=True)
class Path:
    """What one run measured.

    Args:
        times: (n,) in units of steps/d.
        arrays: "Q" (n, B, K, K), "R" (n, B, K, D), "v" (n, K) where it moves; fixed: "T" (B, D, D).
        averages: name -> (n,).
        failure: empty, or why it may not be used.
    """

    times: np.ndarray
    arrays: Mapping[str, np.ndarray]
    fixed: Mapping[str, np.ndarray]
    averages: Mapping[str, np.ndarray]
    failure: str = ""


def paths(spec: Any, at: Mapping[str, float], d: int, seeds: Sequence[int], times: Sequence[float], device: str = "cpu") -> list[Path]:
    """One run per seed, on the processor.

    Raises:
        Unsupported: a part of the spec without a finite system, or another device.
    """
    if device != "cpu":
        raise Unsupported(f"compiled runs have no device {device!r}; online_autograd has")
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
    test = generator(spec.fingerprint, at, d, seed, "test")
    marks = np.round(np.asarray(times) * d).astype(int)
    labeler, student = codes(system)
    weights, readout = system.weights.copy(), system.readout.copy()
    found: list[dict[str, Any]] = []
    done = 0
    for stage in system.stages:
        end = done + stage.steps
        while True:
            while len(found) < len(marks) and marks[len(found)] == done:
                found.append(measure(system, weights, readout, test))
            if done >= end:
                break
            stop = min([end, *(int(mark) for mark in marks[len(found) : len(found) + 1])])
            count = block_of(stage, d, stop - done)
            cells = rng.choice(len(stage.odds), size=count * stage.batch, p=stage.odds)
            inputs = rng.standard_normal((count * stage.batch, d))
            extra = rng.standard_normal(count * stage.batch)
            uniform = rng.random(count * stage.batch)
            moving = stage.readout_rate if system.trained else 0.0
            _train(
                weights, readout, inputs, cells, extra, uniform, system.directions, system.deviations, system.means, system.labels, labeler,
                student, stage.rate, moving, stage.batch, stage.decay,
            )  # fmt: skip
            done += count
            if not np.isfinite(weights.sum() + readout.sum()):
                return path_of(system, marks, found, d, f"the weights diverge before alpha = {done / d:.4g}")
    return path_of(system, marks, found, d, "")


def block_of(stage: Stage, d: int, most: int) -> int:
    """Steps whose samples are drawn at once, at most `most`."""
    return min(most, max(1, _BLOCK // (d * stage.batch)))


def codes(system: System) -> tuple[tuple, tuple]:
    """Programs as tuples that compiled code takes; those of cells in one array each."""
    rules, outputs = _joined(system.rules), _joined(system.outputs)
    return (rules, outputs), (system.activation.packed, system.rise.packed, system.score.packed)


def _joined(programs: Sequence[Program]) -> tuple[np.ndarray, ...]:
    """Programs one after the other: rows, constants, and where each begins."""
    rows = np.concatenate([p.rows for p in programs])
    constants = np.concatenate([p.constants for p in programs])
    row_ends = np.cumsum([0, *(len(p.rows) for p in programs)])
    constant_ends = np.cumsum([0, *(len(p.constants) for p in programs)])
    return rows, constants, row_ends, constant_ends, np.array([p.arguments for p in programs]), np.array([p.result for p in programs])


@njit(error_model="numpy", nogil=True)
def _of_cell(joined, c, registers):
    rows, constants, row_ends, constant_ends, arguments, results = joined
    code = (rows[row_ends[c] : row_ends[c + 1]], constants[constant_ends[c] : constant_ends[c + 1]], arguments[c], results[c])
    return evaluate(code, registers)


@njit(error_model="numpy", nogil=True)
def label_of(c, x, directions, labels, labeler, xi, u, registers):
    """The label of one input of cell c."""
    if labels[c, 0] != RULE and labels[c, 0] != ODDS:
        return labels[c, 3]
    rules, outputs = labeler
    star = 0.0
    for m in range(int(labels[c, 1]), int(labels[c, 1] + labels[c, 2])):
        field = 0.0
        for i in range(len(x)):
            field += directions[m, i] * x[i]
        registers[0] = field / np.sqrt(len(x))
        star += _of_cell(outputs, c, registers)
    registers[0], registers[1] = star, xi
    value = _of_cell(rules, c, registers)
    if labels[c, 0] == RULE:
        return value
    return 1.0 if u < value else -1.0


@njit(error_model="numpy", nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _train(
    weights, readout, inputs, cells, extra, uniform, directions, deviations, means, labels, labeler, student, rate, readout_rate, batch,
    decay,
):  # fmt: skip
    """Steps of gradient descent, each on the mean gradient of `batch` inputs; weights and readout change in place."""
    activation, rise, score = student
    units, d = weights.shape
    registers, fields, values = np.zeros(512), np.zeros(units), np.zeros(units)
    forces, pushes = np.zeros((batch, units)), np.zeros(units)
    root = np.sqrt(d)
    for step in range(len(inputs) // batch):
        pushes[:] = 0.0
        for s in range(batch):
            n = step * batch + s
            c, x = cells[n], inputs[n]
            for i in range(d):
                x[i] = x[i] * deviations[c, i] + means[c, i]
            y = label_of(c, x, directions, labels, labeler, extra[n], uniform[n], registers)
            z = 0.0
            for k in range(units):
                field = 0.0
                for i in range(d):
                    field += weights[k, i] * x[i]
                fields[k] = registers[0] = field / root
                values[k] = evaluate(activation, registers)
                z += readout[k] * values[k]
            registers[0], registers[1] = y, z
            slope = evaluate(score, registers)
            for k in range(units):
                registers[0] = fields[k]
                forces[s, k] = slope * readout[k] * evaluate(rise, registers)
                pushes[k] += slope * values[k]
        for k in range(units):
            kept = 1.0 - rate * decay / d
            for i in range(d):
                weights[k, i] *= kept
            for s in range(batch):
                size, x = rate / (root * batch) * forces[s, k], inputs[step * batch + s]
                for i in range(d):
                    weights[k, i] += size * x[i]
            readout[k] += readout_rate / (d * batch) * pushes[k]


def measure(system: System, weights: np.ndarray, readout: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Overlaps, and averages over fresh inputs of the last stage."""
    d = system.size
    found: dict[str, Any] = {
        "Q": np.array([weights[:, b] @ weights[:, b].T / d for b in system.blocks]),
        "R": np.array([weights[:, b] @ system.directions[:, b].T / d for b in system.blocks]),
        "v": readout.copy(),
    }
    y, z, loss = _fresh(system, system.stages[-1].odds, weights, readout, rng)
    means = {"loss": float(np.mean(loss))}
    if system.signs:
        means["generalization_error"] = float(np.mean(np.where(z == 0, 0.5, y * z < 0)))
    else:
        means["mse"] = float(np.mean((y - z) ** 2))
    for one in system.declared:
        labels, outputs = (y, z) if one.odds is None else _fresh(system, one.odds, weights, readout, rng)[:2]
        means[one.name] = one(labels, outputs)
    return found | means | system.combined(means)


def _fresh(
    system: System, odds: np.ndarray, weights: np.ndarray, readout: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, outputs and losses of new samples."""
    cells = rng.choice(len(odds), size=_TEST, p=odds)
    inputs = rng.standard_normal((_TEST, system.size)) * system.deviations[cells] + system.means[cells]
    labeler, student = codes(system)
    return _test(
        inputs, cells, rng.standard_normal(_TEST), rng.random(_TEST), weights, readout, system.directions, system.labels, labeler,
        student[0], system.loss.packed,
    )  # fmt: skip


@njit(error_model="numpy", nogil=True)
def _test(inputs, cells, extra, uniform, weights, readout, directions, labels, labeler, activation, loss):
    count, d = inputs.shape
    registers = np.zeros(512)
    y, z, value = np.zeros(count), np.zeros(count), np.zeros(count)
    for n in range(count):
        y[n] = label_of(cells[n], inputs[n], directions, labels, labeler, extra[n], uniform[n], registers)
        for k in range(len(weights)):
            registers[0] = np.dot(weights[k], inputs[n]) / np.sqrt(d)
            z[n] += readout[k] * evaluate(activation, registers)
        registers[0], registers[1] = y[n], z[n]
        value[n] = evaluate(loss, registers)
    return y, z, value


def path_of(system: System, marks: np.ndarray, found: list[dict[str, Any]], d: int, failure: str) -> Path:
    names = [name for name in ("Q", "R", "v") if (name != "v" or system.trained) and (name != "R" or len(system.directions))]
    arrays = {name: np.array([one[name] for one in found]) for name in names}
    averages = {name: np.array([one[name] for one in found]) for name in (found[0] if found else {}) if name not in ("Q", "R", "v")}
    gram = np.array([system.directions[:, b] @ system.directions[:, b].T / d for b in system.blocks])
    return Path(marks[: len(found)] / d, arrays, {"T": gram} if len(system.directions) else {}, averages, failure)


def named(path: Path, blocks: Sequence[str]) -> dict[tuple[str, float], float]:
    """(name, time) -> value: elements of arrays counted from 1, a block as Q@block[k,l], and averages."""
    found: dict[tuple[str, float], float] = {}
    for name, values in path.arrays.items():
        for place in np.ndindex(values.shape[1:]):
            if name == "Q" and place[1] < place[2]:
                continue
            block = f"@{blocks[place[0]]}" if name != "v" and len(blocks) > 1 else ""
            index = ",".join(str(i + 1) for i in (place if name == "v" else place[1:]))
            found |= {(f"{name}{block}[{index}]", t): float(v) for t, v in zip(path.times, values[(slice(None), *place)], strict=True)}
    for name, values in path.averages.items():
        found |= {(name, t): float(v) for t, v in zip(path.times, values, strict=True)}
    return found
