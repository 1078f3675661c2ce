"""From an expanded spec to a structured problem; what has no theory is refused here in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from replica.convexity import is_convex
from replica.families.model import Underivable, second_moment
from replica.families.reading import control_names, number, sample_ratio
from replica.families.staged.problem import FIELD, Cell, Pair, Problem, Site, Vector, output
from replica.families.staged.spectral_data import is_spectral, spectral
from replica.priors import Gaussian
from replica.regularizers import Zero
from replica.spec.causality import during

WHOLE = ""


def problem(spec: Any, learner: str | None = None) -> Problem:
    """The problem of all learners that have a theory; with `learner`, of that one and those that it builds on.

    Raises:
        Underivable: names the part of the spec.
    """
    names = control_names(spec)
    trained = _trained(spec, learner)
    blocks = tuple(spec.blocks) or (WHOLE,)
    shown = _shown(spec, trained)
    latents = tuple(name for name in spec.latents if _used(spec, name, shown))
    learners = [name for _, name in trained]
    spectrum = spectral(spec, learners, {part for part, _ in shown}, latents, names)
    bases = (FIELD,) if spectrum is not None else blocks if _uneven(spec) else (WHOLE,)
    cells = tuple(_cell(spec, part, group, bases, names) for part, group in shown)
    if spectrum is None:
        sites = tuple(_site(spec, block, bases, latents, names) for block in blocks)
        alive = {name: tuple(spec.learners[name].blocks or blocks) for name in learners}
        vectors = tuple(_vector(spec, at, name, trained, cells, alive[name], names) for at, name in trained)
        sizes = {k: number(spec.blocks[k].fraction, names) if k else sp.S.One for k in bases}
        return _checked(Problem(sites, bases, sizes, cells, latents, vectors))
    cells = tuple(spectrum.seen(c) for c in cells)
    vectors = tuple(_vector(spec, at, name, trained, cells, spectrum.alive[name], names) for at, name in trained)
    vectors = tuple(replace(v, bias=v.bias or v.learner in spectrum.biased) for v in vectors)
    found = Problem(spectrum.profiled(), spectrum.bases, spectrum.sizes, cells, latents, vectors)
    known = {name: getattr(spectrum, name) for name in ("degrees", "numbers", "counts", "measured", "remarks")}
    return _checked(replace(found, **known))


def _checked(problem: Problem) -> Problem:
    """Two coupled learners of one stage answer the same sample through a joint proximal point; more, or two such pairs, do not.

    Raises:
        Underivable: names the learners.
    """
    for v in problem.vectors:
        for cell in v.losses:
            together = problem.together(cell, v.name)
            where = "/".join(cell)
            if len(together) > 2:
                listed = " ".join(together)
                raise Underivable(f"learner.{v.learner}.couple: {listed} train together on the same samples ({where}); built for two")
            if len(together) == 2 and not all(problem.vector(name).convex for name in together):
                raise Underivable(
                    f"learner.{v.learner}.loss: {' and '.join(together)} train together on the same samples ({where}), "
                    "which is built for convex losses"
                )
            pairs = {problem.together(cell, name) for name in problem.fields(cell, v.name) if cell in problem.vector(name).losses}
            if sum(len(pair) > 1 for pair in pairs) > 1:
                raise Underivable(f"learner.{v.learner}: answers a pair of coupled learners with a partner of its own; not built")
    return problem


def _trained(spec: Any, wanted: str | None) -> list[tuple[int, str]]:
    """(stage, learner) in the order of training, without what is only simulated."""
    found = [(at, name) for at, stage in enumerate(spec.stages) for name in stage.learners if spec.learners[name].theory != "none"]
    if wanted is not None and wanted not in {name for _, name in found}:
        raise Underivable(f"learner '{wanted}' has no theory here (have one: {' '.join(dict.fromkeys(name for _, name in found))})")
    for stage, name in found:
        protocol = during(spec.learners[name], spec.stages[stage], "protocol")
        if protocol.kind != "erm":
            raise Underivable(f"learner.{name}.protocol: '{protocol.kind}' on structured data has no theory yet (built: erm)")
    return found


def _uneven(spec: Any) -> bool:
    """Whether the inputs of some cell vary differently on different blocks, so that overlaps are needed block by block."""
    tables = [g.variance for part in spec.slices.values() for g in part.groups.values() if isinstance(g.variance, Mapping)]
    return any(len(set(table.values())) > 1 or set(table) != set(spec.blocks) for table in tables)


def _shown(spec: Any, trained: list[tuple[int, str]]) -> list[Pair]:
    """The cells that a learner with a theory is trained on, or measured on by name."""
    learners = {name for _, name in trained}
    averages = [r for r in (spec.observables or {}).values() if getattr(r, "on", None) and getattr(r, "learner", None) in (None, *learners)]
    lists = [(spec.learners[name].on, spec.stages[at].on) for at, name in trained] + [((record.on,), None) for record in averages]
    every = [(part, group) for part in spec.slices for group in spec.slices[part].groups]
    return [cell for cell in every if any(all(not only or set(cell) & set(only) for only in both) for both in lists)]


def _used(spec: Any, latent: str, shown: list[Pair]) -> bool:
    groups = [spec.slices[part].groups[group] for part, group in shown]
    return any(latent in (g.mean or {}) or g.label.of == latent for g in groups)


# coordinates ----------------------------------------------------------------------------------------------------------


def _site(spec: Any, block: str, bases: tuple[str, ...], latents: tuple[str, ...], names: Mapping[str, sp.Expr]) -> Site:
    fraction = number(spec.blocks[block].fraction, names) if block else sp.S.One
    here = [t for t in latents if _lives(spec, t, block)]
    gram: dict[Pair, sp.Expr] = {}
    for i, s in enumerate(here):
        latent = spec.latents[s]
        if latent.network is not None and latent.network.kind != "linear":
            raise Underivable(f"latent.{s}.network: '{latent.network.kind}' has no theory yet (built: linear)")
        gram[s, s] = second_moment(latent.prior.bind(names))
        for t in here[i + 1 :]:
            value = (latent.overlap or {}).get(t, (spec.latents[t].overlap or {}).get(s))
            if value is not None:
                common = [b for b in (tuple(spec.blocks) or (WHOLE,)) if _lives(spec, s, b) and _lives(spec, t, b)]
                part = sp.Add(*(number(spec.blocks[b].fraction, names) if b else sp.S.One for b in common))
                gram[s, t] = number(value, names) / (sp.S.One if len(common) == len(spec.blocks or "_") else part)
    gaussian = all(isinstance(spec.latents[t].prior, Gaussian) for t in here)
    return Site(block, fraction, {k: sp.S.One if k in (block, WHOLE) else sp.S.Zero for k in bases}, gram, gaussian)


def _lives(spec: Any, latent: str, block: str) -> bool:
    blocks = spec.latents[latent].blocks
    return not blocks or not block or block in blocks


# samples --------------------------------------------------------------------------------------------------------------


def _cell(spec: Any, part: str, group: str, bases: tuple[str, ...], names: Mapping[str, sp.Expr]) -> Cell:
    data = spec.slices[part]
    cell = data.groups[group]
    if data.law is not None and data.law.kind not in ("gaussian", "iid") and not is_spectral(data.law):
        raise Underivable(
            f"data.law: '{data.law.kind}' has no static theory on structured data yet (built: gaussian iid hidden_manifold, and any "
            "law that declares a spectrum)"
        )
    if data.selection is not None:
        raise Underivable("slice.selection: selected samples are built for protocol 'gibbs' only")
    if cell.corruption is not None:
        raise Underivable("corruption: corrupted inputs have no theory yet")
    share = number(cell.share, names) if cell.share is not None else sp.S.One
    variance = {k: _variance(cell.variance, k, names) for k in bases}
    mean = {t: number(c, names) for t, c in (cell.mean or {}).items()}
    label = cell.label
    given: dict[str, Any] = {}
    if label.value is not None:
        given["value"] = None if label.random else number(label.value, names)
    elif label.of is None:
        raise Underivable(f"group.{group}.label: labels that depend on no latent have no theory yet, except values and random signs")
    else:
        given = {"of": label.of, "channel": label.channel.bind(names), "bias": number(label.bias or 0, names)}
    alpha = sample_ratio(data.alpha, names) * share
    return Cell(part, group, alpha, share, variance, dict.fromkeys(bases, sp.S.One), {t: c for t, c in mean.items() if c != 0}, **given)


def _variance(value: Any, block: str, names: Mapping[str, sp.Expr]) -> sp.Expr:
    if value is None:
        return sp.S.One
    if not isinstance(value, Mapping):
        return number(value, names)
    return number(value.get(block, 1) if block else next(iter(value.values())), names)


# learners -------------------------------------------------------------------------------------------------------------


def _vector(
    spec: Any, stage: int, name: str, trained: list[tuple[int, str]], cells: tuple[Cell, ...], blocks: tuple[str, ...], names: Any
) -> Vector:
    learner, now = spec.learners[name], spec.stages[stage]
    _refuse(learner, name)
    called = _called(spec, trained)
    seen = [c for c in cells if all(not only or c.slice in only or c.group in only for only in (learner.on, now.on))]
    if not seen:
        raise Underivable(f"learner.{name}: stage '{now.name}' shows it no samples")
    outputs = {
        f"z_{other}": output(called[max(s for s, n in trained if n == other and s < stage), other])
        for other in {n for s, n in trained if s < stage}
    }
    loss = during(learner, now, "loss")
    if loss is None:
        raise Underivable(f"learner '{name}' has no loss")
    bound = loss.bind({**names, **outputs})
    weights = {word: number(value, names) for word, value in (loss.weights or {}).items()}
    losses = {c.key: _loss(bound.formula, weights.get(c.group, sp.S.One)) for c in seen}
    penalty = during(learner, now, "regularizer")
    penalty = penalty.bind(names) if penalty is not None and not isinstance(penalty, Zero) else None
    springs: dict[str, sp.Expr] = {}
    for term in during(learner, now, "couple") or ():
        to = _partner(spec, term.to, stage, name, trained, called)
        if term.strength is None:
            raise Underivable(f"learner.{name}.couple: only 'strength' has a theory for minimizers (found another form)")
        springs[to] = springs.get(to, sp.S.Zero) + number(term.strength, names)
    return Vector(
        called[stage, name],
        name,
        stage,
        tuple(learner.blocks or blocks),
        bool(getattr(learner.network, "bias", False)),
        losses,
        penalty.formula if penalty is not None else lambda w: sp.S.Zero,
        springs,
        _convex(spec, losses, seen),
    )


def _convex(spec: Any, losses: Mapping[Pair, Callable[[sp.Expr, sp.Expr], sp.Expr]], seen: list[Cell]) -> bool:
    """At the default controls, at a few labels and a few outputs of earlier learners."""
    y, z = sp.Dummy("y", real=True), sp.Dummy("z", real=True)
    values = {name: float(table.value) for name, table in (spec.controls or {}).items() if table.value is not None}
    for cell in seen:
        loss = losses[cell.key](y, z)
        probes = (cell.value,) if cell.value is not None else (sp.S.One, -sp.S.One, sp.Rational(7, 10))
        others = loss.free_symbols - {y, z}
        at = {s: values.get(s.name, _OTHER) for s in others}
        if not all(is_convex(loss, z, at | {y: float(probe.xreplace(at))}) for probe in probes):
            return False
    return True


_OTHER = 0.7  # an output of an earlier learner, where a loss mentions one


def _called(spec: Any, trained: list[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """Weights have the name of their learner, and `learner@stage` where it is trained more than once."""
    often = {n for _, n in trained if sum(other == n for _, other in trained) > 1}
    return {(stage, name): f"{name}@{spec.stages[stage].name}" if name in often else name for stage, name in trained}


def _partner(spec: Any, to: str, stage: int, name: str, trained: list[tuple[int, str]], called: Mapping[tuple[int, str], str]) -> str:
    """The vector that a coupling means: of another learner now or as it was left last, or the learner's own of a stage."""
    stages = [s.name for s in spec.stages]
    if to in stages:
        return called[stages.index(to), name]
    found = [s for s, n in trained if n == to and s <= stage and (s, n) != (stage, name)]
    if not found:
        raise Underivable(f"learner.{name}.couple.to: '{to}' is no learner with a theory")
    return called[max(found), to]


def _loss(formula: Callable[[sp.Expr, sp.Expr], sp.Expr], weight: sp.Expr) -> Callable[[sp.Expr, sp.Expr], sp.Expr]:
    return lambda y, z: weight * formula(y, z)


def _refuse(learner: Any, name: str) -> None:
    if learner.network is not None and learner.network.kind not in ("linear", "random_features", "head_of"):
        raise Underivable(
            f"learner.{name}.network: '{learner.network.kind}' on structured data has no theory yet (built: linear random_features head_of)"
        )
    if learner.prior is not None:
        raise Underivable(f"learner.{name}.prior: minimizing over a class has no theory yet; use protocol 'gibbs'")
    if learner.target not in (None, "label"):
        raise Underivable(f"learner.{name}.target: '{learner.target}' has no static theory yet (built: label)")
    for key in ("believes", "self_overlap"):
        if getattr(learner, key, None):
            raise Underivable(f"learner.{name}.{key}: not built for minimizers")
    if learner.copies not in (None, 1) or learner.ensemble is not None:
        raise Underivable(f"learner.{name}.copies: real replicas are built for protocol 'gibbs' only")


def is_structured(spec: Any) -> bool:
    """Whether an expanded spec has more than one learner on one cell of plain Gaussian inputs with labels of one latent."""
    alone = len(spec.learners) == 1 and len(spec.stages) == 1
    return not alone or bool(next(iter(spec.learners.values())).couple) or has_structure(spec)


def has_structure(spec: Any) -> bool:
    """The same of the data and of what learners are, whoever they are."""
    if any(is_spectral(part.law) for part in spec.slices.values()):
        return True
    cells = [g for part in spec.slices.values() for g in part.groups.values()]
    plain_cell = len(cells) == 1 and not cells[0].mean and cells[0].variance in (None, 1, 1.0) and cells[0].corruption is None
    label = cells[0].label
    plain_label = label.random or (label.of is not None and label.bias in (None, 0, 0.0) and not spec.latents[label.of].overlap)
    learners = spec.learners.values()
    plain = all(one.network.kind == "linear" and not getattr(one.network, "bias", False) for one in learners)
    unweighted = not any(one.loss is not None and one.loss.weights for one in learners)
    return not (plain_cell and plain_label and plain and unweighted and not spec.blocks)


def compared(spec: Any, problem: Problem) -> frozenset[frozenset[str]]:
    """Pairs of vectors whose overlap an observable needs."""
    last = {v.learner: v.name for v in problem.vectors}
    found = set()
    for record in (spec.observables or {}).values():
        pair = next((getattr(record, key) for key in ("overlap", "cosine", "between") if getattr(record, key, None)), ())
        text = getattr(record, "average", None) or ""
        named = [last[x] for x in pair if x in last] or [name for learner, name in last.items() if f"z_{learner}" in text]
        if len(set(named)) == 2:
            found.add(frozenset(named))
    return frozenset(found)
