"""Samples kept from a pool: at random where nothing tilts the selection, else by an algorithm that selects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from simulate.draw.numbers import number
from simulate.draw.seeds import generator
from simulate.draw.system import samples
from simulate.instance import Instance, Unsupported


def selects(spec: Any) -> bool:
    """Whether a spec has a pool from which samples are kept."""
    return any(part.selection is not None for part in spec.slices.values())


def budget_of(spec: Any, at: Mapping[str, float], d: int) -> int:
    """Number of samples that are kept of the pool.

    Raises:
        Unsupported: several slices.
    """
    if len(spec.slices) > 1:
        raise Unsupported(f"a selection among the samples of {len(spec.slices)} slices cannot be simulated yet, of one it can")
    (part,) = spec.slices.values()
    count, pool = round(number(part.selection.keep, at) * d), samples(part, at, d)
    if not 0 < count < pool:
        raise Unsupported(f"d = {d} is too small: {count} samples would be kept of {pool}")
    return count


def tilt_of(spec: Any, at: Mapping[str, float]) -> float:
    """Power of the volume in the measure over selections."""
    (part,) = spec.slices.values()
    return number(part.selection.tilt, at)


def chosen(instance: Instance, rows: np.ndarray) -> Instance:
    """The instance with some of its samples only."""
    return replace(instance, arrays={name: array[rows] for name, array in instance.arrays.items()})


def at_random(instance: Instance) -> Instance:
    """The instance with the samples of a random selection.

    Raises:
        Unsupported: a selection that is tilted.
    """
    spec, d = instance.spec, instance.size
    count, tilt = budget_of(spec, instance.at, d), tilt_of(spec, instance.at)
    if tilt != 0:
        raise Unsupported(
            f"a selection tilted by {tilt:g} needs an algorithm that selects: enumeration, or uncertainty_sampling and query_by_committee"
        )
    rng = generator(spec.fingerprint, instance.at, d, instance.seed, "selection")
    return chosen(instance, np.sort(rng.choice(len(instance.arrays["y"]), count, replace=False)))
