"""Which coordinates belong to which block of a finite system: blocks follow each other in the order of the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from replica.apportion import apportion
from simulate.draw.numbers import number


def blocks_of(spec: Any, at: Mapping[str, float], d: int) -> dict[str, slice]:
    """Block -> its coordinates; empty where the spec has no blocks."""
    blocks = getattr(spec, "blocks", None) or {}
    if not blocks:
        return {}
    ends = np.cumsum([0, *apportion([number(block.fraction, at) for block in blocks.values()], d)])
    return {name: slice(int(a), int(b)) for name, a, b in zip(blocks, ends[:-1], ends[1:], strict=True)}


def inside(names: Iterable[str] | None, blocks: Mapping[str, slice], d: int) -> np.ndarray:
    """(d,) whether a coordinate lies in one of the blocks; everywhere where none are named."""
    if names is None or not blocks:
        return np.ones(d, dtype=bool)
    found = np.zeros(d, dtype=bool)
    for name in names:
        found[blocks[name]] = True
    return found


def per_coordinate(value: Any, blocks: Mapping[str, slice], at: Mapping[str, float], d: int) -> np.ndarray:
    """(d,) values of a number, or of a table with one number per block; a block that the table leaves out has 1."""
    if not isinstance(value, Mapping):
        return np.full(d, 1.0 if value is None else number(value, at))
    found = np.ones(d)
    for name, entry in value.items():
        found[blocks[name]] = number(entry, at)
    return found
