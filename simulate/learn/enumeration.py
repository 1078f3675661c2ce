"""Exact learners by summing over all weights: for priors of a few atoms at d up to about 24."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate.draw import number
from simulate.draw.selection import selects
from simulate.instance import Instance, Unsupported
from simulate.learn.couplings import truth_of
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.neighborhoods import around_a_reference, around_centres, shape_of
from simulate.learn.selections import tilted
from simulate.learn.table import Table, table_of

SELECTS = True  # it takes the whole pool


def solve(instances: Sequence[Instance], device: str = "cpu", options: Mapping[str, float] | None = None) -> list[Outcome]:
    """One learner, a reference with a probe, or a centre with its copies, without error.

    Raises:
        Unsupported: a prior with a continuous part, too many weight vectors, or learners that are joined in another way.
    """
    spec = instances[0].spec
    if device != "cpu":
        raise Unsupported(f"enumeration runs on the cpu, not on {device!r}")
    if len(spec.learners) > 1:
        first, second, staged = shape_of(spec)
        rule = around_a_reference if staged else around_centres
        return [rule(instance, first, second) for instance in instances]
    ((name, learner),) = spec.learners.items()
    found = [tilted(instance, learner) for instance in instances] if selects(spec) else train(instances, learner)
    return [Outcome({name: estimate}, failure=estimate.failure) for estimate in found]


def train(instances: Sequence[Instance], learner: Any) -> list[Estimate]:
    """Means and overlaps of the measure of one learner; one of the minima for an ERM learner and for couplings at beta = inf."""
    return [estimate(table_of(instance, learner), instance, learner) for instance in instances]


def estimate(table: Table, instance: Instance, learner: Any) -> Estimate:
    """Free entropy, entropy and energy per weight come along; Q and q are exact averages over the measure."""
    d = instance.size
    top = table.logs.max()
    if np.isneginf(top):
        return Estimate(np.zeros(d), failure="no weights are allowed by the labels")
    if table.minimum is not None:
        points = table.allowed()[0]
        truth = _leading(instance, learner)
        one = points[0 if truth is None else int(np.argmax(points @ truth))]
        return Estimate(one, extras={"energy": table.minimum / d, "minima": float(len(points))})
    total, rows, columns, moment = 0.0, np.empty(len(table.heads)), np.zeros(len(table.tails)), 0.0
    for i, logs in enumerate(table.logs):  # row by row: a second array of all weights would double the memory
        e = np.exp(logs - top)
        rows[i] = e.sum()
        columns += e
        moment += float(e @ np.where(e > 0, logs, 0.0))
    total = rows.sum()
    mean = np.concatenate([rows @ table.heads, columns @ table.tails]) / total
    Q = float(rows @ (table.heads**2).sum(axis=1) + columns @ (table.tails**2).sum(axis=1)) / total / d
    q = float(mean @ mean) / d
    log_sum, average = float(top + np.log(total)), moment / float(total)
    if (truth := _leading(instance, learner)) is not None:
        mean, q = _half(table, truth)
    masses = float(rows @ table.head_masses + columns @ table.tail_masses) / float(total)
    return Estimate(mean, max(Q - q, 0.0), extras={"Q": Q} | _thermal(instance, learner, log_sum, average, masses))


def _leading(instance: Instance, learner: Any) -> np.ndarray | None:
    """The truth, where w and -w are equally good and means are those of the half of the space around it."""
    return truth_of(instance, learner) if "J" in instance.arrays and instance.arrays["J"].ndim % 2 == 0 else None


def _half(table: Table, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean and q over the vectors that do not point away from the truth; those at right angles count half."""
    half = table.heads.shape[1]
    along = (table.heads @ truth[:half])[:, None] + table.tails @ truth[half:]
    e = np.exp(table.logs - table.logs.max()) * np.heaviside(np.round(along, 9), 0.5)
    mean = np.concatenate([e.sum(axis=1) @ table.heads, e.sum(axis=0) @ table.tails]) / e.sum()
    return mean, float(mean @ mean) / len(truth)


def _thermal(instance: Instance, learner: Any, log_sum: float, average: float, masses: float) -> dict[str, float]:
    """Per weight, from the log of the sum, and the averages of the log weight and of the log prior mass."""
    d, protocol = instance.size, learner.protocol.kind
    beta = number(learner.protocol.beta, instance.at) if protocol == "gibbs" else 1.0
    found = {"free_entropy": log_sum / d}
    if protocol == "gibbs":
        found["entropy"] = (log_sum - average) / d
        found["energy"] = 0.0 if np.isinf(beta) else (masses - average) / beta / d
    return found
