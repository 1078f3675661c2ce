"""One branch: a solution continued in both directions through folds, and its points at given values of the control."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from numerics.branch import Branch
from numerics.curve import Node, Pace, accept, between, walk
from numerics.equations import Failure
from numerics.outcome import thermodynamic
from numerics.problem import Compiled
from numerics.solution import Solution
from numerics.stability import spectral_radius, stable_branch
from numerics.status import Status
from numerics.system import System

LONGEST = 4000  # points of a branch
FLAT = 1e-9  # a control that moves less, relative to the rest, stands still to rounding, as it does on the way to an end
PINCHED = 1e-4  # of its distance from the end at first: an unknown that is so near to the end nears it
ENDED = 1e-6  # and it has come there if the control moved by no more than AT_REST of its range over the last factor of ten
AT_REST = 1e-5
SAME = 1e-6  # chart distance between a solution and a branch that holds it


class Tracer:
    """Makes branches out of solutions; knows the range and how fine to go."""

    def __init__(self, module: Compiled, base: Mapping[str, float], name: str, ends: tuple[float, float], tol: float, points: int) -> None:
        self.name, self.ends, self.tol = name, ends, tol
        self.system = System(module, base, {name: ends[1] - ends[0]})
        self._pace = Pace(control=1 / points)
        self._up = np.eye(self.system.size)[-1]

    def node(self, one: Solution, value: float) -> Node:
        """A solution as a point of its curve, its tangent towards larger values of the control."""
        y = np.array([*(float(one.unknowns[name]) for name in self.system.problem.names), value])
        self.system.choose(y, fresh=True)
        return accept(self.system, y, self._up, self.tol)

    def branch(self, one: Solution, value: float, name: str) -> Branch:
        """The whole branch through a solution.

        Raises:
            Failure: it is no regular point of a curve.
        """
        first = self.node(one, value)
        middle = (first, self.solution(first, one.start))
        runs, ends, lost = [], [], False
        for node in (first, first.turned()):
            outward = value == (self.ends[1] if node.tangent[-1] > 0 else self.ends[0])
            pairs, sentence, failed = ([], self._at_range(node), False) if outward else self._run(node, first, one.start)
            runs.append(pairs)
            ends.append(sentence)
            lost |= failed
            if sentence.startswith("closes"):
                runs.append([])
                ends.append(sentence)
                break
        pairs = [*((node.turned(), point) for node, point in reversed(runs[1])), middle, *runs[0]]
        return Branch(name, tuple(point for _, point in pairs), tuple(node for node, _ in pairs), (ends[1], ends[0]), lost)

    def _at_range(self, node: Node) -> str:
        return f"{self.name} = {self.system.control(node.y):g} is the end of the range"

    def _run(self, start: Node, first: Node, origin: str) -> tuple[list[tuple[Node, Solution]], str, bool]:
        """Points in one direction, every fold among them; why they end, and whether that is a failure."""
        system, (low, high), last = self.system, self.ends, start
        pairs: list[tuple[Node, Solution]] = []
        try:
            for node in walk(system, start, self.tol, self._pace):
                value = system.control(node.y)
                if not low <= value <= high:
                    node = self.place(last, node, low if value < low else high)
                closes = len(pairs) > 2 and self._passes(last, node, first)
                if closes:
                    node = first if first.tangent @ last.tangent > 0 else first.turned()
                    system.choose(node.y, fresh=True)
                point = self.solution(node, origin)
                if turns(last, node):
                    fold = self._fold(last, node)
                    pairs.append((fold, self.solution(fold, origin)))
                pairs.append((node, point))
                last = node
                if closes:
                    return pairs, f"closes at {self.name} = {system.control(first.y):g}, where it started", False
                if not low < value < high:
                    return pairs, self._at_range(node), False
                near = system.unknowns.at_end(node.y[: system.n])
                if near.any():
                    which = " and ".join(k for k, there in zip(system.problem.names, near, strict=True) if there)
                    return pairs, f"{which} ran to the end of the domain at {self.name} = {value:.12g}", False
                if len(pairs) > LONGEST:
                    return pairs, f"followed over {LONGEST} points, to {self.name} = {value:g}", True
        except Failure as failure:
            final = self._on_the_range(last)
            if final is not None:
                return [*pairs, (final, self.solution(final, origin))], self._at_range(final), False
            names, come = self._pinched(start, last, [node for node, _ in pairs])
            place = f"{self.name} = {system.control(last.y):.12g}"
            if come:
                return pairs, f"{' and '.join(names)} ran to the end of the domain at {place}, as far as rounding shows", False
            where = f", where {' and '.join(names)} {'nears' if len(names) == 1 else 'near'} the end of the domain" if names else ""
            return pairs, f"lost at {place}, the last good point{where}: {failure}", True
        raise AssertionError("a walk ends by an event or a failure")

    def _on_the_range(self, last: Node) -> Node | None:
        """The point at an end of the range which no step can pass, as the control's domain ends there, where `last` is next to it."""
        value = self.system.control(last.y)
        end = min(self.ends, key=lambda e: abs(e - value))
        if abs(end - value) > ENDED * (self.ends[1] - self.ends[0]):
            return None
        y = last.y.copy()
        y[-1] = end
        try:
            self.system.choose(y, fresh=True)
            node = accept(self.system, y, self._up, self.tol)
        except Failure:
            return None
        return node if node.tangent @ last.tangent > 0 else node.turned()

    def _pinched(self, begin: Node, last: Node, nodes: Sequence[Node]) -> tuple[list[str], bool]:
        """What nears an end of its domain, and whether it has come there: an overlap meets another one, or a conjugate vanishes."""
        n, (_kinds, low, high, _conjugate) = self.system.n, self.system.problem.charts

        def gap(node: Node) -> np.ndarray:
            return np.minimum(node.y[:n] - low, high - node.y[:n])

        first, now = gap(begin), gap(last)
        names = [name for name, pinched in zip(self.system.problem.names, now < PINCHED * first, strict=True) if pinched]
        there = now < ENDED * first
        before = next((node for node in reversed(nodes) if (gap(node) > 10 * now)[there].all()), None) if there.any() else None
        moved = abs(self.system.control(before.y) - self.system.control(last.y)) if before is not None else math.inf
        return names, moved < AT_REST * (self.ends[1] - self.ends[0])

    def _fold(self, left: Node, right: Node) -> Node:
        """The point between two neighbours where the control turns."""
        fold = between(self.system, left, right, lambda k: float(k.tangent[-1]), self.tol)
        flat = fold.tangent.copy()
        flat[-1] = 0.0  # to rounding; exactly zero marks it
        return dataclasses.replace(fold, tangent=flat)

    def _passes(self, left: Node, right: Node, target: Node) -> bool:
        """Whether a step leads through a point, in the direction of its tangent or against it."""
        charts = self.system.coordinates
        whole, part = charts.step(left.y, right.y - left.y), charts.step(left.y, target.y - left.y)
        length = float(whole @ whole)
        share = float(part @ whole) / length
        return 0 < share <= 1 and float(np.linalg.norm(part - share * whole)) < 0.05 * math.sqrt(length)

    def place(self, left: Node, right: Node, value: float) -> Node:
        """The point between two neighbours where the control has a value, to the last digit.

        Raises:
            Failure: no point could be found on the way.
        """
        system, guess = self.system, None
        for node in (left, right):
            if system.control(node.y) == value:
                system.choose(node.y, fresh=True)
                return accept(system, node.y, node.tangent, self.tol)
        step = interpolated(system, left, right, value)
        if step is not None:
            guess = system.move(left.y, step)
        if guess is not None:
            guess[-1] = value
            try:
                system.choose(guess, fresh=True)
                node = accept(system, guess, self._up, self.tol)
                swerve = np.abs(system.coordinates.step(guess, node.y - guess)).max()
                if swerve < 0.05 * float(np.abs(system.coordinates.step(left.y, right.y - left.y)).max()):
                    return node if node.tangent @ left.tangent + node.tangent @ right.tangent > 0 else node.turned()
            except Failure:  # near a fold the control is no good variable
                pass
        node = between(system, left, right, lambda k: system.control(k.y) - value, self.tol)
        node.y[-1] = value  # to rounding
        return node

    def solution(self, node: Node, start: str) -> Solution:
        """A point as a record; on the nodes that it was found with."""
        system = self.system
        theory, n = system.problem.theory, system.n
        values, moved = system.results(node.y)
        observables = {name: values[name] for name in theory.observables}
        error = max(node.error, moved if moved > self.tol else 0.0)
        jacobian = node.look.slope[:, :n]  # in charts, which at a solution leave the eigenvalues as they are
        steady = stable_branch(jacobian, observables) if node.tangent[-1] != 0 else None
        return Solution(
            system.controls(node.y), Status.CONVERGED if error <= self.tol else Status.LIMITED,
            {name: values[name] for name in theory.order_parameters}, {name: values[name] for name in theory.conjugates},
            values["free_entropy"], observables, dict(zip(system.problem.names, map(float, node.y), strict=False)), node.residual, error,
            steady, float(spectral_radius(jacobian)), start, node.iterations, system.meter.nodes,
        )

    def holds(self, branch: Branch, one: Solution, value: float) -> bool:
        """Whether a solution lies on a branch."""
        x = np.array([float(one.unknowns[name]) for name in self.system.problem.names])
        charts, close = self.system.unknowns, max(SAME, 10 * one.quadrature_error)
        for left, right in self._stretches(branch, value):
            reach = float(np.abs(charts.step(left.y[:-1], right.y[:-1] - left.y[:-1])).max())
            if min(float(np.abs(charts.step(k.y[:-1], x - k.y[:-1])).max()) for k in (left, right)) > reach + SAME:
                continue
            try:
                node = self.place(left, right, value)
            except Failure:
                continue
            if float(np.abs(charts.step(x, node.y[:-1] - x)).max()) < close:
                return True
        return False

    def _stretches(self, branch: Branch, value: float) -> Iterator[tuple[Node, Node]]:
        """Neighbours on a branch with a value of the control between them; each point of the branch counts once."""
        for number, (left, right) in enumerate(zip(branch.nodes, branch.nodes[1:], strict=False)):
            a, b = self.system.control(left.y), self.system.control(right.y)
            if min(a, b) <= value <= max(a, b) and (value != a or number == 0):
                yield left, right

    def everywhere(self, branches: Sequence[Branch], value: float, notes: list[str]) -> list[tuple[Solution, str]]:
        """The solutions of all branches at a value of the control with the names of their branches, the largest free entropy first.

        A sentence about each that could not be found is added to `notes`.
        """
        found: list[tuple[Solution, str]] = []
        for branch in branches:
            if branch.at_end:
                found += [(one, branch.name) for one in branch.points if one.at[self.name] == value]
                continue
            for left, right in self._stretches(branch, value):
                try:
                    found.append((self.solution(self.place(left, right, value), branch.points[0].start), branch.name))
                except Failure as failure:
                    notes.append(f"branch {branch.name} passes {self.name} = {value:g}, but its solution there was not found: {failure}")
        return sorted(found, key=lambda pair: thermodynamic(pair[0]))


def turns(left: Node, right: Node) -> bool:
    """Whether the control turns between two neighbours."""
    a, b = float(left.tangent[-1]), float(right.tangent[-1])
    return a * b < 0 and max(abs(a), abs(b)) > FLAT


def interpolated(system: System, left: Node, right: Node, value: float) -> np.ndarray | None:
    """Step from `left` to where a cubic through two neighbours, with their tangents, has a value of the control."""
    chord = system.coordinates.step(left.y, right.y - left.y)
    length = float(np.linalg.norm(chord))
    columns = np.array([length * left.tangent, chord, -length * right.tangent]).T
    a, b, c = columns[-1].tolist()
    low, high, target = 0.0, 1.0, (value - system.control(left.y)) / system.coordinates.scale[-1]
    for _ in range(45):
        s = 0.5 * (low + high)
        reached = s * (1 - s) ** 2 * a + s * s * (3 - 2 * s) * b + s * s * (1 - s) * c
        low, high = (s, high) if (reached < target) == (b > 0) else (low, s)
    return np.asarray(columns @ [s * (1 - s) ** 2, s * s * (3 - 2 * s), s * s * (1 - s)]) if abs(reached - target) < 1e-9 else None
