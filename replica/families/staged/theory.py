"""The theory of minimizers on structured data: order parameters, saddle point, energy of every stage, observables.

Source of the equations: replicas of every stage stand on one replica of the stages before, at zero temperature of each; responses run
from earlier to later stages only.  Both sides then keep their universal form: conjugates are averages of products of scores over samples,
overlaps averages of products of weights over coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from replica.families.observables import REPLICA_SYMMETRY
from replica.families.reading import control_names, given_controls
from replica.families.staged import read
from replica.families.staged.equations import Equations
from replica.families.staged.observables import Measured
from replica.families.staged.problem import Problem
from replica.families.staged.story import CAUSAL, trail
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK
from replica.theory import Start, Stationary, Theory


def theory(spec: Any, learner: str | None = None) -> Theory:
    """Equations of all learners together, in the order of their training.

    Raises:
        Underivable: names the part of the spec.
    """
    names = control_names(spec)
    problem = read.problem(spec, learner)
    equations = Equations(problem, read.compared(spec, problem))
    unknowns = equations.unknowns()
    measured = Measured(equations.samples, equations.weights, spec.observables or {}, names)
    stages = sorted({v.stage for v in problem.vectors})
    energies = {stage: equations.energy(stage) for stage in stages}
    called = {stage: f"energy[{spec.stages[stage].name}]" if len(stages) > 1 else "energy" for stage in stages}
    observables = measured.standard() | {called[s]: sp.Add(*e.values()) for s, e in energies.items()}
    observables |= measured.declared(observables)
    plain = {} if all(set(s.profile.values()) <= {0, 1} for s in problem.sites) else measured.lengths()
    own = {u.parameter.symbol for u in unknowns}
    found = Theory(
        name="",
        fingerprint="",
        controls=given_controls(spec) + problem.measured,
        system=Stationary(
            tuple(u.parameter for u in unknowns),
            tuple(u.equation for u in unknowns),
            constraints=tuple(dict.fromkeys(c for c in measured.positive() if c.free_symbols & own)),
            starts=(Start("uninformed", {u.parameter.symbol: u.start for u in unknowns}, _easy(problem)),),
        ),
        order_parameters={u.parameter.name: u.parameter.symbol for u in unknowns if not u.parameter.name.endswith("_hat")} | plain,
        conjugates={u.parameter.name: u.parameter.symbol for u in unknowns if u.parameter.name.endswith("_hat")},
        free_entropy=-sp.Add(*energies[stages[-1]].values()),
        observables=observables,
        terms={name: -part for name, part in energies[stages[-1]].items()},
        assumptions=(REPLICA_SYMMETRY, CAUSAL, REPLICA_TRICK, GAUSSIAN_FIELDS, *problem.remarks),
    )
    told = trail(equations, found)
    if not problem.numbers:
        return told
    return replace(told.xreplace(problem.numbers), trail=told.trail)  # numbers last: SymPy is slow with floats


def _easy(problem: Problem) -> tuple[Mapping[sp.Symbol, sp.Expr], ...]:
    """Springs between learners of the same samples at strength one: strong ones leave the two so little apart that steps must be small."""
    pairs = {problem.together(cell, v.name) for v in problem.vectors for cell in v.losses}
    springs = {problem.sprung(*map(problem.vector, pair)) for pair in pairs if len(pair) == 2}
    found = {spring: sp.S.One for spring in springs if isinstance(spring, sp.Symbol)}
    return (found,) if found else ()
