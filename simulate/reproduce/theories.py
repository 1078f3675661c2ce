"""The theories of a paper, derived and compiled when first asked for, and solutions at points, continued where that is needed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from numerics.compile import Module, compile_theory
from numerics.layout import JUMP_AT
from numerics.problem import Problem
from numerics.solution import Solution
from numerics.solve import TOLERANCE, solution, solve
from numerics.status import Status
from numerics.sweep import JUMP
from replica.derive import Underivable, derive
from replica.ingredients import NotBuilt
from replica.papers.record import Paper
from replica.spec import Spec, SpecError, load
from replica.theory import Theory

WORST = 1e-6
"""A larger error of the unknowns is no basis for a claim."""
STEPS = 12
"""Points on the way from an easy value of a control."""
HALVINGS = 4
"""How often a step is halved before a branch counts as lost."""


class NotComputable(Exception):
    """A number that cannot be had; the sentence is the engine's own."""


@dataclass
class Theories:
    """Specs of a paper with their modules and sweeps; what was refused stays refused."""

    paper: Paper
    swept: dict[tuple[Hashable, ...], xr.Dataset] = field(default_factory=dict)
    _specs: dict[str, Spec] = field(default_factory=dict)
    _modules: dict[str, Module] = field(default_factory=dict)
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

    def module(self, name: str) -> Module:
        """Its compiled theory.

        Raises:
            NotComputable: the spec has no theory; with the engine's reason.
        """
        if name in self._refused:
            raise NotComputable(self._refused[name])
        if name not in self._modules:
            try:
                self._modules[name] = compile_theory(derive(self.spec(name)))
            except (Underivable, NotBuilt) as refusal:
                self._refused[name] = f"refused: {refusal}"
                raise NotComputable(self._refused[name]) from None
        return self._modules[name]

    def derived(self) -> dict[str, Theory]:
        """Spec -> theory, for every spec that has one."""
        found = {}
        for name in self.paper.specs:
            try:
                theory = self.module(name).theory
            except NotComputable:
                continue
            if theory is not None:
                found[name] = theory
        return found

    def solve(self, name: str, at: Mapping[str, float], reach: Mapping[str, float]) -> Solution:
        """The thermodynamic solution at a point, or the one continued to it from an easy one.

        Raises:
            NotComputable: no solution; the sentence is the solver's status.
        """
        module = self.module(name)
        best = solve(module, {**at, **reach})[0]
        if best.converged and reach:
            best = continued(module, best, at)
        return trusted(best)

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
        raise NotComputable(f"not solved at {where}: {found.status}")
    if not found.quadrature_error < WORST:
        raise NotComputable(f"solved at {where} to {found.quadrature_error:.1g} only: {found.status}")
    return found


def continued(module: Module, begin: Solution, at: Mapping[str, float]) -> Solution:
    """A solution carried to a point, in equal ratios of positive controls and equal steps of others."""
    target = Problem(module).point(at)
    way = [{k: _between(float(begin.at[k]), v, t) for k, v in target.items()} for t in np.linspace(0, 1, STEPS + 1)[1:-1]]
    return carried(module, begin, [*way, target])[-1]


def _between(low: float, high: float, part: float) -> float:
    if low == high:
        return low
    return float(low * (high / low) ** part) if min(low, high) > 0 else low + (high - low) * part


def carried(module: Module, begin: Solution, path: Sequence[Mapping[str, float]]) -> list[Solution]:
    """A solution carried from point to point, in smaller steps where it moves too far; where it is lost, points are solved anew."""
    problem = Problem(module)
    found: list[Solution] = []
    last = begin
    while len(found) < len(path):
        ahead = _marched(problem, last, path[len(found) :])
        good = next((i for i, (one, jumped) in enumerate(ahead) if jumped or not one.converged), len(ahead))
        found += [one for one, _ in ahead[:good]]
        if good == len(ahead):
            break
        last = found[-1] if found else begin
        one = _bridged(problem, last, path[len(found)], HALVINGS)
        if not one.converged:
            one = solve(module, path[len(found)])[0]
        found.append(one)
        if not one.converged:
            return found + [replace(one, at=dict(point)) for point in path[len(found) :]]
        last = one
    return found


def _bridged(problem: Problem, last: Solution, at: Mapping[str, float], halvings: int) -> Solution:
    """The solution at a point, over points between where a step is too long."""
    ((one, jumped),) = _marched(problem, last, [at])
    if one.converged and not jumped:
        return one
    if not halvings:
        return replace(one, status=Status.STALLED) if one.converged else one
    middle = {k: _between(float(last.at[k]), float(v), 0.5) for k, v in at.items()}
    first = _bridged(problem, last, middle, halvings - 1)
    return _bridged(problem, first, at, halvings - 1) if first.converged else first


def _marched(problem: Problem, begin: Solution, path: Sequence[Mapping[str, float]]) -> list[tuple[Solution, bool]]:
    """Solutions along a path, each with whether it is too far from its prediction to be the same branch for sure."""
    controls = np.array([[float(point[name]) for name in problem.controls] for point in (begin.at, *path)])
    unknowns = np.array([[float(begin.unknowns[name]) for name in problem.names]])
    march = problem.march(controls, unknowns, TOLERANCE, 0)
    return [(solution(problem, at, march, row, begin.start), bool(march.info[row, JUMP_AT] > JUMP)) for row, at in enumerate(path, 1)]
