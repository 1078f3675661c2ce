"""Names and formulas of a spec: every word means one thing, and every mention means something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from replica.formula import RESERVED
from replica.spec.document import Tables
from replica.spec.entries import is_name
from replica.spec.errors import Path, SpecError, shown, unknown
from replica.spec.expand import ALL, STUDENT, TEACHER
from replica.spec.expressions import check_formula, mentioned
from replica.spec.learners import TARGETS, Learner
from replica.spec.observables import STANDARD
from replica.spec.records import Mention
from replica.spec.slots import parameters
from replica.spec.tables import RANDOM

VARIABLES = frozenset({"y", "z", "w", "xi", "loss", "free", RANDOM})
Spaces = Mapping[str, tuple[str, ...]]


def check_names(spec: Tables, mentions: Sequence[Mention]) -> None:
    """Refuse clashes, unknown names, and formulas that do not parse."""
    _check_like(spec)
    _check_ensemble(spec)
    spaces = namespaces(spec)
    if not spaces["learner"]:
        raise SpecError("has no learner; write [student] or [learner.NAME]")
    _check_clashes(spec, spaces)
    for mention in mentions:
        try:
            _check_mention(mention, spaces, spec)
        except SpecError as error:
            raise error.under(*mention.path) from None


def written_learners(spec: Tables) -> dict[str, tuple[Path, Learner]]:
    """Every learner as it is written, with its place."""
    found: dict[str, tuple[Path, Learner]] = {}
    if spec.student is not None:
        found[STUDENT] = (("student",), spec.student)
    return {**found, **{name: (("learner", name), learner) for name, learner in spec.learners.items()}}


def places_of(spec: Tables, full: Tables) -> dict[str, Path]:
    """Where every learner of the expanded tables was written; those of an ensemble where the one learner was."""
    written = {name: path for name, (path, _) in written_learners(spec).items()}
    return {name: written.get(name) or next(iter(written.values())) for name in full.learners}


def namespaces(spec: Tables) -> dict[str, tuple[str, ...]]:
    """The names of each kind after expansion."""
    learners = tuple(written_learners(spec))
    stages = tuple(stage.name for stage in spec.stages) or ("train",)
    ensemble = next((learner.ensemble for _, learner in written_learners(spec).values() if learner.ensemble is not None), None)
    if ensemble is not None:
        learners = tuple(part.name for part in ensemble.parts())
        stages = tuple(dict.fromkeys(part.stage for part in ensemble.parts() if part.stage)) or stages
    latents = ((TEACHER,) if spec.teacher is not None else ()) + tuple(spec.latents)
    slices = tuple(spec.slices) or (ALL,)
    inside = [name for part in spec.slices.values() for name in part.groups or {}]
    groups = tuple(dict.fromkeys([*(spec.groups), *inside])) or (ALL,)
    laws = [part.law for part in [spec.data, *spec.slices.values()] if part is not None and part.law is not None]
    return {
        "learner": learners, "latent": latents, "stage": stages, "block": tuple(spec.blocks), "control": tuple(spec.controls),
        "slice": slices, "group": groups, "slice|group": tuple(dict.fromkeys(slices + groups)), "partner": learners + stages + latents,
        "vector": learners + latents, "target": TARGETS + latents, "observable": tuple(spec.observables),
        "law_parameter": tuple(word for law in laws for word in parameters(type(law))),
    }


def _check_like(spec: Tables) -> None:
    written = written_learners(spec)
    for name, (path, learner) in written.items():
        line = [name]
        while learner.like is not None:
            if learner.like not in written:
                raise SpecError(unknown("learner", learner.like, written), (*path, "like"))
            line.append(learner.like)
            if learner.like in line[:-1]:
                raise SpecError(f"a learner cannot be like itself ({' -> '.join(line)})", (*path, "like"))
            learner = written[learner.like][1]


def _check_ensemble(spec: Tables) -> None:
    written = written_learners(spec)
    for path, learner in written.values():
        if learner.ensemble is None:
            continue
        if len(written) > 1:
            raise SpecError("stands only in the only learner of a spec; write the copies and their 'couple' out", (*path, "ensemble"))
        if spec.stages:
            raise SpecError("writes its own stages; take [[stage]] out, or write the copies and their 'couple' out", (*path, "ensemble"))
        for word in ("couple", "copies"):
            if getattr(learner, word) is not None:
                raise SpecError(f"writes its own '{word}'; take one of the two out", (*path, "ensemble"))


def _check_clashes(spec: Tables, spaces: Spaces) -> None:
    places: dict[str, Path] = {}
    for what, path in _declared(spec):
        name = str(path[-1]) if not isinstance(path[-1], int) else what
        if name in RESERVED | VARIABLES or name.startswith(("z_", "w_")) and name[2:] in spaces["learner"]:
            raise SpecError(f"'{name}' is a word of the formula language; choose another name", path)
        if name in places:
            what = _title(places[name])
            raise SpecError(f"'{name}' is a {what} already; learners, latents, stages and controls share one set of names", path)
        places[name] = path
    for name in spec.groups:
        if name in spec.slices:
            raise SpecError(f"'{name}' is a slice already; slices and groups share one set of names", ("group", name))
    for name in spec.observables:
        if name in spec.controls:
            raise SpecError(f"'{name}' is a control already; combinations of observables mention both", ("observables", name))


def _declared(spec: Tables) -> Iterator[tuple[str, Path]]:
    """Names that share one set: controls, latents, learners, stages."""
    for name in spec.controls:
        yield name, ("controls", name)
    if spec.teacher is not None:
        yield TEACHER, (TEACHER,)
    for name in spec.latents:
        yield name, ("latent", name)
    for name, (path, _) in written_learners(spec).items():
        yield name, path
    for number, stage in enumerate(spec.stages):
        yield stage.name, ("stage", number)


def _title(path: Path) -> str:
    return {"controls": "control", "student": "learner", TEACHER: "latent"}.get(str(path[0]), str(path[0]))


def _check_mention(mention: Mention, spaces: Spaces, spec: Tables) -> None:
    text, kind, controls = mention.text, mention.kind, spaces["control"]
    if kind == "value":
        bare = isinstance(text, str) and (text in controls or text == RANDOM and mention.path[-2:] == ("label", "value"))
        if isinstance(text, str) and not bare:
            check_formula(text, controls)
    elif kind in ("formula", "condition"):
        check_formula(text, [*controls, *_variables(mention, spaces)], condition=kind == "condition")
        if mention.path[0] == "observables":
            _check_bare(mention, spaces, spec)
    elif kind == "derived":
        check_formula(text, controls)
    elif kind == "combination":
        own = str(mention.path[1])
        check_formula(text, [*controls, *(name for name in spaces["observable"] if name != own), *STANDARD])
    elif not is_name(text):
        raise SpecError(f"must be the name of a {kind.replace('|', ' or ')}, found {shown(text)}")
    elif text not in spaces[kind]:
        raise SpecError(unknown(kind.replace("|", " or ").replace("_", " of the "), str(text), spaces[kind]))


def _variables(mention: Mention, spaces: Spaces) -> list[str]:
    """The words of a place, with the fields and weights of learners spelled out."""
    words: list[str] = []
    for variable in mention.variables:
        if variable.endswith("_"):
            words += [variable + name for name in spaces["learner"] + (spaces["stage"] + spaces["latent"] if variable == "w_" else ())]
        else:
            words.append(variable)
    return words


def _check_bare(mention: Mention, spaces: Spaces, spec: Tables) -> None:
    observable = spec.observables[str(mention.path[1])]
    if len(spaces["learner"]) > 1 and getattr(observable, "learner", None) is None:
        for word in ("z", "loss"):
            if word in mentioned(mention.text):
                raise SpecError(f"'{word}' of which learner? write learner = NAME, or z_NAME ({' '.join(spaces['learner'])})")
