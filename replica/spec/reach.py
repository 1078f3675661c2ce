"""Imposed lengths and overlaps of learners: whether weights with these priors can have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from math import inf, sqrt

import numpy as np
import sympy as sp

from replica.spec.causality import during
from replica.spec.document import Tables
from replica.spec.errors import Path, SpecError
from replica.spec.expressions import evaluate
from replica.spec.learners import Learner, Value

_TOLERANCE = 1e-9
Point = Mapping[str, float]


@dataclass(frozen=True)
class _Room:
    """What a prior leaves: the ends of a weight (a sphere bounds no single one), least and largest |w|^2/d."""

    low: float = -inf
    high: float = inf
    shortest: float = 0.0
    longest: float = inf

    @property
    def signs(self) -> bool:
        """Whether weights have two opposite values."""
        return -self.low == self.high == sqrt(self.shortest) == sqrt(self.longest)


def check_reach(full: Tables, places: Mapping[str, Path], at: Point) -> None:
    """Refuse an imposed |w|^2/d or w.w'/d that no weights have at these controls.

    Args:
        full: the expanded tables.
        places: learner -> where it was written.

    Raises:
        SpecError: names the value, and what is possible.
    """
    ties = list(_ties(full))
    held = {name: learner.self_overlap for name, learner in full.learners.items() if learner.self_overlap is not None}
    rooms = {name: _room(full.learners[name], at) for name in full.learners if name in held or any(name in tie[:2] for tie in ties)}
    lengths = {name: room.longest for name, room in rooms.items()}
    for name, written in held.items():
        lengths[name] = _within("|w|^2/d", written, at, rooms[name].shortest, rooms[name].longest, (*places[name], "self_overlap"))
    overlaps: dict[frozenset[str], float] = {}
    for name, other, to, written in ties:
        size, place = sqrt(lengths[name] * lengths[other]), _place(full, places, name)
        least, most = _products(rooms[name], rooms[other])
        copies = evaluate(full.learners[name].copies or 1, at) if to == name else 1
        least = max(least, -size / max(copies - 1, 1) if size < inf else -inf)  # copies cannot all be opposite to one another
        value = _within(f"w.w_{to}/d", written, at, least, min(most, size), place)
        if name != other and size < inf:
            overlaps[frozenset((name, other))] = value / size
    for names in combinations([name for name in rooms if any(name in pair for pair in overlaps)], 3):
        _check_three(names, overlaps, all(rooms[name].signs for name in names), _place(full, places, names[-1]))


def _within(what: str, written: Value, at: Point, least: float, most: float, place: Path) -> float:
    value = evaluate(written, at)
    if not least - _TOLERANCE <= value <= most + _TOLERANCE:
        shown = f"{written} = {value:g}" if isinstance(written, str) else f"{value:g}"
        raise SpecError(f"{what} = {shown} cannot be reached; it lies in [{least:g}, {most:g}] for weights of this prior", place)
    return value


def _check_three(names: tuple[str, ...], overlaps: Mapping[frozenset[str], float], signs: bool, place: Path) -> None:
    """Three vectors have a positive Gram matrix; those of two opposite values have distances that obey the triangle inequality."""
    pairs = [frozenset(pair) for pair in combinations(names, 2)]
    if not all(pair in overlaps for pair in pairs):
        return
    ab, ac, bc = (overlaps[pair] for pair in pairs)
    lowest = float(np.linalg.eigvalsh([[1.0, ab, ac], [ab, 1.0, bc], [ac, bc, 1.0]])[0])
    if signs:
        lowest = min(lowest, *(1 + s * ab + t * ac + s * t * bc for s, t in product((1, -1), repeat=2)))
    if lowest < -_TOLERANCE:
        listed = ", ".join(f"{overlaps[pair]:g} of {' and '.join(sorted(pair))}" for pair in pairs)
        raise SpecError(f"these cosines cannot be reached together: {listed}", place)


def _ties(full: Tables) -> Iterator[tuple[str, str, str, Value]]:
    """(learner, partner, its name in the coupling, imposed overlap); a partner is another one, or itself: copies, or an earlier stage."""
    for stage in full.stages:
        for name in stage.learners:
            for tie in during(full.learners[name], stage, "couple") or ():
                if tie.overlap is not None and tie.to not in full.latents:
                    yield name, tie.to if tie.to in full.learners else name, tie.to, tie.overlap


def _place(full: Tables, places: Mapping[str, Path], name: str) -> Path:
    """Where the couplings of a learner were written: in its own table, or in the ensemble's that it is a part of."""
    shared = sum(place == places[name] for place in places.values()) > 1
    return (*places[name], "ensemble" if shared else "couple")


def _products(one: _Room, other: _Room) -> tuple[float, float]:
    """Least and largest product of two weights."""
    corners = [a * b if a and b else 0.0 for a in (one.low, one.high) for b in (other.low, other.high)]
    return min(corners), max(corners)


def _room(learner: Learner, at: Point) -> _Room:
    if learner.prior is None:
        return _Room()
    prior = learner.prior.bind(dict(at))
    norm = prior.pinned_norm()
    if norm is not None:
        return _Room(shortest=float(norm), longest=float(norm))
    places = [float(place) for place, _ in prior.atoms()]
    if prior.density(sp.Dummy("w", real=True)) == 0:
        squares = [place**2 for place in places]
        return _Room(min(places), max(places), min(squares), max(squares))
    places += [float(end) for end in prior.support()]
    low, high = min(places), max(places)
    return _Room(low, high, 0.0 if low <= 0 <= high else min(low**2, high**2), max(low**2, high**2))
