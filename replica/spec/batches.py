"""Batches of noisy descent: without replacement they are no larger than the set that they are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from replica.spec.document import Tables
from replica.spec.errors import SpecError
from replica.spec.expressions import evaluate
from replica.spec.tables import Slice


def check_batches(full: Tables, at: Mapping[str, float]) -> None:
    """Refuse batches that the samples do not fill.

    Args:
        full: the expanded tables.

    Raises:
        SpecError: names both numbers.
    """
    for stage in full.stages:
        for name in stage.learners or full.learners:
            protocol = stage.protocol or full.learners[name].protocol
            if protocol is None or protocol.kind != "sgd" or protocol.replace:
                continue
            batch, samples = evaluate(protocol.batch, at), sum(_samples(part, at) for part in full.slices.values())
            if batch > samples:
                raise SpecError(f"a batch of {batch:g} without replacement, out of {samples:g} samples", ("learner", name, "protocol"))


def _samples(part: Slice, at: Mapping[str, float]) -> float:
    if part.samples is not None:
        return evaluate(part.samples, at)
    size = getattr(part.law, "dimension", None)
    return inf if part.alpha is None or size is None else evaluate(part.alpha, at) * evaluate(size, at)
