"""The theories of a paper, derived and compiled when first asked for, and solutions at points, continued where that is needed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from numerics.compile import Module, compile_theory
from numerics.flow.compile import FlowModule, compile_flow
from numerics.flow.trajectory import Trajectory
from numerics.path import carry, lost, straight
from numerics.problem import Problem
from numerics.recursion import is_recursion, run
from numerics.solution import Solution
from numerics.solve import solve
from replica.derive import Underivable, derive
from replica.ingredients import NotBuilt
from replica.papers.record import Paper
from replica.spec import Spec, SpecError, load
from replica.theory import Flow, Theory
from simulate.instance import Instance
from simulate.learn.estimate import Outcome
from simulate.measured import measured
from simulate.online.sgd import Path
from simulate.runs import Runs

WORST = 1e-6
"""A larger error of the unknowns is no basis for a claim."""


class NotComputable(Exception):
    """A number that cannot be had; the sentence is the engine's own."""


@dataclass(frozen=True)
class Solved:
    """Runs of an algorithm with the systems that it solved."""

    runs: Runs
    kept: tuple[tuple[Instance, Outcome], ...]


@dataclass
class Theories:
    """Specs of a paper with their modules and sweeps; what was refused stays refused."""

    paper: Paper
    swept: dict[tuple[Hashable, ...], xr.Dataset] = field(default_factory=dict)
    travelled: dict[str, tuple[Trajectory, ...]] = field(default_factory=dict)
    ran: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    solved: dict[str, Solved] = field(default_factory=dict)
    classified: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    _specs: dict[str, Spec] = field(default_factory=dict)
    _theories: dict[str, Theory] = field(default_factory=dict)
    _modules: dict[str, Module] = field(default_factory=dict)
    _flows: dict[str, FlowModule] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)

    def spec(self, name: str) -> Spec:
        """The spec of this name.

        Raises:
            NotComputable: the spec itself is refused.
        """
        if name not in self._specs:
            text = self.paper.specs[name]
            try:
                self._specs[name] = Spec.from_toml(text) if "\n" in text else load(text)
            except (SpecError, NotBuilt) as refusal:
                raise NotComputable(f"refused: {refusal}") from None
        return self._specs[name]

    def theory(self, name: str) -> Theory:
        """Its theory.

        Raises:
            NotComputable: the spec has none; with the engine's reason.
        """
        if name in self._refused:
            raise NotComputable(self._refused[name])
        if name not in self._theories:
            try:
                self._theories[name] = derive(self.spec(name))
            except (Underivable, NotBuilt) as refusal:
                self._refused[name] = f"refused: {refusal}"
                raise NotComputable(self._refused[name]) from None
        return self._theories[name]

    def module(self, name: str) -> Module:
        """Its compiled theory.

        Raises:
            NotComputable: the spec has no theory, or one that moves in time.
        """
        theory = self.theory(name)
        if isinstance(theory.system, Flow):
            raise NotComputable(f"refused: '{theory.name}' moves in time; a paper asks for it by routes")
        if name not in self._modules:
            self._modules[name] = compile_theory(theory)
        return self._modules[name]

    def flow(self, name: str) -> FlowModule:
        """Its compiled flow.

        Raises:
            NotComputable: the spec has no theory, or one that does not move in time.
        """
        theory = self.theory(name)
        if not isinstance(theory.system, Flow):
            raise NotComputable(f"refused: '{theory.name}' does not move in time")
        if name not in self._flows:
            self._flows[name] = compile_flow(theory)
        return self._flows[name]

    def derived(self) -> dict[str, Theory]:
        """Spec -> theory, for every spec that has one."""
        found = {}
        for name in self.paper.specs:
            try:
                found[name] = self.theory(name)
            except NotComputable:
                continue
        return found

    def solve(self, name: str, at: Mapping[str, float], reach: Mapping[str, float]) -> Solution:
        """The thermodynamic solution at a point, or the one continued to it from an easy one.

        Raises:
            NotComputable: no solution; the sentence is the solver's status.
        """
        module = self.module(name)
        if is_recursion(module):
            return trusted(run(module, at))
        at = self.complete(name, at)
        best = solve(module, {**at, **reach})[0]
        if best.converged and reach:
            best = continued(module, best, at)
        return trusted(best)

    def complete(self, name: str, at: Mapping[str, float]) -> Mapping[str, float]:
        """A point with the controls that a measurement supplies, where the theory has such."""
        return {**at, **measured(self.spec(name), at)} if self.theory(name).missing else at

    def number(self, name: str, quantity: str, at: Mapping[str, float], reach: Mapping[str, float]) -> float:
        """One result there.

        Raises:
            NotComputable: no solution, or no result of this name.
        """
        found = self.solve(name, at, reach)
        try:
            return float(found[quantity])
        except KeyError as unknown:
            raise NotComputable(f"refused: {unknown.args[0]}") from None


def trusted(found: Solution) -> Solution:
    """The solution itself.

    Raises:
        NotComputable: it is none, or its numbers are good to a few digits only.
    """
    where = ", ".join(f"{k} = {v:g}" for k, v in found.at.items())
    if not found.converged:
        raise NotComputable(f"not solved at {where}: {found.sentence}")
    if not found.quadrature_error < WORST:
        raise NotComputable(f"solved at {where} to {found.quadrature_error:.1g} only: {found.status}")
    return found


def continued(module: Module, begin: Solution, at: Mapping[str, float]) -> Solution:
    """A solution carried to a point; solved anew there where its branch is lost on the way."""
    problem = Problem(module)
    target = problem.point(at)
    trace = carry(problem, begin, straight(begin.at, target))
    if not trace.lost:
        return trace.found[-1]
    anew = solve(module, target)[0]
    return anew if anew.converged else lost(problem, trace, begin, target)


def carried(module: Module, begin: Solution, path: Sequence[Mapping[str, float]]) -> list[Solution]:
    """A solution carried from point to point; where it is lost, points are solved anew, and left out from the first that is not.

    A recursion runs from its own start everywhere.
    """
    if is_recursion(module):
        return [run(module, at) for at in path]
    problem = Problem(module)
    found: list[Solution] = []
    last = begin
    while len(found) < len(path):
        trace = carry(problem, last, path[len(found) :])
        found += trace.found
        if not trace.lost:
            break
        at = path[len(found)]
        one = solve(module, at)[0]
        if not one.converged:
            failed = lost(problem, trace, last, at)
            return found + [replace(failed, at=dict(point)) for point in path[len(found) :]]
        found.append(one)
        last = one
    return found
