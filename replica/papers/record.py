"""What a paper says and how the engine is asked about it: declarations, no computation.

A number is asked for by a `Value`: a result at a point, the control at which a result crosses a level, an event met on the way.
Claims compare values with numbers of a stated origin; figures draw results along a control.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from replica.papers.ran import Classified, Course, Ran
from replica.papers.routes import Measured, Moment, Passage, Plateau, Reading, Rest, Track


@dataclass(frozen=True)
class At:
    """A result at one point.

    Args:
        spec: a key of the paper's specs.
        quantity: an order parameter, conjugate or observable of its theory, or "free_entropy".
        at: controls that differ from the spec's defaults.
        reach: the value of one control at which the equations are easy; the solution is continued from there.
    """

    spec: str
    quantity: str
    at: Mapping[str, float] = field(default_factory=dict)
    reach: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Crossing:
    """The value of a control at which a result crosses a level.

    Args:
        along: the control; between: two values of it on either side of the crossing, the easier one first.
        level: what the result is there.
        resolution: how well the place of a jump is to be known; a continuous crossing is found to rounding.
    """

    spec: str
    quantity: str
    along: str
    between: tuple[float, float]
    level: float = 0.0
    at: Mapping[str, float] = field(default_factory=dict)
    reach: Mapping[str, float] = field(default_factory=dict)
    resolution: float = 1e-12


@dataclass(frozen=True)
class Event:
    """The value of a control at which its continuation meets an event: a fold, transition, replicon or one of the zeros."""

    spec: str
    kind: str
    along: str
    between: tuple[float, float]
    at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Extreme:
    """The smallest (or largest) value of `of` over a control that it does not fix itself."""

    of: At | Crossing | Event | Moment | Passage | Plateau | Rest
    along: str
    between: tuple[float, float]
    largest: bool = False


@dataclass(frozen=True)
class Difference:
    """What two values differ by."""

    first: Value
    second: Value


@dataclass(frozen=True)
class Ratio:
    """A value in units of another; either may be a number."""

    first: Value | float
    second: Value | float


Value = At | Crossing | Event | Extreme | Difference | Ratio | Moment | Passage | Plateau | Ran | Classified | Reading | Rest


class Origin(Enum):
    """Where the expected number comes from."""

    PAPER = "stated in the paper"
    LITERATURE = "stated elsewhere in the literature"
    INDEPENDENT = "computed independently of this engine"
    IDENTITY = "an identity of the theory"


class Relation(Enum):
    """How the value found stands to the one expected."""

    EQUAL = "="
    BELOW = "<"
    ABOVE = ">"


@dataclass(frozen=True)
class Claim:
    """A sentence that a number decides.

    Args:
        expected, tolerance: |found - expected| <= tolerance for EQUAL; found < expected - tolerance for BELOW, and so on.
        origin: who says so; source: more precisely, where that helps.
    """

    sentence: str
    value: Value
    expected: float
    tolerance: float
    origin: Origin
    relation: Relation = Relation.EQUAL
    source: str = ""


@dataclass(frozen=True)
class Unchecked:
    """A statement of the paper that nothing here decides, and why."""

    sentence: str
    reason: str


@dataclass(frozen=True)
class Curve:
    """A result along a control.

    Args:
        points: `start:stop:count`, `log:start:stop:count` or values, in the order in which the solution is continued: easy ones first.
    """

    label: str
    spec: str
    quantity: str
    along: str
    points: str | tuple[float, ...]
    at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Dots:
    """Values at given abscissae; `joined` by a line or not."""

    label: str
    values: tuple[tuple[float, Value], ...]
    joined: bool = False


@dataclass(frozen=True)
class Trial:
    """Finite systems beside the theory, at one point; `fast` sizes and seeds are for a quick look.

    Args:
        observables: those that are compared; all that both sides have, where left out.
    """

    spec: str
    at: Mapping[str, float] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    seeds: int = 16
    fast_sizes: tuple[int, ...] = ()
    fast_seeds: int = 8
    algorithm: str | None = None
    observables: tuple[str, ...] = ()


Drawable = Curve | Dots | Track | Measured | Course


@dataclass(frozen=True)
class Figure:
    """Curves, tracks, dots and measurements in one frame; `log` names the axes with a logarithmic scale: "x", "y", "xy"."""

    title: str
    x: str
    y: str
    drawn: tuple[Drawable, ...]
    log: str = ""


@dataclass(frozen=True)
class Paper:
    """A paper as this engine sees it.

    Args:
        name: how the command line calls it; the name of its file.
        arxiv: identifier, empty where there is none; journal: where it appeared, if that is to be said.
        story: what the paper does and which part of it is treated here.
        specs: name -> the text of a spec file, or a name of the catalog.
        figures: by name.
    """

    name: str
    title: str
    authors: str
    year: int
    arxiv: str
    story: str
    specs: Mapping[str, str]
    figures: Mapping[str, Figure]
    claims: tuple[Claim, ...]
    unchecked: tuple[Unchecked, ...] = ()
    trials: tuple[Trial, ...] = ()
    journal: str = ""

    @property
    def citation(self) -> str:
        """One line."""
        places = [self.journal] * bool(self.journal) + [f"arXiv:{self.arxiv}"] * bool(self.arxiv)
        return ", ".join([f"{self.authors}, {self.title} ({self.year})", *places])
