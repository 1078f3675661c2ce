"""Where something happens on branches: folds, zeros of observables, crossings of free entropies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from numerics.branch import Branch, Special
from numerics.curve import Node, accept, between
from numerics.equations import Failure
from numerics.limits import Limit
from numerics.problem import Compiled
from numerics.solution import Solution
from numerics.stability import unstable_directions
from numerics.system import System
from numerics.tracer import Tracer

ZEROS = {name: f"{name}_zero" for name in ("entropy", "local_entropy", "complexity")} | {"replicon": "replicon"}
SAMPLES = (0.01, 0.25, 0.5, 0.75, 0.99)  # of an overlap of two branches, besides their points in it
ROUNDING = 1e-13  # free entropies that differ by less are equal by a symmetry, or at a crossing
NOTHING = 1e-12  # an observable that is less on both sides vanishes all along, as complexity does where Parisi parameters are extremized
Segment = list[tuple[Node, Solution]]


def special_points(tracer: Tracer, branches: Sequence[Branch]) -> tuple[list[Special], list[str]]:
    """Folds and zeros of every branch, and sentences about what is not an event of its own."""
    found: list[Special] = []
    notes: list[str] = []
    n, name = tracer.system.n, tracer.name
    for branch in branches:
        for node, one in zip(branch.nodes, branch.points, strict=True):
            if node.tangent[-1] == 0:
                found.append(Special("fold", one.at, node.error, (branch.name,), (one,)))
        for segment in segments(branch):
            for (left, one), (right, other) in pairwise(segment):
                where = f"between {name} = {one.at[name]:.6g} and {other.at[name]:.6g}"
                for observable, kind in ZEROS.items():
                    a, b = (float(s.observables.get(observable, np.nan)) for s in (one, other))
                    if a * b < 0 and max(abs(a), abs(b)) > NOTHING:
                        try:
                            found.append(zero(tracer, branch, left, right, observable, kind))
                        except Failure as failure:
                            notes.append(f"{observable} of branch {branch.name} changes sign {where}, but the zero was lost: {failure}")
                counts = {unstable_directions(k.look.slope[:, :n]) for k in (left, right) if k.tangent[-1] != 0}
                if len(counts) == 2 and sum(counts) % 2:
                    notes.append(f"another branch crosses {branch.name} {where} (its Jacobian is singular there, and it does not turn)")
    return found, notes


def segments(branch: Branch) -> list[Segment]:
    """The branch cut at its folds, which belong to both sides; the control is monotone on each piece."""
    pieces: list[Segment] = [[]]
    for pair in zip(branch.nodes, branch.points, strict=True):
        pieces[-1].append(pair)
        if pair[0].tangent[-1] == 0:
            pieces.append([pair])
    return [piece for piece in pieces if len(piece) > 1]


def zero(tracer: Tracer, branch: Branch, left: Node, right: Node, observable: str, kind: str) -> Special:
    """The point between two neighbours where an observable vanishes.

    Raises:
        Failure: the curve was lost on the way.
    """
    system = tracer.system
    node = between(system, left, right, lambda k: system.results(k.y)[0][observable], tracer.tol)
    one = tracer.solution(node, branch.points[0].start)
    return Special(kind, one.at, node.error, (branch.name,), (one,))


def crossings(
    module: Compiled, tracer: Tracer, branches: Sequence[Branch], limits: Sequence[tuple[Branch, Limit]]
) -> tuple[list[Special], list[str]]:
    """First-order transitions: points where the free entropies of two solutions are equal that are stable as far as the ansatz goes."""
    found: list[Special] = []
    notes: list[str] = []
    pieces = [(branch, piece) for branch in branches for piece in segments(branch) if any(_steady(tracer, node) for node, _ in piece)]
    for (one, first), (other, second) in combinations(pieces, 2):
        try:
            found += _crossings_of_two(module, tracer, (one, other), first, second)
        except Failure as failure:
            notes.append(f"a crossing of branches {one.name} and {other.name} was lost: {failure}")
    for branch, piece in pieces:
        for end, limit in limits:
            try:
                found += _crossings_with_end(tracer, branch, piece, end, limit)
            except Failure as failure:
                notes.append(f"a crossing of branches {branch.name} and {end.name} was lost: {failure}")
    return found, notes


def _crossings_of_two(module: Compiled, tracer: Tracer, owners: tuple[Branch, Branch], first: Segment, second: Segment) -> list[Special]:
    """Both solutions are kept at the same control by one system of twice the size, whose curve is searched for a sign change."""
    base, name = tracer.system, tracer.name
    low, high = (end(f(one.at[name] for _, one in piece) for piece in (first, second)) for end, f in ((max, min), (min, max)))
    if not low < high:
        return []
    points = {one.at[name] for _, one in (*first, *second)}
    values = sorted({v for v in points if low < v < high} | {low + part * (high - low) for part in SAMPLES})
    rows: list[tuple[np.ndarray, float]] = []
    for value in values:
        nodes, entropies = [], []
        for piece in (first, second):
            pair = next(p for p in pairwise(piece) if min(one.at[name] for _, one in p) <= value <= max(one.at[name] for _, one in p))
            nodes.append(tracer.place(pair[0][0], pair[1][0], value))
            entropies.append(base.results(nodes[-1].y)[0]["free_entropy"])
        gap = entropies[0] - entropies[1]
        if abs(gap) > ROUNDING * max(1.0, abs(entropies[0])):
            rows.append((np.concatenate([nodes[0].y[:-1], nodes[1].y[:-1], [value]]), gap))
    both = System(module, base.at, {name: base.coordinates.scale[-1]}, 2)
    up = np.eye(both.size)[-1]
    found = []
    for (y, gap), (z, later) in pairwise(rows):
        if gap * later >= 0:
            continue
        ends = []
        for start in (y, z):
            both.choose(start)
            ends.append(accept(both, start, up, tracer.tol))
        node = between(both, ends[0], ends[1], lambda k: free_entropy_gap(both, k.y), tracer.tol)
        met = [_side(tracer, node, side) for side in range(2)]
        if all(_steady(tracer, one) for one in met):
            sides = [tracer.solution(one, owner.points[0].start) for one, owner in zip(met, owners, strict=True)]
            found.append(Special("transition", sides[0].at, node.error, (owners[0].name, owners[1].name), tuple(sides)))
    return found


def _steady(tracer: Tracer, node: Node) -> bool:
    """Whether a solution is stable within its ansatz: a negative replicon is for the replicon's own event to say."""
    return node.tangent[-1] != 0 and unstable_directions(node.look.slope[:, : tracer.system.n]) == 0


def free_entropy_gap(system: System, y: np.ndarray) -> float:
    """How much larger the free entropy of the first side is."""
    one, other = (system.results(y, side)[0]["free_entropy"] for side in range(2))
    return one - other


def _side(tracer: Tracer, node: Node, side: int) -> Node:
    """One side of a point of the doubled system as a point of its own branch."""
    n, system = tracer.system.n, tracer.system
    y = np.append(node.y[side * n : (side + 1) * n], node.y[-1])
    system.choose(y)
    return accept(system, y, np.eye(system.size)[-1], tracer.tol)


def _crossings_with_end(tracer: Tracer, branch: Branch, piece: Segment, end: Branch, limit: Limit) -> list[Special]:
    """Crossings with solutions at the end of a domain, which no system can hold: they are solved for at every value tried."""
    system, name = tracer.system, tracer.name
    low, high = end.points[0].at[name], end.points[-1].at[name]

    def gap(y: np.ndarray, own: float) -> float:
        there = limit.at(system.controls(y))
        return np.nan if there is None else own - float(there.free_entropy)

    values, entropies = ([float(x) for x in column] for column in zip(*((p.at[name], p.free_entropy) for p in end.points), strict=True))
    near = np.interp([one.at[name] for _, one in piece], values, entropies)
    rows = [(node, float(one.free_entropy), float(there)) for (node, one), there in zip(piece, near, strict=True)]
    inside = [row for row in rows if low <= row[0].y[-1] <= high]
    found = []
    for (left, own, there), (right, later, then) in pairwise(inside):
        if not (own - there) * (later - then) < 0:
            continue
        before, after = gap(left.y, own), gap(right.y, later)
        if not before * after < 0:
            continue
        node = between(system, left, right, lambda k: gap(k.y, system.results(k.y)[0]["free_entropy"]), tracer.tol)
        one, other = tracer.solution(node, branch.points[0].start), limit.at(system.controls(node.y))
        error = math.inf if other is None else max(node.error, _blur(left, right, other, before, after))
        if other is not None and other.stable and _steady(tracer, node) and error < abs(right.y[-1] - left.y[-1]):  # else they are one
            found.append(Special("transition", one.at, error, (branch.name, end.name), (one, other)))
    return found


def _blur(left: Node, right: Node, there: Solution, before: float, after: float) -> float:
    """Error of the place of a crossing that the error of the free entropy at the end makes."""
    return float(abs(there.quadrature_error * (right.y[-1] - left.y[-1]) / (after - before)))
