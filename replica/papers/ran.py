"""How a paper asks for an algorithm on finite systems: the mean over runs of what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ran:
    """A mean over systems that an algorithm solved, drawn from the spec.

    Args:
        quantity: "success", "steps", or what the algorithm keeps in its history, where it ended: of all runs; else an observable of those
            that succeeded; "local_entropy" is that of the solutions found.
        options: of the algorithm, where they differ from their defaults.
        around: Hamming distance per weight from what was found, at which the local entropy is measured.
    """

    spec: str
    quantity: str
    algorithm: str
    size: int
    seeds: int = 8
    at: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, float] = field(default_factory=dict)
    around: float | None = None
