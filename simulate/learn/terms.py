"""What a learner of a stage minimises, as functions of one field or one weight: losses group by group, penalties, and couplings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from replica.formula import FormulaError, exact, parse
from replica.spec.causality import during
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate
from simulate.learn.scalars import Scalar
from simulate.naming import last, vector

_Y, _Z, _W = sp.Symbol("y", real=True), sp.Symbol("z", real=True), sp.Symbol("w", real=True)
Trained = Mapping[str, Estimate]


@dataclass(frozen=True)
class Piece:
    """A function of consecutive samples or weights, with its data, all (k,)."""

    scalar: Scalar
    data: tuple[np.ndarray, ...]


def sees(instance: Instance, learner: Any, stage: Any) -> np.ndarray:
    """(n,) whether a learner is trained on a sample in a stage: where its own `on` and that of the stage meet."""
    lists = [names for names in (getattr(learner, "on", None), getattr(stage, "on", None)) if names]
    cells = np.array([all(part in names or group in names for names in lists) for part, group in instance.cells])
    return cells[instance.arrays["cell"]]


def losses_of(instance: Instance, learner: Any, stage: Any, rows: np.ndarray, trained: Trained) -> list[Piece]:
    """The loss of every stretch of samples with one weight, in the order of the samples.

    Raises:
        Unsupported: a target other than the label, or a loss that is not convex.
    """
    if learner.target not in (None, "label"):
        raise Unsupported(f"a learner with target '{learner.target}' cannot be trained yet")
    loss = during(learner, stage, "loss")
    symbols = {f"z_{name}": sp.Symbol(f"z_{name}", real=True) for name in instance.spec.learners}
    law = loss.bind({**{name: exact(value) for name, value in instance.at.items()}, **symbols})
    formula = sp.sympify(law.formula(_Y, _Z))
    more = tuple(sorted(formula.free_symbols - {_Y, _Z}, key=str))
    data = [instance.arrays["y"][rows]]
    if more:
        x = instance.arrays["x"][rows]
        data += [_earlier(trained, symbol.name[2:]).field(x) for symbol in more]
    weights = np.array([_weight(law, *names) for names in instance.cells])[instance.arrays["cell"][rows]]
    ends = [0, *(np.flatnonzero(np.diff(weights)) + 1), len(weights)]
    pieces = []
    for a, b in zip(ends[:-1], ends[1:], strict=True):
        scalar = Scalar(exact(float(weights[a])) * formula, _Y, _Z, more)
        pieces.append(Piece(convex("loss", scalar), tuple(column[a:b] for column in data)))
    return pieces


def _earlier(trained: Trained, learner: str) -> Estimate:
    name = last(tuple(trained), learner)
    assert name is not None, f"{learner} is trained later, which the check of a spec refuses"
    return trained[name]


def _weight(law: Any, part: str, group: str) -> float:
    return float(law.weights.get(group, law.weights.get(part, 1)))


def penalty_of(instance: Instance, name: str, stage: Any, where: np.ndarray | None, trained: Trained, size: int) -> Piece:
    """The penalty of every weight together with the couplings to what is trained already or fixed.

    Args:
        where: (d,) the coordinates that the learner has; None on features.
        size: number of its weights.

    Raises:
        Unsupported: a coupling to weights of another shape, or a penalty that is not convex.
    """
    spec, learner = instance.spec, instance.spec.learners[name]
    controls = {word: exact(value) for word, value in instance.at.items()}
    fixed = _fixed(instance, name, trained)
    symbols = {f"w_{other}": sp.Symbol(f"w_{other}", real=True) for other in fixed}
    formula = sp.S.Zero
    regularizer = during(learner, stage, "regularizer")
    if regularizer is not None:
        try:
            formula = sp.sympify(regularizer.bind({**controls, **symbols}).formula(_W))
        except FormulaError as error:
            raise Unsupported(f"the regularizer of '{name}' in stage '{stage.name}': {error}") from None
    for term in during(learner, stage, "couple") or ():
        if not together(spec, name, stage, str(term.to)):
            formula += coupling(term, {**controls, **symbols})
    more = tuple(sorted(formula.free_symbols - {_W}, key=str))
    data = []
    for symbol in more:
        values = fixed[symbol.name[2:]]
        values = values if where is None else values[where] if len(values) == len(where) else values
        if len(values) != size:
            raise Unsupported(f"learner '{name}' has {size} weights and cannot be coupled to the {len(values)} of '{symbol.name[2:]}'")
        data.append(values)
    scalar = Scalar(formula, sp.Symbol("unused", real=True), _W, more)
    return Piece(convex("regularizer", scalar), (np.zeros(size), *data))


def _fixed(instance: Instance, name: str, trained: Trained) -> dict[str, np.ndarray]:
    """Weights that are known while a learner trains, by the names that couplings and penalties give them."""
    spec = instance.spec
    found = dict(instance.truth)
    found |= {other: trained[key].mean for other in spec.learners if (key := last(tuple(trained), other)) is not None}
    stages = {stage.name: vector(spec, name, stage.name) for stage in spec.stages}
    return found | {stage: trained[key].mean for stage, key in stages.items() if key in trained}


def together(spec: Any, name: str, stage: Any, to: str) -> bool:
    """Whether a coupling joins a learner to one that trains at the same time."""
    return to in spec.learners and to != name and to in (getattr(stage, "learners", None) or spec.learners)


def coupling(term: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """The energy of a coupling per coordinate, in w and w_NAME.

    Raises:
        Unsupported: a coupling that is no energy.
    """
    other = names[f"w_{term.to}"]
    if term.strength is not None:
        return parse(str(term.strength), names) * (_W - other) ** 2 / 2
    if term.formula is not None:
        return parse(term.formula, {**names, "w": _W})
    word = "overlap" if term.overlap is not None else "log_weight"
    raise Unsupported(f"a coupling to '{term.to}' by '{word}' cannot be trained yet (strength and formula can)")


def link_of(instance: Instance, term: Any, size: int) -> Piece:
    """A coupling between learners that train together, as a function of w - w_NAME.

    Raises:
        Unsupported: a formula of anything else.
    """
    other = sp.Symbol(f"w_{term.to}", real=True)
    energy = coupling(term, {**{name: exact(value) for name, value in instance.at.items()}, f"w_{term.to}": other})
    formula = sp.simplify(energy.subs(_W, _W + other))
    if formula.has(other):
        raise Unsupported(f"the coupling {energy} is no function of w - w_{term.to}; learners of one stage can be trained with such ones")
    return Piece(convex("couple", Scalar(formula, sp.Symbol("unused", real=True), _W)), (np.zeros(size),))


def convex(what: str, scalar: Scalar) -> Scalar:
    """The function itself.

    Raises:
        Unsupported: it is not convex.
    """
    if not scalar.convex:
        reason = "no minimum can be certified (gradient_descent gives the lowest of several)"
        raise Unsupported(f"{what} {scalar.formula} is not convex: {reason}")
    return scalar


def check(learner: Any, name: str, protocol: str, wanted: str, networks: Sequence[str]) -> None:
    """Refuse what this trainer does not know.

    Raises:
        Unsupported: names it.
    """
    kind = "linear" if learner.network is None else learner.network.kind
    if kind not in networks:
        raise Unsupported(f"network '{kind}' cannot be trained yet")
    if protocol != wanted:
        raise Unsupported(f"learner '{name}': a network '{kind}' is trained by '{wanted}', not by '{protocol}'")
    for key in ("self_overlap", "prior", "believes"):
        if getattr(learner, key, None):
            raise Unsupported(f"a learner with '{key}' cannot be trained yet")
    if getattr(learner, "copies", None) not in (None, 1):
        raise Unsupported("copies of a learner cannot be trained yet")
