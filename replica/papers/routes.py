"""How a paper asks for a learner in time: routes of one-pass learning from given or drawn starts, and what is read off them.

A quantity of a route is an observable ("mse") or an element of an order parameter: "R[1,2]", "Q@relevant[1,1]", "v[3]"; a direction
may be called by its name, "R[1,teacher_2]".  Of a mixture also "covered": the clusters within sixty degrees of which there is a unit with a
readout of their sign, and "tickets": those on whose side there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Numbers = Sequence["Numbers"] | float


@dataclass(frozen=True)
class Route:
    """A flow from a start.

    Args:
        spec: a key of the paper's specs.
        times: `start:stop:count`, `log:start:stop:count` or values; increasing, within the stages.
        at: controls that differ from the spec's defaults.
        start: initial values by name of the order parameter, in the nesting of its axes; what is missing is drawn.
        size: dimension in which the rest is drawn; None: infinite.
        seeds: of the draws; numbers are means over them.
        nodes: how many nodes take averages that have no closed form; None leaves it to the engine.
    """

    spec: str
    times: str | tuple[float, ...]
    at: Mapping[str, float] = field(default_factory=dict)
    start: Mapping[str, Numbers] = field(default_factory=dict)
    size: int | None = 1000
    seeds: tuple[int, ...] = (0,)
    nodes: int | None = None


@dataclass(frozen=True)
class Moment:
    """A quantity at one of the times of a route, at its last one where none is given."""

    route: Route
    quantity: str
    time: float | None = None


@dataclass(frozen=True)
class Passage:
    """The first time at which a quantity crosses a level, to `resolution` relative to it."""

    route: Route
    quantity: str
    level: float
    resolution: float = 1e-6


@dataclass(frozen=True)
class Plateau:
    """A stretch in which a quantity hardly falls: its "begin", "end" or "value", or the time of "escape", when half of it is left.

    Args:
        which: 0 for the first one.
    """

    route: Route
    quantity: str
    part: str
    which: int = 0


@dataclass(frozen=True)
class Rest:
    """A fixed point of the flow, the one that Newton's method reaches from a start.

    Args:
        quantity: an element of an order parameter, or "growth": the largest rate of the linear flow around it, negative where it is stable.
        start: initial values of every order parameter that moves.
    """

    spec: str
    quantity: str
    start: Mapping[str, Numbers]
    at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Track:
    """A quantity against time."""

    label: str
    route: Route
    quantity: str


@dataclass(frozen=True)
class Measured:
    """Finite systems against time: means and standard errors of a quantity at the times of a run.

    Args:
        times: as in a route; size: number of inputs; seeds: how many runs, `fast_seeds` of them in a quick look.
    """

    label: str
    spec: str
    quantity: str
    times: str | tuple[float, ...]
    at: Mapping[str, float] = field(default_factory=dict)
    size: int = 500
    seeds: int = 8
    fast_seeds: int = 4


@dataclass(frozen=True)
class Reading:
    """The mean of finite systems at one of the times of a measurement."""

    of: Measured
    time: float
