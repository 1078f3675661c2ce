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


@dataclass(frozen=True)
class Course:
    """What an algorithm keeps in its history, on its way: mean and standard error over systems.

    Args:
        of: the systems, and the quantity.
        along: what of the history is on the horizontal axis; "step" for the number of steps.
        points: at most so many places, of those that all systems kept.
    """

    label: str
    of: Ran
    along: str = "step"
    points: int = 16


@dataclass(frozen=True)
class Classified:
    """The mean share of test samples that deep networks of binary weights and units put in the right class.

    Args:
        data: a table that comes with scikit-learn.
        rule: how the networks are trained, "stochastic_weights" or "straight_through".
        widths: of the hidden layers; seeds: each cuts the table anew.
        training: True for the samples learned from instead of those of the test.
    """

    data: str
    rule: str
    widths: tuple[int, ...] = (64, 64)
    epochs: int = 30
    seeds: int = 10
    training: bool = False
