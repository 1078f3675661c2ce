"""Algorithms that take steps as solvers of instances: side by side on a CPU, as their inner loops leave Python alone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from simulate.draw import generator
from simulate.instance import Instance, Unsupported
from simulate.iteration.algorithm import Algorithm
from simulate.iteration.checkpoint import Checkpoint
from simulate.iteration.record import Record
from simulate.iteration.run import run
from simulate.learn.estimate import Outcome

WORKERS = os.cpu_count() or 1
"""Instances that are solved side by side."""


def class_of(module: ModuleType) -> type[Algorithm] | None:
    """The algorithm of a module; None where it solves systems in another way."""
    found = (one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Algorithm))
    return next((one for one in found if one.__module__ == module.__name__), None)


def stepper(
    name: str, algorithm: type[Algorithm], resume: str | Path | None, records: dict[tuple[int, int], Record]
) -> Callable[[Sequence[Instance], str, Mapping[str, Any]], list[Outcome]]:
    """A solver that leaves the records of its runs in `records`; runs are kept in the folder `resume`."""

    common = None

    def solve(instances: Sequence[Instance], device: str, options: Mapping[str, Any]) -> list[Outcome]:
        if device not in algorithm.devices:
            raise Unsupported(f"algorithm {name!r} runs on {' '.join(algorithm.devices)}, not on {device!r}")
        nonlocal common

        def one(instance: Instance, made: Algorithm) -> Outcome:
            checkpoint = None if resume is None else Checkpoint(resume, _key(instance, name, options))
            outcome, records[instance.size, instance.seed] = run(made, partial(_random, instance, name), checkpoint)
            if made.follows and not outcome.failure:
                outcome = replace(outcome, extras={**outcome.extras, **records[instance.size, instance.seed].marks()})
            return outcome

        made = []
        for instance in instances:
            made.append(algorithm(instance, options, device, common))
            common = made[-1].common
        with ThreadPoolExecutor(WORKERS if device == "cpu" else 1) as pool:
            return list(pool.map(one, instances, made))

    return solve


def _random(instance: Instance, name: str, attempt: int) -> np.random.Generator:
    purpose = name if attempt == 0 else f"{name}:{attempt}"
    return generator(instance.spec.fingerprint, instance.at, instance.size, instance.seed, purpose)


def _key(instance: Instance, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    samples = hashlib.sha256()
    for key, array in sorted(instance.arrays.items()):
        samples.update(key.encode() + np.ascontiguousarray(array[:: max(1, len(array) // 64)]).tobytes())
    return {
        "algorithm": name, "size": instance.size, "seed": instance.seed, "fingerprint": instance.spec.fingerprint,
        "at": {control: float(value).hex() for control, value in instance.at.items()},
        "options": {key: str(value) for key, value in options.items()}, "samples": samples.hexdigest(),
    }
