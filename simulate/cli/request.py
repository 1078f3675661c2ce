"""What the command line asks for: which spec, which values, which sweep.  Every mistake is one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from replica.spec import Spec, SpecError
from replica.spec.errors import nearest
from replica.spec.sweeps import grid
from simulate.algorithms import ALGORITHMS


class RequestError(ValueError):
    """The request is wrong; the message is the one line the user reads."""


def number(text: str, where: str) -> float:
    """A float, `inf` included; NaN is no value of a control."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise RequestError(f"{where}: {text!r} is not a number")
    return value


def _assignment(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise RequestError(f"{option} {text}: write {option} NAME={'start:stop:count' if option == '--sweep' else 'VALUE'}")
    return name.strip(), value.strip()


def _known(spec: Spec, name: str, option: str) -> str:
    known = spec.controls or {}
    if name not in known:
        raise RequestError(f"{option} {name}: not a control of this spec (controls: {' '.join(known) or 'none'}){nearest(name, known)}")
    return name


def values(spec: Spec, texts: Iterable[str]) -> dict[str, float]:
    """`--set` options as a mapping; the last of two settings of one control wins."""
    found = {}
    for text in texts:
        name, value = _assignment(text, "--set")
        found[_known(spec, name, "--set")] = number(value, f"--set {name}")
    spec.at(found)  # domains are checked before any work
    return found


def axis(text: str, where: str) -> np.ndarray:
    """`start:stop:count`, `log:start:stop:count`, or numbers separated by commas, as an array of points."""
    bare = text.strip().removeprefix("[").removesuffix("]")
    try:
        return np.array(grid(bare if ":" in bare else [part for part in bare.split(",") if part.strip()]))
    except SpecError as error:
        raise RequestError(f"{where}: {error.message}") from None


def sweeps(spec: Spec, texts: Iterable[str], fixed: Mapping[str, float]) -> dict[str, np.ndarray]:
    """`--sweep` options as axes of a grid.  A bare control name takes the sweep written in the spec's `[run]` table.

    Raises:
        RequestError: the control is unknown, set and swept at once, or has no such sweep in the spec.
        SpecError: a point lies outside the control's domain.
    """
    planned = (spec.run.sweep if spec.run is not None else None) or {}
    found = {}
    for text in texts:
        name, value = (text, "") if "=" not in text else _assignment(text, "--sweep")
        _known(spec, name, "--sweep")
        if name in fixed:
            raise RequestError(f"--sweep {name}: the same control is fixed by --set")
        if not value and name not in planned:
            raise RequestError(f"--sweep {name}: this spec plans no sweep of it; write --sweep {name}=start:stop:count")
        found[name] = axis(value, f"--sweep {name}") if value else np.array(grid(planned[name]))
        for point in found[name]:
            spec.at({**fixed, name: float(point)})
    return found


def span(spec: Spec, text: str | None, option: str, taken: Mapping[str, float]) -> tuple[str, float, float]:
    """`NAME=A:B` as a control and its range, smaller end first.

    Raises:
        RequestError: nothing is given, the control is unknown or `taken`, or the ends are not two different finite numbers.
        SpecError: an end lies outside the control's domain.
    """
    name, equals, ends = (text or "").partition("=")
    parts = ends.split(":")
    if not equals or len(parts) != 2:
        raise RequestError(f"{option}{f' {text}' if text else ''}: write {option} NAME=A:B, a control and its range")
    name = _known(spec, name.strip(), option)
    if name in taken:
        raise RequestError(f"{option} {name}: the same control is already set or followed")
    low, high = sorted(number(part.strip(), f"{option} {name}") for part in parts)
    if not low < high or math.isinf(low) or math.isinf(high):
        raise RequestError(f"{option} {name}={ends}: the range needs two different finite ends")
    for value in (low, high):
        spec.at({name: value})
    return name, low, high


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """`250,500,1000` as integers, each at least 1."""
    found = []
    for part in text.split(","):
        if not part.strip().isdecimal() or int(part) < 1:
            raise RequestError(f"{option}: {part.strip()!r} is not a whole number of at least 1; write {option} 250,500,1000")
        found.append(int(part))
    return tuple(found)


def seeds(count: int | None) -> int | None:
    """The number of instances asked for."""
    if count is not None and count < 1:
        raise RequestError(f"--seeds: {count} is not a number of instances; write --seeds 16")
    return count


def algorithm(name: str | None) -> str | None:
    """The way finite systems are to be solved; None leaves it to the protocol."""
    if name is not None and name not in ALGORITHMS:
        raise RequestError(f"--algorithm: '{name}' is not known here (algorithms: {' '.join(ALGORITHMS)}){nearest(name, ALGORITHMS)}")
    return name


def options(texts: Iterable[str]) -> dict[str, float | str]:
    """`--option` settings as a mapping: numbers where they are numbers, words else."""
    found: dict[str, float | str] = {}
    for text in texts:
        name, value = _assignment(text, "--option")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found
