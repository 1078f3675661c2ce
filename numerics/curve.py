"""Curves of solutions: Newton's method across a direction, pseudo-arclength steps, and the point where a function vanishes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from numerics.equations import Failure
from numerics.layout import WORTHLESS
from numerics.status import Status
from numerics.system import Look, System

ITERATIONS = 14
LONGEST = 1.0  # Newton step in charts
NEAR = 1e-9  # shorter steps that no longer shrink are rounding
ROUNDS = 8  # of the doubling test
BLUR = 100.0  # times the rounding error, which thousands of nodes add up to: what doubling moves by less may be rounding
PATIENCE = 3  # and it is where better nodes do not halve it so often
TURN = 0.92  # smallest cosine between the directions at both ends of a step
SHORTEST = 1e-9  # of the first step; then the curve is lost


@dataclass(frozen=True)
class Node:
    """A point of a curve.

    Args:
        y: variables in the order of the system's coordinates.
        tangent: unit direction in charts.
        look: the system there.
        error: of the variables, relative: Newton step on doubled nodes plus rounding.
        iterations: Newton steps taken.
    """

    y: np.ndarray
    tangent: np.ndarray
    look: Look
    error: float = math.nan
    iterations: int = 0

    @property
    def residual(self) -> float:
        """Largest component, relative to the unknown."""
        return float(np.abs(self.look.value).max())

    def turned(self) -> Node:
        """The same point of the curve walked the other way."""
        return dataclasses.replace(self, tangent=-self.tangent)


def _solve(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    try:
        found = np.linalg.solve(matrix, target)
    except np.linalg.LinAlgError:
        raise Failure(Status.SINGULAR) from None
    if not np.isfinite(found).all():
        raise Failure(Status.SINGULAR)
    return np.asarray(found)


def correct(system: System, y: np.ndarray, across: np.ndarray) -> Node:
    """Newton's method on the nodes that are there; no step has a component along `across`.

    Raises:
        Failure: the status says why.
    """
    before, size = math.inf, system.size
    bordered, targets = np.empty((size, size)), np.zeros((size, 2))
    bordered[-1], targets[-1, 1] = across, 1.0
    for iteration in range(1, ITERATIONS + 1):
        look = system.look(y)
        bordered[:-1], targets[:-1, 0] = look.slope, -look.value
        step, tangent = _solve(bordered, targets).T
        length = float(np.abs(step).max())
        if length < NEAR and length >= 0.2 * before or length < 1e-14:
            return Node(y, tangent / np.linalg.norm(tangent), look, iterations=iteration)
        part, target = min(1.0, LONGEST / length), None
        for _ in range(12):
            target = system.move(y, part * step)
            if target is not None:
                break
            part *= 0.5
        if target is None:
            raise Failure(Status.LEFT_DOMAIN)
        y, before = target, length
    raise Failure(Status.MAX_STEPS)


def accept(system: System, y: np.ndarray, across: np.ndarray, tol: float) -> Node:
    """`correct` on nodes that pass the doubling test: nodes doubled one loop after the other, a Newton step each.

    Raises:
        Failure: the status says why; QUADRATURE where the error stays above WORTHLESS.
    """
    node = correct(system, y, across)
    share = tol / max(1, len(system.refinements))
    change, doubt = 0.0, Doubt()
    for attempt in range(ROUNDS):
        change, guilty = 0.0, None
        for refinement in system.refinements:
            system.refine(node.y, refinement)
            finer = correct(system, node.y, across)
            moved = float(system.coordinates.relative(node.y, finer.y).max())
            node, change = dataclasses.replace(finer, iterations=node.iterations), change + moved
            rounding = float(carried(node, across).max())
            if moved > max(share, 3.0 * rounding):
                guilty = refinement
                doubt.hear(refinement, moved, rounding)
                break
        if guilty is None or attempt == ROUNDS - 1:
            break
        if doubt.vain:
            system.choose(node.y, fresh=True)  # nodes that were of no use are not kept
            break
        improve(system, node, guilty, attempt)
    error = change + float(carried(node, across).max())
    if not error < WORTHLESS:
        raise Failure(Status.QUADRATURE)
    return dataclasses.replace(node, error=error)


class Doubt:
    """Whether what better nodes move is rounding: near to that, and not halved by them."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], float] = {}
        self._count = 0

    def hear(self, refinement: tuple[int, int], moved: float, rounding: float) -> None:
        """What a refinement moved."""
        if moved > BLUR * rounding or moved <= 0.5 * self._last.get(refinement, math.inf):
            self._count = 0
        else:
            self._count += 1
        self._last[refinement] = moved

    @property
    def vain(self) -> bool:
        return self._count >= PATIENCE


def improve(system: System, node: Node, guilty: tuple[int, int], attempt: int) -> None:
    """Better nodes: at first new panels here, as those that failed were chosen elsewhere; then a refinement for good."""
    if attempt == 0:
        system.choose(node.y)
    else:
        system.refine(node.y, guilty, for_good=True)
        system.refine(node.y, None)


def carried(node: Node, across: np.ndarray) -> np.ndarray:
    """Rounding error of every coordinate: that of each row, carried over by the inverse Jacobian."""
    inverse = _solve(np.vstack([node.look.slope, across]), np.eye(len(across)))
    return np.asarray(np.abs(inverse[:, :-1]) @ node.look.floor)


@dataclass(frozen=True)
class Pace:
    """Step lengths of a walk, in charts: the first, the longest, and the longest component along each free control."""

    first: float = 0.02
    longest: float = 0.4
    control: float = 1 / 40


def walk(system: System, start: Node, tol: float, pace: Pace) -> Iterator[Node]:
    """Points of the curve one after the other from `start` (not included) in the direction of its tangent, without end.

    Raises:
        Failure: the curve is lost; its status says why.
    """
    here, step, fresh, bend = start, pace.first, True, np.zeros(system.size)
    controls = slice(system.size - len(system.free), system.size)
    while True:
        step = min(step, pace.longest, pace.control / max(float(np.abs(here.tangent[controls]).max()), 1e-3))
        node, reason = _step(system, here, step, bend, tol, fresh)
        fresh = node is None
        if node is None:
            step *= 0.4
            if step < SHORTEST * pace.first:
                raise reason
            continue
        if node.iterations <= 4:
            step *= 1.5
        elif node.iterations > 7:
            step *= 0.6
        length = float(np.linalg.norm(system.coordinates.step(here.y, node.y - here.y)))
        here, bend = node, (node.tangent - here.tangent) / length if length > 0 else bend
        yield node


def _step(system: System, here: Node, step: float, bend: np.ndarray, tol: float, fresh: bool) -> tuple[Node | None, Failure]:
    """One step, or why it must be shorter; along the tangent, or bent where that leaves the domain, which the curve may only touch."""
    ahead = system.move(here.y, step * here.tangent)
    if ahead is None:
        ahead = system.move(here.y, step * here.tangent + step**2 / 2 * bend)
    if ahead is None:
        return None, Failure(Status.LEFT_DOMAIN)
    try:
        system.choose(ahead, fresh)
        node = accept(system, ahead, here.tangent, tol)
    except Failure as failure:
        return None, failure
    swerve = np.abs(system.coordinates.step(ahead, node.y - ahead)).max()
    if float(node.tangent @ here.tangent) < TURN or swerve > 0.5 * step:
        return None, Failure(Status.STALLED)
    return node, Failure(Status.CONVERGED)


Measure = Callable[[Node], float]


def between(system: System, left: Node, right: Node, measure: Measure, tol: float) -> Node:
    """The point between two neighbours where `measure`, of opposite signs there, vanishes; `error` includes that of its place.

    Raises:
        Failure: no point could be found on the way.
    """
    chord = system.coordinates.step(left.y, right.y - left.y)
    length = float(np.linalg.norm(chord))
    along = chord / length
    middle = system.move(left.y, 0.5 * chord)
    system.choose(left.y if middle is None else middle, fresh=True)
    near = bracketed(system, left, right, along, length, measure)
    return settle(system, near, along, length, measure, tol)


def settle(system: System, near: Node, along: np.ndarray, length: float, measure: Measure, tol: float) -> Node:
    """The root next to `near`, on nodes chosen there that pass the doubling test; `error` is that of the free controls, absolute."""
    system.choose(near.y)
    node = secant(system, near, along, length, measure)
    controls, error, doubt = slice(-len(system.free), None), 0.0, Doubt()
    for attempt in range(ROUNDS):
        guilty, error = None, 0.0
        for refinement in system.refinements:
            system.refine(node.y, refinement)
            finer = secant(system, node, along, length, measure)
            moved = float(np.abs(finer.y - node.y)[controls].max())
            node, error = finer, error + moved
            if moved > tol:
                guilty = refinement
                doubt.hear(refinement, moved, float((carried(node, along)[controls] * system.coordinates.scale[controls]).max()))
                break
        if guilty is None or attempt == ROUNDS - 1 or doubt.vain:
            break
        improve(system, node, guilty, attempt)
    blur = carried(node, along)[controls] * system.coordinates.scale[controls]
    return dataclasses.replace(node, error=error + float(blur.max()))


def beside(system: System, node: Node, along: np.ndarray, distance: float) -> Node:
    """The point of the curve a distance further along the chord."""
    lean = float(node.tangent @ along)
    step = node.tangent * (distance / lean) if abs(lean) > 0.3 else along * distance
    ahead = system.move(node.y, step)
    if ahead is None:
        raise Failure(Status.LEFT_DOMAIN)
    return correct(system, ahead, along)


def bracketed(system: System, left: Node, right: Node, along: np.ndarray, length: float, measure: Measure) -> Node:
    """A root near enough for `secant`: false position, with bisection where an end stays put."""
    (a, low, fa), (b, high, fb) = (0.0, left, measure(left)), (length, right, measure(right))
    best, held = low, 0
    for attempt in range(40):
        s = a - fa * (b - a) / (fb - fa) if held < 2 else 0.5 * (a + b)
        if not a < s < b:
            s = 0.5 * (a + b)
        best = beside(system, low, along, s - a) if s - a < b - s else beside(system, high, along, s - b)
        f = measure(best)
        if f == 0 or b - a < 1e-6 * length or (attempt and abs(f) < 1e-7 * (abs(fa) + abs(fb))):
            break
        if (f > 0) == (fa > 0):
            held = held + 1 if held >= 0 and attempt else 0
            a, low, fa = s, best, f
        else:
            held = 0 if held > 0 else held
            b, high, fb = s, best, f
    return best


def secant(system: System, near: Node, along: np.ndarray, length: float, measure: Measure) -> Node:
    """The root next to `near`, on the nodes that are there, to rounding."""
    here = correct(system, near.y, along)
    value = measure(here)
    gap = 1e-5 * length
    other = beside(system, here, along, gap)
    slope = (measure(other) - value) / gap
    before = math.inf
    for _ in range(12):
        if value == 0 or slope == 0 or not math.isfinite(slope):
            break
        step = -value / slope
        if abs(step) > length:
            raise Failure(Status.STALLED)
        if abs(step) < 1e-15 * length or (abs(step) < 1e-9 * length and abs(step) > 0.2 * before):
            break
        moved = beside(system, here, along, step)
        fresh = measure(moved)
        if abs(step) > 1e-8 * length:
            slope = (fresh - value) / step
        here, value, before = moved, fresh, abs(step)
    return here
