"""What a spec means, in its own names: the conventions a reader of the file cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sympy as sp

from replica.ingredients import Ingredient
from replica.spec.learners import Coupling, Learner
from replica.spec.responsible import responsible
from replica.spec.spec import Spec

_FUNCTION = re.compile(r"[A-Z][A-Za-z]*(?=\()")
_WIDTH = 14


def conventions(spec: Spec) -> list[str]:
    """Lines that state who is responsible for each learner, its field, energy, prior and couplings, and what alpha is.

    The same lines head the LaTeX output and are stored with results.
    """
    spec = spec.expand()
    lines = list(_families(spec))
    biased = any(getattr(learner.network, "bias", False) for learner in spec.learners.values())
    featured = any(getattr(learner.network, "kind", "") == "random_features" for learner in spec.learners.values())
    field = "z = w.phi/sqrt(p), p = ratio*d" if featured else "z = w.x/sqrt(d)"
    lines.append(_line("field", field + ("   (+ bias, not regularized)" if biased else "")))
    for name, part in spec.slices.items():
        size = f"samples = {part.samples}" if part.samples is not None else f"{part.alpha} = samples/d"
        law = part.law.kind if part.law is not None else "gaussian"
        lines.append(_line("data", f"slice {name}: {size}, d the input dimension; law {law}, unit-variance inputs"))
    for name, latent in spec.latents.items():
        lines.append(_line(name, f"prior {_law(latent.prior)} for every coordinate; field z = {name}.x/sqrt(d)"))
    lines += list(dict.fromkeys(_labels(spec)))
    for name, learner in spec.learners.items():
        lines += [_line(name, text) for text in _energy(spec, learner)]
    lines += list(_stages(spec))
    lines.append(_line("result", "overlaps per weight, m = w.w*/d, q = w.w'/d; free entropy per weight, natural logarithms"))
    return lines


def _line(who: str, text: str) -> str:
    return f"{who:<{_WIDTH}} {text}"


def _families(spec: Spec) -> Iterator[str]:
    several = len(spec.stages) > 1
    ansatz = spec.ansatz.kind if isinstance(spec.ansatz, Ingredient) else "rs"
    for found in responsible(spec):
        who = f"{found.learner}@{found.stage}" if several else found.learner
        tree = f": {ansatz}" if found.family.startswith("static") or found.family == "low rank" else ""
        yield _line(who, f"{found.system:<12} {found.family}{tree}" if found.family else f"simulated only ({found.reason})")


def _labels(spec: Spec) -> Iterator[str]:
    for name, part in spec.slices.items():
        for group, cell in (part.groups or {}).items():
            label = cell.label
            where = f"{group} of {name}" if len(spec.slices) > 1 or len(part.groups) > 1 else "every sample"
            if label is None:
                continue
            if label.random:
                yield _line("label", f"{where}: y = +1 or -1 with equal odds, independent of x")
            elif label.value is not None:
                yield _line("label", f"{where}: y = {label.value}")
            else:
                bias = f" + {label.bias}" if label.bias not in (None, 0) else ""
                yield _line("label", f"{where}: y ~ {_law(label.channel)} of {label.of}.x/sqrt(d){bias}")


def _law(ingredient: Any) -> str:
    """`kind (parameter = value, ...)`, or the formula that stands for it."""
    table = ingredient.table()
    if ingredient.form in table:
        return f"{ingredient.form} {table[ingredient.form]}"
    values = ((entry.key, getattr(ingredient, entry.name)) for entry in ingredient.parameters())
    given = ", ".join(f"{key} = {value}" for key, value in values if value is not None)
    return f"{ingredient.kind} ({given})" if given else str(ingredient.kind)


def _formula(spec: Spec, ingredient: Any, *variables: str) -> str:
    """The formula as it was written, or the kind's own in the same language."""
    table = ingredient.table()
    if ingredient.form in table:
        return str(table[ingredient.form])
    expression = ingredient.bind(spec.symbols()).formula(*(sp.Symbol(name, real=True) for name in variables))
    return _FUNCTION.sub(lambda word: word[0].lower(), str(expression))


def _energy(spec: Spec, learner: Learner) -> Iterator[str]:
    protocol = learner.protocol
    if protocol is not None:
        weight = ""
        if protocol.kind == "gibbs":
            cold = str(protocol.beta) == "inf"
            weight = ": uniform over the minima of the energy" if cold else f": weight exp(-{protocol.beta} * energy)"
        yield f"protocol: {_law(protocol)}{weight}"
    if learner.loss is not None:
        yield f"loss: sum over samples of {_formula(spec, learner.loss, 'y', 'z')}"
    if learner.regularizer is not None:
        yield f"regularizer: sum over weights of {_formula(spec, learner.regularizer, 'w')}"
    if isinstance(learner.prior, Ingredient):
        yield f"prior: {_law(learner.prior)} for every weight"
    if learner.self_overlap is not None:
        yield f"imposed: |w|^2/d = {learner.self_overlap}"
    for coupling in learner.couple or ():
        yield _coupling(coupling)


def _coupling(coupling: Coupling) -> str:
    other = f"w_{coupling.to}"
    if coupling.strength is not None:
        return f"coupling to {coupling.to}: energy + {coupling.strength}/2 * (w - {other})**2 per coordinate"
    if coupling.formula is not None:
        return f"coupling to {coupling.to}: energy + {coupling.formula} per coordinate"
    if coupling.log_weight is not None:
        return f"coupling to {coupling.to}: log-measure + {coupling.log_weight} per coordinate (not multiplied by beta)"
    return f"coupling to {coupling.to}: w.{other}/d = {coupling.overlap}, imposed"


def _stages(spec: Spec) -> Iterator[str]:
    if len(spec.stages) < 2:
        return
    for stage in spec.stages:
        couplings = "".join(f";  {_coupling(coupling)}" for coupling in stage.couple or ())
        learners, slices = " ".join(stage.learners or spec.learners), " ".join(stage.on or spec.slices)
        yield f"stage {stage.name}: trains {learners} on {slices}{couplings}"
