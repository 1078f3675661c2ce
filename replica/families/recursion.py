"""State evolution of message passing: the saddle-point map of the same replica tree, step by step from a start.

The estimator decides whose map it is: with a loss the minimizer's, on the ansatz of the spec (replica symmetry gives GAMP, broken symmetry
GASP), without one the Bayes-optimal learner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from replica.ansatz import RSB
from replica.families import static
from replica.families.declared import declared
from replica.families.draft import Closing
from replica.families.model import SharedLaws, Underivable, second_moment
from replica.families.observables import Predictor, Sampled, prediction
from replica.families.reading import StaticModel, read
from replica.protocols import ERM, Bayes
from replica.symbols import control_symbol
from replica.theory import Assumption, Recursion, Start, Stationary, Step, Theory

STATE_EVOLUTION = Assumption(
    "state_evolution",
    "after every step of message passing, which takes back what an estimate owes to its own past, an estimate is the truth seen through "
    "Gaussian noise; signal and noise follow the saddle-point map",
)


PREDICTED = ("overlap", "generalization_error", "mse", "estimation_mse")  # what an estimate is good for; energies belong to fixed points


def derive(spec: Any, learner: str | None = None) -> Theory:
    """The recursion of one learner.

    Raises:
        Underivable: the spec is sound and its algorithm has no state evolution.
    """
    full = spec.expand()
    if len(full.learners) > 1:
        raise Underivable(f"protocol 'amp': one learner has a state evolution, found {len(full.learners)} ({' '.join(full.learners)})")
    for name, table in (full.controls or {}).items():
        if table.condition is not None:
            raise Underivable(f"controls.{name}.solve: a control of a recursion cannot be solved for; follow a crossing of its result")
    ((name, student),) = full.learners.items()
    goal = Bayes() if student.loss is None else ERM()
    resting = full.changed(learners={name: student.changed(protocol=goal)})
    found, model = static.derive(resting), read(resting, name)
    if model.laws.prior is None:
        raise Underivable("protocol 'amp': labels without a teacher leave no signal to start near")
    plain = {symbol: control_symbol(symbol.name) for symbol in model.symbols}
    bound = student.protocol.bind(model.names)
    steps, start, damping = (sp.sympify(bound.expr(getattr(bound, word))).xreplace(plain) for word in ("steps", "start", "damping"))
    if student.loss is None and start.is_nonpositive:
        raise Underivable(f"protocol 'amp': a posterior mean is as long as its overlap with the signal, so start = {start} must be above 0")
    conjugates = conjugates_of(found)
    begin = _start(found, conjugates, second_moment(model.laws.prior).xreplace(plain), start)
    recursion = Recursion(
        found.system.unknowns,
        found.system.equations,
        found.system.constraints,
        (begin,),
        conjugates=conjugates,
        steps=steps,
        damping=damping,
    )
    return replace(
        found,
        system=recursion,
        fingerprint=f"{spec.fingerprint}:{full.ansatz!r}",
        spec=spec,
        observables=_estimated(model, found) if isinstance(full.ansatz, RSB) else _predicted(found.observables, model),
        assumptions=(STATE_EVOLUTION, *found.assumptions),
        trail=(*found.trail, _step(recursion, begin)),
    )


def _predicted(found: Mapping[str, sp.Expr], model: StaticModel) -> dict[str, sp.Expr]:
    return {k: v for k, v in found.items() if k in PREDICTED or k in model.observables}


def _estimated(model: StaticModel, found: Theory) -> dict[str, sp.Expr]:
    """Where replica symmetry is broken the estimate is the mean over all states: as long as two replicas in different states overlap."""
    plain = {symbol: control_symbol(symbol.name) for symbol in model.symbols}
    assert model.laws.prior is not None
    draw = Sampled(model, Closing(SharedLaws({model.name: model.laws}), sp.Dummy("y", real=True)), second_moment(model.laws.prior))
    mean = Predictor(found.order_parameters["q0"], found.order_parameters["m"])
    own = prediction(draw, mean) | {"estimation_mse": draw.rho - 2 * mean.covariance + mean.variance}
    known = {name: value.xreplace(plain) for name, value in (own | declared(draw, mean, own)).items()}
    return _predicted(known, model)


def conjugates_of(theory: Theory) -> tuple[sp.Symbol, ...]:
    """The unknowns that the equations of overlaps read, if these read nothing else, so that one half follows from the other.

    Raises:
        Underivable: an equation reads unknowns of its own side.
    """
    system: Stationary = theory.system
    equations = {u.symbol: e for u, e in zip(system.unknowns, system.equations, strict=True)}
    inside = {s for e in theory.order_parameters.values() for s in e.free_symbols} & set(equations)
    hats: set[sp.Symbol] = set()
    while True:
        more = {s for overlap in inside for s in equations[overlap].free_symbols} & set(equations)
        grown = {s for hat in more for s in equations[hat].free_symbols} & set(equations) | inside
        if (more, grown) == (hats, inside):
            break
        hats, inside = more, grown
        if hats & inside:
            raise Underivable(f"protocol 'amp': the equation of {min(map(str, hats & inside))} is not explicit; no algorithm iterates it")
    return tuple(u.symbol for u in system.unknowns if u.symbol in hats)


def _start(theory: Theory, conjugates: tuple[sp.Symbol, ...], length: sp.Expr, start: sp.Expr) -> Start:
    """An estimate of the signal's length with the given overlap; increments and responses are one.  Conjugates follow at once."""
    values = {}
    for u in theory.system.unknowns:
        if u.symbol in conjugates:
            values[u.symbol] = theory.system.starts[0].values[u.symbol]
        elif u.name == "m":
            values[u.symbol] = start * length
        elif theory.order_parameters.get("q", u.symbol) == length - u.symbol:  # what is left to know; m = q for the posterior mean
            values[u.symbol] = length * (1 - start)
        else:
            values[u.symbol] = length if u.name in ("q", "q0") else sp.S.One
    return Start("start", values)


def _step(recursion: Recursion, begin: Start) -> Step:
    first = tuple(sp.Eq(sp.Symbol(f"{s}(0)"), v, evaluate=False) for s, v in begin.values.items() if s not in recursion.conjugates)
    kept = "" if recursion.damping == 0 else f"; overlaps keep {recursion.damping} of their old value"
    text = f"the map is iterated {recursion.steps} times from the start, conjugates from overlaps, then overlaps from conjugates{kept}"
    return Step("State evolution", text, first, STATE_EVOLUTION)
