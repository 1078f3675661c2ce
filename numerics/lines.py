"""Lines of a phase diagram: a fold, a transition or a zero followed in a second control."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from numerics.branch import Line, Special
from numerics.curve import Node, Pace, accept, between, walk
from numerics.equations import Failure
from numerics.events import ZEROS, free_entropy_gap
from numerics.limits import Limit
from numerics.outcome import TOLERANCE
from numerics.problem import Compiled
from numerics.status import Status
from numerics.system import Condition, System

POINTS = 40
LONGEST = 2000  # points of a line
BESIDE = 1e-9  # of its range: a control so near to an end of it is there
MERGED = 0.02  # chart distance below which two coexisting solutions count as one


class Fold:
    """Vanishes where the Jacobian by the unknowns is singular: the corner of the inverse of the Jacobian bordered by its null vectors."""

    def prepare(self, system: System, y: np.ndarray) -> None:
        n = system.n
        u, _, v = np.linalg.svd(system.equations(y).slope[:n, :n])
        self._left, self._right = u[:, -1], v[-1]

    def __call__(self, system: System, y: np.ndarray) -> float:
        n = system.n
        bordered = np.zeros((n + 1, n + 1))
        bordered[:n, :n], bordered[:n, n], bordered[n, :n] = system.equations(y).slope[:n, :n], self._left, self._right
        target = np.zeros(n + 1)
        target[-1] = 1.0
        try:
            return float(np.linalg.solve(bordered, target)[-1])
        except np.linalg.LinAlgError:
            raise Failure(Status.SINGULAR) from None


class Zero:
    """An observable."""

    def __init__(self, name: str) -> None:
        self._name = name

    def prepare(self, system: System, y: np.ndarray) -> None:
        pass

    def __call__(self, system: System, y: np.ndarray) -> float:
        return system.results(y)[0][self._name]


class Crossing:
    """Difference of the free entropies of the two sides, or of the one side and the solution at the end of a domain."""

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit

    def prepare(self, system: System, y: np.ndarray) -> None:
        pass

    def __call__(self, system: System, y: np.ndarray) -> float:
        if self._limit is None:
            return free_entropy_gap(system, y)
        there = self._limit.at(system.controls(y))
        if there is None:
            raise Failure(Status.LEFT_DOMAIN)
        return system.results(y)[0]["free_entropy"] - float(there.free_entropy)


def follow_event(
    module: Compiled, event: Special, along: Mapping[str, tuple[float, float]], *, tol: float = TOLERANCE, points: int = POINTS
) -> Line:
    """The line on which an event goes on while two controls move, by pseudo-arclength in both directions.

    Args:
        along: the control in which the event was found and a second one, with the ranges that the line may not leave.
        points: how many steps of either control a line is cut into at least.

    Raises:
        ValueError: for controls that are not two, or a range that the event is not in.
        Failure: the event is no regular point of a line.
    """
    if len(along) != 2:
        raise ValueError(f"an event is followed in two controls, got {', '.join(along) or 'none'}")
    for name, (low, high) in along.items():
        if name not in event.at or not low < high or not low <= event.at[name] <= high:
            raise ValueError(f"the {event.kind} is not inside {name} = {low:g} to {high:g}")
    inner = [one for one in event.solutions if one.status is not Status.AT_END]
    end = next((one for one in event.solutions if one.status is Status.AT_END), None)
    condition: Condition
    if event.kind == "fold":
        condition = Fold()
    elif event.kind == "transition":
        condition = Crossing(Limit(module, end.start, tol) if end is not None else None)
    else:
        condition = Zero(next(name for name, kind in ZEROS.items() if kind == event.kind))
    system = System(module, event.at, {name: high - low for name, (low, high) in along.items()}, len(inner), condition)
    start = [float(one.unknowns[name]) for one in inner for name in system.problem.names]
    y = np.array([*start, *(event.at[name] for name in along)])
    system.choose(y)
    across = np.eye(system.size)[-1]
    try:
        first = accept(system, y, across, tol)
    except Failure:  # the line is stationary in the second control here
        across = np.eye(system.size)[-2]
        first = accept(system, y, across, tol)
    runs, ends = [], []
    for node in (first, first.turned()):
        nodes, sentence = _run(system, node, along, tol, Pace(control=1 / points))
        runs.append(nodes)
        ends.append(sentence)
    nodes = [*reversed(runs[1]), first, *runs[0]]
    errors = tuple(node.error for node in nodes)
    return Line(event.kind, event.branches, tuple(system.controls(node.y) for node in nodes), errors, (ends[1], ends[0]))


def _run(
    system: System, start: Node, along: Mapping[str, tuple[float, float]], tol: float, pace: Pace
) -> tuple[list[Node], str]:
    """Points in one direction, and why they end."""
    nodes, steps = [start], walk(system, start, tol, pace)
    while len(nodes) <= LONGEST:
        try:
            node = next(steps)
            for k, (name, (low, high)) in enumerate(along.items()):
                value = system.control(node.y, k)
                if not low <= value <= high:
                    end = low if value < low else high
                    if system.control(nodes[-1].y, k) != end:
                        nodes.append(between(system, nodes[-1], node, partial(_beyond, system, k, end), tol))
                    return nodes[1:], f"{name} = {end:g} is the end of the range"
        except Failure as failure:
            for k, (name, ends) in enumerate(along.items()):
                near = [end for end in ends if abs(system.control(nodes[-1].y, k) - end) < BESIDE * (ends[1] - ends[0])]
                if near:  # the domain of the control ends there, and no step can pass it
                    return nodes[1:], f"{name} = {near[0]} is the end of the range"
            return nodes[1:], f"lost at {_where(system, nodes[-1])}, the last good point: {failure}"
        if system.count == 2:
            apart, after = _apart(system, nodes[-1]), _apart(system, node)
            gap = float(np.linalg.norm(apart))
            if gap < MERGED:
                return nodes[1:], f"the two solutions merge near {_where(system, nodes[-1])}, a critical point"
            if float(apart @ after) < 0.25 * gap**2:  # the line goes on where both have changed places: come nearer in shorter steps
                steps = walk(system, nodes[-1], tol, Pace(0.1 * gap, 0.2 * gap, pace.control))
                continue
        nodes.append(node)
    return nodes[1:], f"followed over {LONGEST} points, to {_where(system, nodes[-1])}"


def _beyond(system: System, k: int, end: float, node: Node) -> float:
    """How far the k-th free control is beyond an end."""
    return system.control(node.y, k) - end


def _apart(system: System, node: Node) -> np.ndarray:
    """Chart distance from the one side to the other."""
    one, other = node.y[: system.n], node.y[system.n : 2 * system.n]
    return system.unknowns.step(one, other - one)


def _where(system: System, node: Node) -> str:
    return ", ".join(f"{name} = {system.control(node.y, k):.9g}" for k, name in enumerate(system.free))
