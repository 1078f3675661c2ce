"""Numbers of a spec at a point of its controls: domains, shares that add up, overlaps that are possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from replica.ansatz import RSB
from replica.ingredients import FREE
from replica.spec.document import Tables
from replica.spec.errors import Path, SpecError
from replica.spec.expressions import domain, evaluate
from replica.spec.records import Mention
from replica.spec.slots import parameters
from replica.spec.tables import RANDOM, Latent

_TOLERANCE = 1e-9
Point = Mapping[str, float]


def check_values(mentions: Iterable[Mention], at: Point) -> None:
    """Refuse values outside the domains of their places."""
    for mention in mentions:
        if mention.kind != "value" or mention.text == RANDOM or mention.path[0] in ("controls", "run"):
            continue
        try:
            value = evaluate(mention.text, at) if isinstance(mention.text, str) else mention.text
        except SpecError as error:
            raise error.under(*mention.path) from None
        if mention.domain and value not in domain(mention.domain):
            shown = f"{mention.text} = {value:g}" if isinstance(mention.text, str) else f"{mention.text}"
            raise SpecError(f"{shown} lies outside the domain {mention.domain}", mention.path)


def check_ladder(full: Tables, at: Point) -> None:
    """Refuse Parisi parameters that do not ascend."""
    if not isinstance(full.ansatz, RSB) or full.ansatz.free:
        return
    held = [(number, evaluate(value, at)) for number, value in enumerate(full.ansatz.ladder) if value != FREE]
    for (_, low), (number, high) in pairwise(held):
        if low >= high:
            text = f"Parisi parameters ascend from the outermost to the innermost step, found {low:g} before {high:g}"
            raise SpecError(text, ("ansatz", "x", number))


def check_shares(written: Tables, full: Tables, at: Point) -> None:
    """Refuse groups and blocks whose parts do not add up to 1."""
    _add_up(((name, block.fraction) for name, block in full.blocks.items()), "fraction", at, ("block",))
    for name, part in full.slices.items():
        groups = part.groups or {}
        for group, cell in groups.items():
            if cell.share is None:
                place: Path = ("group", group) if group in written.groups else ("slice", name, "groups", group)
                raise SpecError("needs 'share' (the shares of the groups add up to 1)", place)
        own = name in written.slices and written.slices[name].groups is not None
        _add_up(((group, cell.share) for group, cell in groups.items()), "share", at, ("slice", name, "groups") if own else ("group",))


def _add_up(parts: Iterable[tuple[str, Any]], word: str, at: Point, path: Path) -> None:
    values = {name: evaluate(value, at) for name, value in parts}
    total = sum(values.values())
    if empty := [name for name, value in values.items() if value == 0]:
        raise SpecError(f"'{empty[0]}' is empty: its {word} is 0 at the controls; take it out", path)
    if values and not abs(total - 1) < _TOLERANCE:
        listed = " + ".join(f"{value:g}" for value in values.values())
        raise SpecError(f"the {word}s of {' '.join(values)} must add up to 1 at the controls, found {listed} = {total:g}", path)


def check_overlaps(full: Tables, at: Point, where: str = "the default controls") -> None:
    """Refuse pairs given twice, and overlaps that no vectors can have."""
    latents = dict(full.latents)
    pairs: dict[frozenset[str], float] = {}
    for name, latent in latents.items():
        for other, value in (latent.overlap or {}).items():
            if other == name:
                raise SpecError("the overlap of a latent with itself is set by its prior", ("latent", name, "overlap", other))
            if frozenset((name, other)) in pairs:
                raise SpecError(f"the overlap with '{other}' stands there too; give each pair once", ("latent", name, "overlap", other))
            pairs[frozenset((name, other))] = evaluate(value, at)
            common = set(latent.blocks or ()) & set(latents[other].blocks or ())
            if full.blocks and not common and pairs[frozenset((name, other))] != 0:
                raise SpecError(f"'{name}' and '{other}' share no block and cannot overlap", ("latent", name, "overlap", other))
    for names in _joined(latents, pairs):
        for block in full.blocks or ("",):
            here = [name for name in names if not block or block in (latents[name].blocks or ())]
            known, gram = _gram(here, latents, full, at, pairs)
            if len(known) > 1 and not np.linalg.eigvalsh(gram)[0] >= -_TOLERANCE * max(1.0, float(np.abs(gram).max())):
                inside = f" in block '{block}'" if block else ""
                sentence = f"the overlaps of {' '.join(known)} are impossible at {where}{inside} (their Gram matrix is not positive)"
                raise SpecError(sentence, ("latent",))


def _gram(
    names: list[str], latents: Mapping[str, Latent], full: Tables, at: Point, pairs: Mapping[frozenset[str], float]
) -> tuple[list[str], np.ndarray]:
    """The latents whose norm is known, and the mean products of their coordinates where all of them live."""
    moments = {name: moment for name in names if (moment := _second_moment(latents[name], at)) is not None}
    gram = np.diag(list(moments.values()))
    for i, a in enumerate(moments):
        for j, b in enumerate(moments):
            if i != j and (value := pairs.get(frozenset((a, b)), 0.0)):
                common = set(latents[a].blocks or ()) & set(latents[b].blocks or ())
                gram[i, j] = value / (sum(evaluate(full.blocks[block].fraction or 0.0, at) for block in common) if common else 1.0)
    return list(moments), gram


def _joined(latents: Mapping[str, Latent], pairs: Mapping[frozenset[str], float]) -> list[list[str]]:
    """Sets of latents that are connected by overlaps, in the order of the file."""
    label = {name: name for name in latents}
    for pair in pairs:
        a, b = sorted(label[name] for name in pair)
        label = {name: a if old == b else old for name, old in label.items()}
    found = [[name for name in latents if label[name] == root] for root in dict.fromkeys(label.values())]
    return [names for names in found if len(names) > 1]


def _second_moment(latent: Latent, at: Point) -> float | None:
    """Mean square of a coordinate of a latent where it lives, None where its prior does not say it in its parameters."""
    prior: Any = latent.prior
    values = {word: getattr(prior, p.name) for word, p in parameters(type(prior)).items() if p.type == "value"}
    numbers = {word: evaluate(value, at) for word, value in values.items() if value is not None}
    variance = numbers.get("variance", 1.0)
    moments = {
        "gaussian": variance + numbers.get("mean", 0.0) ** 2,
        "spherical": numbers.get("norm", 1.0),
        "binary": 1.0,
        "gauss_bernoulli": numbers.get("rho", 1.0) * variance,
    }
    return moments.get(prior.kind)


def check_laws(full: Tables, at: Point) -> None:
    """Refuse a law of the inputs whose numbers, once known, do not fit together."""
    for name, part in full.slices.items():
        try:
            part.law.bind(dict(at))
        except ValueError as error:
            raise SpecError(str(error), ("slice", name, "law")) from None
