"""Order of time: a loss may use what was learned in an earlier stage, and only `couple` joins learners inside one stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from replica.spec.document import Tables
from replica.spec.errors import Path, SpecError
from replica.spec.expressions import mentioned
from replica.spec.ingredient_entries import Slot
from replica.spec.learners import Coupling, Learner, Stage
from replica.spec.roles import slices_of

Places = Mapping[str, Path]


def check_causality(full: Tables, places: Places) -> None:
    """Refuse what would need the future, on expanded tables.

    Args:
        full: the expanded tables.
        places: learner -> where it was written.
    """
    learners = dict(full.learners)
    for number, stage in enumerate(full.stages):
        for name in stage.learners or ():
            _check_learner(full, number, stage, name, learners[name], places[name])
            _check_sight(full, stage, name, learners[name], places[name])
    trained = {name for stage in full.stages for name in stage.learners or ()}
    for name in learners:
        if name not in trained:
            raise SpecError("is trained in no [[stage]]", places[name])


def during(learner: Learner, stage: Stage, word: str) -> Any:
    """An ingredient of a learner while a stage lasts."""
    own = getattr(stage, word)
    return own if own is not None else getattr(learner, word)


def _check_learner(full: Tables, number: int, stage: Stage, name: str, learner: Learner, place: Path) -> None:
    earlier = {other for before in full.stages[:number] for other in before.learners or ()}
    now = set(stage.learners or ())
    for other, what in _uses(learner, stage, set(full.learners)):
        if other in earlier:
            continue
        if other == name and other in now:
            raise SpecError(f"{what} of itself, which is not trained in an earlier [[stage]]", place)
        if other in now:
            raise SpecError(f"{what} of '{other}', which is trained at the same time; put '{other}' in an earlier [[stage]] "
                            "(only 'couple' joins learners of one stage)", place)
        raise SpecError(f"{what} of '{other}', which is trained later; put '{other}' in an earlier [[stage]]", place)
    stages = [before.name for before in full.stages]
    here = ("stage", number) if stage.couple is not None else place
    for term in during(learner, stage, "couple") or ():
        _check_coupling(term, name, stage, stages, number, earlier | now, here, full)


def _check_coupling(
    term: Coupling, name: str, stage: Stage, stages: list[str], number: int, known: set[str], place: Path, full: Tables
) -> None:
    to = str(term.to)
    if to in stages:
        if stages.index(to) >= number:
            raise SpecError(f"couples to stage '{to}', which is not earlier than stage '{stage.name}'", (*place, "couple"))
        if name not in (full.stages[stages.index(to)].learners or ()):
            raise SpecError(f"couples '{name}' to stage '{to}', which does not train it; name a learner instead", (*place, "couple"))
    elif to in full.learners:
        if to == name and full.learners[name].copies in (None, 1):
            raise SpecError(f"couples '{name}' to itself; give it copies, or name an earlier stage instead", (*place, "couple"))
        if to not in known:
            raise SpecError(f"couples to '{to}', which is trained later", (*place, "couple"))
    allowed = {f"w_{to}"}
    for word in ("formula", "log_weight"):
        others = [m for m in mentioned(getattr(term, word)) if m.startswith("w_") and m not in allowed and m not in full.controls]
        if others:
            raise SpecError(f"'{others[0]}' is not known here; this coupling joins w and w_{to}", (*place, "couple", word))


def _uses(learner: Learner, stage: Stage, learners: set[str]) -> Iterator[tuple[str, str]]:
    """(learner, what of it) that a learner needs from others besides couplings."""
    for word in ("loss", "regularizer"):
        ingredient = during(learner, stage, word)
        if ingredient is None:
            continue
        for mention in Slot(word).mentions(ingredient):
            if mention.kind == "formula":
                for name in mentioned(mention.text):
                    if name[:2] in ("z_", "w_") and name[2:] in learners:
                        yield name[2:], "uses the output" if name[0] == "z" else "uses the weights"
    if learner.network is not None:
        for mention in Slot("network").mentions(learner.network):
            if mention.kind == "learner":
                yield mention.text, "uses the layers"


def _check_sight(full: Tables, stage: Stage, name: str, learner: Learner, place: Path) -> None:
    """A learner sees what its own `on` and the stage's `on` have in common."""
    slices = dict(full.slices)
    own, common = tuple(learner.on or ()), tuple(stage.on or ())
    if not set(slices_of(own, slices)) & set(slices_of(common, slices)):
        raise SpecError(f"sees nothing in stage '{stage.name}': on = {' '.join(own)} there, {' '.join(common)} here", place)

