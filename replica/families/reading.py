"""From an expanded spec to the local laws of a static theory; what this family cannot do is refused here in one line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from replica.disorder import Disorder
from replica.families.model import LocalLaws, Underivable, refuse_undeclared
from replica.formula import exact, parse
from replica.losses import Zero as NoLoss
from replica.protocols import ERM, Bayes, Gibbs
from replica.regularizers import Zero as NoPenalty
from replica.symbols import Control, Domain, control_symbol


@dataclass(frozen=True)
class StaticModel:
    """One learner on one cell of Gaussian inputs.

    Args:
        laws: of teacher and student.
        protocol: "bayes", "gibbs" or "erm".
        alpha: samples per dimension.
        controls: in the order of the spec.
    """

    name: str
    laws: LocalLaws
    protocol: str
    alpha: sp.Expr
    controls: tuple[Control, ...]
    names: Mapping[str, sp.Expr]  # controls as the derivation sees them
    observables: Mapping[str, Any]  # declared ones
    disorder: Disorder | None = None  # couplings between the weights, in the place of samples

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The controls' symbols, with what their domains imply."""
        return tuple(value for value in self.names.values() if isinstance(value, sp.Symbol))


def read(spec: Any, learner: str | None = None) -> StaticModel:
    """The model of one learner of an expanded spec.

    Raises:
        Underivable: names the part of the spec that has no theory yet.
    """
    names = control_names(spec)
    chosen = _one("learner", spec.learners, learner)
    student = spec.learners[chosen]
    refuse_undeclared(chosen, student)
    if student.protocol.kind not in ("bayes", "gibbs", "erm"):
        raise Underivable(f"protocol '{student.protocol.kind}' has no theory yet (built: bayes gibbs erm)")
    data = spec.slices[_one("slice", spec.slices)]
    cell = data.groups[_one("group", data.groups)]
    law = cell.law if getattr(cell, "law", None) is not None else data.law
    disorder = law.bind(names) if isinstance(law, Disorder) else None
    _refuse(spec, student, disorder)
    if law is not None and disorder is None and law.kind not in ("gaussian", "iid"):
        raise Underivable(f"data.law: '{law.kind}' has no static theory yet (built: gaussian iid hopfield pspin spiked)")
    if cell.mean:
        raise Underivable("group.mean: mixtures have no theory yet")
    if cell.variance not in (None, 1, 1.0):
        raise Underivable("group.variance: inputs of another variance have no theory yet")
    if cell.corruption is not None:
        raise Underivable("corruption: corrupted inputs have no theory yet")
    prior, channel = _teacher(spec, cell, names) if disorder is None else (_latent(spec, disorder, names), None)
    protocol = student.protocol
    bound = protocol.bind(names)
    alpha = sample_ratio(data.alpha, names) if disorder is None else sp.S.One
    controls = given_controls(spec)
    shared: dict[str, Any] = {"name": chosen, "alpha": alpha, "controls": controls, "names": names, "observables": spec.observables or {}}
    shared["disorder"] = disorder
    if isinstance(protocol, Bayes):
        if prior is None:
            raise Underivable("protocol 'bayes' needs a teacher; a storage problem has no truth to infer")
        laws = LocalLaws(prior, channel, None, None, None, None, bayes=True)
        return StaticModel(laws=laws, protocol="bayes", **shared)
    loss = student.loss.bind(names) if student.loss is not None else None
    if disorder is not None:
        patterns = disorder.patterns()
        loss = patterns.loss if patterns is not None else NoLoss().bind(names)
    if loss is None:
        raise Underivable(f"learner '{chosen}' has no loss")
    if loss.weights:
        raise Underivable("loss.weights: per-group weights have no theory yet")
    penalty = student.regularizer.bind(names) if student.regularizer is not None else None
    if isinstance(penalty, NoPenalty):
        penalty = None
    student_prior = student.prior.bind(names) if student.prior is not None else None
    if isinstance(protocol, ERM):
        if disorder is not None:
            raise Underivable(f"protocol 'erm' on the law '{disorder.kind}': ground states have no theory yet; use protocol 'gibbs'")
        if student_prior is not None:
            raise Underivable(
                f"learner.{chosen}.prior: minimising over the class '{student_prior.kind}' has no theory yet; use protocol 'gibbs'"
            )
        return StaticModel(laws=LocalLaws(prior, channel, None, loss, penalty, sp.oo), protocol="erm", **shared)
    if isinstance(protocol, Gibbs):
        laws = LocalLaws(prior, channel, student_prior, loss, penalty, bound.expr(bound.beta))
        return StaticModel(laws=laws, protocol="gibbs", **shared)
    raise AssertionError(protocol.kind)


def refuse_structure(spec: Any, learner: str) -> None:
    """A learner whose theory stands alone: one learner, one stage.

    Raises:
        Underivable: names what joins this learner to others or to copies of itself.
    """
    student = spec.learners[learner]
    if any(data.selection is not None for data in spec.slices.values()):
        raise Underivable(f"slice.selection: not built for protocol '{student.protocol.kind}' (built: gibbs, without ansatz 'annealed')")
    joined = [name for name, other in spec.learners.items() if any(c.to == learner for c in other.couple or ())]
    if joined:
        raise Underivable(f"learner '{learner}' is coupled to {' '.join(joined)}: coupled learners are built for protocol 'gibbs' only")
    if any(learner in stage.learners for stage in spec.stages[1:]):
        raise Underivable("stage: a second stage is built for protocol 'gibbs' only")
    for key in ("couple", "self_overlap"):
        if getattr(student, key, None):
            raise Underivable(f"learner.{key}: built for protocol 'gibbs' only")
    if getattr(student, "copies", None) not in (None, 1):
        raise Underivable("learner.copies: real replicas are built for protocol 'gibbs' only")


def _refuse(spec: Any, student: Any, disorder: Disorder | None) -> None:
    if spec.blocks:
        raise Underivable("block: blocks of coordinates have no theory yet")
    network = student.network
    if network is not None and (network.kind != "linear" or getattr(network, "bias", False)):
        trained = " with a bias" if network.kind == "linear" else ""
        raise Underivable(f"network '{network.kind}'{trained} has no static theory yet (built: linear without bias)")
    planted = disorder.planted() if disorder is not None else ()
    if student.target not in (None, "label", *planted):
        raise Underivable(f"learner.target: '{student.target}' has no static theory yet (built: label)")
    if student.believes:
        raise Underivable("learner.believes: not built yet")


def _teacher(spec: Any, cell: Any, names: dict[str, sp.Expr]):
    label = cell.label
    if label.value == "random":
        return None, None
    if label.value is not None:
        raise Underivable("label: a constant label has no theory yet")
    if label.of is None:
        raise Underivable("label: labels that depend on no latent have no theory yet, except random signs")
    if label.bias not in (None, 0, 0.0):
        raise Underivable("label.bias: a biased teacher has no theory yet")
    latent = spec.latents[label.of]
    if latent.overlap or (latent.network is not None and latent.network.kind != "linear"):
        raise Underivable(f"latent.{label.of}: only a single linear teacher is built yet")
    return latent.prior.bind(names), label.channel.bind(names)


def _latent(spec: Any, law: Disorder, names: dict[str, sp.Expr]):
    """The prior of what the couplings were made with; None where nothing was planted."""
    planted = law.planted()
    if not planted:
        return None
    if len(planted) > 1:
        raise Underivable(f"data.law.of: {len(planted)} latents ({' '.join(planted)}) have no theory yet (built: one)")
    return spec.latents[planted[0]].prior.bind(names)


def _one(what: str, table: Any, name: str | None = None) -> str:
    found = list(table)
    if name is not None:
        if name not in found:
            raise Underivable(f"{what} '{name}' is not in this spec (has: {' '.join(found)})")
        return name
    if len(found) != 1:
        raise Underivable(f"{what}: {len(found)} of them ({' '.join(found)}); static theories of several are not built yet")
    return found[0]


def given_controls(spec: Any) -> tuple[Control, ...]:
    """Controls that are numbers; derived ones and those taken to infinity are not among them."""
    return tuple(
        Control(control_symbol(name), float(table.value), table.range, table.meaning or "")
        for name, table in (spec.controls or {}).items()
        if table.formula is None and table.value != math.inf
    )


def number(value: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """A number or a formula of controls as the derivation sees it."""
    return parse(value, names) if isinstance(value, str) else exact(value)


def sample_ratio(value: Any, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """Samples per dimension.

    Raises:
        Underivable: a count, or infinitely many.
    """
    if value is None:
        raise Underivable("data.alpha: a number of samples instead of a ratio has no theory")
    found = number(value, names)
    if found == sp.oo:
        raise Underivable("data.alpha: inf (the learner sees the law) has no static theory yet")
    return found


def assumed(name: str, domain: Domain) -> sp.Symbol:
    """A control's symbol with what its domain implies; only the derivation sees it, results carry `control_symbol`."""
    if domain.lower > 0 or (domain.lower == 0 and not domain.closed_lower):
        return sp.Symbol(name, positive=True)
    return sp.Symbol(name, nonnegative=True) if domain.lower == 0 else control_symbol(name)


def control_names(spec: Any) -> dict[str, sp.Expr]:
    """Every control's symbol; a derived one is the expression of the others that it stands for."""
    names: dict[str, sp.Expr] = {
        name: sp.oo if table.value == math.inf else assumed(name, table.range) for name, table in (spec.controls or {}).items()
    }
    derived = {name: table.formula for name, table in (spec.controls or {}).items() if table.formula is not None}
    expressions = {names[name]: parse(text, names) for name, text in derived.items()}
    for name in derived:
        value = expressions[names[name]]
        while value.free_symbols & set(expressions):  # the spec's checks have refused circles
            value = value.xreplace(expressions)
        names[name] = value
    return names
