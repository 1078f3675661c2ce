"""What a spec means, in its own names: the conventions a reader of the file cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sympy as sp

from replica.ingredients import Ingredient
from replica.spec.learners import Coupling, Learner
from replica.spec.responsible import responsible
from replica.spec.roles import NO_SAMPLES, OWN_ENERGY, bayes_optimal, kind, own_energy
from replica.spec.spec import Spec
from replica.spec.tables import Slice

_FUNCTION = re.compile(r"[A-Z][A-Za-z]*(?=\()")
_WIDTH = 14
_WITH_TREES = ("static", "low rank")


def conventions(spec: Spec) -> list[str]:
    """Lines that state who is responsible for each learner, its field, energy, prior and couplings, and what alpha is.

    The same lines head the LaTeX output and are stored with results.
    """
    spec = spec.expand()
    lines = list(_families(spec))
    sampled = any(kind(part.law) not in NO_SAMPLES | OWN_ENERGY for part in spec.slices.values())
    if sampled:
        biased = any(getattr(learner.network, "bias", False) for learner in spec.learners.values())
        field = "z = w.phi/sqrt(p), p = ratio*d" if _featured(spec) else "z = w.x/sqrt(d)"
        if all(kind(learner.network) == "deep_linear" for learner in spec.learners.values()):
            field = "z = W_L ... W_1 x"
        lines.append(_line("field", field + ("   (+ bias, not regularized)" if biased else "")))
    lines += [_line("data", f"slice {name}: {_data(part)}") for name, part in spec.slices.items()]
    for name, latent in spec.latents.items():
        field = f"; field z = {name}.x/sqrt(d)" if sampled else ""
        lines.append(_line(name, f"prior {_law(latent.prior)} for every coordinate{field}"))
    lines += list(dict.fromkeys(_labels(spec)))
    for name, learner in spec.learners.items():
        lines += [_line(name, text) for text in _energy(spec, learner)]
    lines += list(_stages(spec))
    lines += [_line("result", text) for text in _results(spec)]
    return lines


def _featured(spec: Spec) -> bool:
    return any(kind(learner.network) == "random_features" for learner in spec.learners.values())


def _data(part: Slice) -> str:
    """How large a slice is, and its law."""
    if kind(part.law) in NO_SAMPLES:
        return f"one draw of {_law(part.law)}; d coordinates, no samples"
    if kind(part.law) in OWN_ENERGY:
        size = f"constraints = {part.samples}" if part.samples is not None else f"{part.alpha} = constraints/d"
        return f"{size}, d the number of weights; law {_law(part.law)}"
    size = f"{part.alpha} = samples/d" if part.alpha is not None else "fresh samples, each seen once"
    size = size if part.samples is None else f"samples = {part.samples}"
    return f"{size}, d the input dimension; law {kind(part.law) or 'gaussian'}, unit-variance inputs"


def _results(spec: Spec) -> Iterator[str]:
    """What the theories of this spec call their overlaps."""
    families = {found.family for found in responsible(spec)}
    if "online" in families:
        yield "overlaps per weight in time: R = w_k.B_t/d of a unit with a direction of the data, Q = w_k.w_l/d, T = B_t.B_u/d"
    if "slow manifold" in families:
        yield "products in the number n of steps: Q = W_k.W_l and R = W_k.B/sqrt(d) of first weights over a block, T = |B|^2/d"
    if any(family.startswith(_WITH_TREES) for family in families):
        listed = ", ".join([*_overlaps(spec), *(["[a,b] says of whom"] if len(spec.learners) > 1 or len(spec.stages) > 1 else [])])
        yield f"overlaps per weight, {listed}; free entropy per weight, natural logarithms"


def _overlaps(spec: Spec) -> Iterator[str]:
    learners = [learner for learner in spec.learners.values() if learner.theory is None]
    truth = f"w.{next(iter(spec.latents))}/d" if len(spec.latents) == 1 else "w.latent/d"
    if learners and all(bayes_optimal(learner, learner.protocol) for learner in learners):
        yield f"q = w.w'/d = {truth}"
        return
    if spec.latents:
        yield f"m = {truth}" if len(spec.latents) == 1 else f"m[w,latent] = {truth}"
    if kind(spec.ansatz) == "rsb":
        yield f"q0{' ...' if spec.ansatz.k > 1 else ''} q{spec.ansatz.k} = w.w'/d, outermost first"
    else:
        yield "q = w.w'/d"
    yield "Q = |w|^2/d (minimizers: q, and chi its response)" if any(kind(one.protocol) == "erm" for one in learners) else "Q = |w|^2/d"
    if _featured(spec) or any(kind(part.law) == "hidden_manifold" for part in spec.slices.values()):
        yield "field_overlap, field_variance: of z with the latent's field and with itself"


def _line(who: str, text: str) -> str:
    return f"{who:<{_WIDTH}} {text}"


def _families(spec: Spec) -> Iterator[str]:
    several = len(spec.stages) > 1
    ansatz = spec.ansatz.kind if isinstance(spec.ansatz, Ingredient) else "rs"
    for found in responsible(spec):
        who = f"{found.learner}@{found.stage}" if several else found.learner
        learner = spec.learners[found.learner]
        collapsed = ansatz == "rsb" and bayes_optimal(learner, learner.protocol)
        tree = f": {'rs' if collapsed else ansatz}" if found.family.startswith(_WITH_TREES) else ""
        yield _line(who, f"{found.system:<12} {found.family}{tree}" if found.family else f"simulated only ({found.reason})")


def _labels(spec: Spec) -> Iterator[str]:
    for name, part in spec.slices.items():
        for group, cell in (part.groups or {}).items():
            label = cell.label
            where = f"{group} of {name}" if len(spec.slices) > 1 or len(part.groups) > 1 else "every sample"
            if label is None or kind(part.law) in OWN_ENERGY:
                continue
            if label.random:
                yield _line("label", f"{where}: y = +1 or -1 with equal odds, independent of x")
            elif label.value is not None:
                yield _line("label", f"{where}: y = {label.value}")
            else:
                bias = f" + {label.bias}" if label.bias not in (None, 0) else ""
                field = f" of {label.of}.x/sqrt(d){bias}" if label.of is not None else ""
                yield _line("label", f"{where}: y ~ {_law(label.channel)}{field}")


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
    own = own_energy(learner, spec.slices)
    if learner.loss is not None and not own:
        over = "mean over a batch" if kind(protocol) == "sgd" else "sum over samples"
        yield f"loss: {over} of {_formula(spec, learner.loss, 'y', 'z')}"
    if own and protocol is not None and protocol.energy:
        counted = any(kind(part.law) not in NO_SAMPLES for part in spec.slices.values())
        yield f"energy: {'the number of constraints that are violated' if counted else 'that of the couplings'}"
    if learner.regularizer is not None and not (own and kind(learner.regularizer) == "zero"):
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
