"""When a one-pass run is measured: the times of the run plan inside its stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from replica.spec.sweeps import grid
from simulate.draw.numbers import number


def times_of(spec: Any, at: Mapping[str, float]) -> tuple[float, ...]:
    """The times of an expanded spec that lie within its stages; the ends of these where it names none."""
    ends = np.cumsum([length(spec, stage, at) for stage in spec.stages])
    wanted = spec.run.times if spec.run is not None else None
    if wanted is None:
        return tuple(map(float, ends))
    return tuple(t for t in grid(wanted) if t <= ends[-1] * (1 + 1e-12)) or (float(ends[-1]),)


def length(spec: Any, stage: Any, at: Mapping[str, float]) -> float:
    """Time that a stage lasts."""
    if stage.time is not None:
        return number(stage.time, at)
    protocols = [stage.protocol or spec.learners[name].protocol for name in stage.learners or spec.learners]
    if protocols[0].kind == "sgd":
        return number(protocols[0].steps, at)
    return sum(number(part.alpha, at) for name, part in spec.slices.items() if name in stage.on)
