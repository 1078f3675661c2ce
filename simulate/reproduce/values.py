"""Numbers that a paper asks for: results at points, crossings, events, extremes, moments in time, and what these make together."""

from __future__ import annotations

from dataclasses import replace

from scipy.optimize import brentq, minimize_scalar

from numerics.continuation import follow
from numerics.solution import Solution
from replica.papers.ran import Classified, Ran
from replica.papers.record import At, Crossing, Difference, Event, Extreme, Ratio, Value
from replica.papers.routes import Moment, Passage, Plateau, Reading, Rest
from simulate.reproduce import classified, measured, ran, routes
from simulate.reproduce.theories import NotComputable, Theories, continued, trusted

CLOSE = 1e-7
"""How well the place of an extreme is found, relative to its range; its value is then good to the square of that."""


def number(theories: Theories, value: Value) -> float:
    """The number that a value stands for.

    Raises:
        NotComputable: with the sentence of whatever refused or failed.
    """
    match value:
        case At():
            return theories.number(value.spec, value.quantity, value.at, value.reach)
        case Crossing():
            return _crossing(theories, value)
        case Event():
            return _event(theories, value)
        case Extreme():
            return _extreme(theories, value)
        case Difference():
            return number(theories, value.first) - number(theories, value.second)
        case Ratio():
            first, second = (one if isinstance(one, float | int) else number(theories, one) for one in (value.first, value.second))
            return first / second
        case Moment() | Passage() | Plateau() | Rest():
            return routes.number(theories, value)
        case Ran():
            return ran.mean(theories, value)
        case Classified():
            return classified.mean(theories, value)
        case Reading():
            return measured.reading(theories, value)


def error(theories: Theories, value: Value) -> float:
    """The standard error of a number that was measured; 0 of one that was computed."""
    match value:
        case Ran():
            return ran.error(theories, value)
        case Classified():
            return classified.error(theories, value)
    return 0.0


def _crossing(theories: Theories, value: Crossing) -> float:
    """By bisection and secants; where an easy point is given, each solution is continued from the one before."""
    last: Solution | None = None

    def excess(place: float) -> float:
        nonlocal last
        at = {**value.at, value.along: place}
        if not value.reach:
            return theories.number(value.spec, value.quantity, at, {}) - value.level
        found = continued(theories.module(value.spec), last, at) if last is not None else theories.solve(value.spec, at, value.reach)
        last = trusted(found)
        return float(found[value.quantity]) - value.level

    low, high = value.between
    first, second = excess(low), excess(high)
    if first * second > 0:
        raise NotComputable(f"{value.quantity} does not cross {value.level:g} between {value.along} = {low:g} and {high:g}")
    ends = {low: first, high: second}
    return float(brentq(lambda place: ends[place] if place in ends else excess(place), low, high, xtol=value.resolution, rtol=1e-14))


def _event(theories: Theories, value: Event) -> float:
    low, high = value.between
    met = follow(theories.module(value.spec), {value.along: (low, high)}, value.at).events(value.kind)
    if len(met) != 1:
        raise NotComputable(f"{len(met)} events of kind {value.kind} between {value.along} = {low:g} and {high:g}, expected one")
    return float(met[0].at[value.along])


def _extreme(theories: Theories, value: Extreme) -> float:
    sign = -1.0 if value.largest else 1.0

    def signed(place: float) -> float:
        return sign * number(theories, _moved(value.of, value.along, place))

    low, high = sorted(value.between)
    found = minimize_scalar(signed, bounds=(low, high), method="bounded", options={"xatol": CLOSE * (high - low)})
    if min(found.x - low, high - found.x) < 1e-3 * (high - low):
        raise NotComputable(f"no extreme inside {value.along} = {low:g} to {high:g}; the range ends first")
    return sign * float(found.fun)


def _moved(of: At | Crossing | Event | Moment | Passage | Plateau | Rest, name: str, place: float) -> Value:
    """The same value at another place of a control."""
    match of:
        case Moment() | Passage() | Plateau():
            return replace(of, route=replace(of.route, at={**of.route.at, name: place}))
    return replace(of, at={**of.at, name: place})
