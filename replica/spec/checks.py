"""Everything that makes tables a spec, in the order of SPEC.md section 10 (TOML, format, keys and kinds come before, in reading)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from replica.spec.amounts import check_ladder, check_laws, check_overlaps, check_shares, check_values
from replica.spec.batches import check_batches
from replica.spec.causality import check_causality
from replica.spec.document import Tables
from replica.spec.energies import check_labels
from replica.spec.errors import SpecError, unknown
from replica.spec.expand import ALPHA, expanded
from replica.spec.expressions import mentioned
from replica.spec.names import check_names, namespaces, places_of
from replica.spec.observables import STANDARD
from replica.spec.point import derivation_order, point
from replica.spec.probabilities import check_probabilities
from replica.spec.protocols import check_protocols
from replica.spec.reach import check_reach
from replica.spec.records import Mention
from replica.spec.selections import check_selections
from replica.spec.sweeps import grid
from replica.spec.tables import domain_text

_EXPRESSIONS = frozenset({"value", "formula", "condition", "derived", "combination"})


def check(spec: Tables) -> None:
    """Refuse a spec that has no meaning.

    Raises:
        SpecError: the first mistake.
    """
    mentions = tuple(spec.mentions())
    check_names(spec, mentions)
    _check_conditions(spec)
    derivation_order(spec.controls)
    full = expanded(spec)
    places = places_of(spec, full)
    check_causality(full, places)
    check_protocols(spec, full, places)
    at = point(spec.controls, {})
    check_values(mentions, at)
    _check_ratio(full, at)
    _check_run(spec, mentions, full)
    check_shares(spec, full, at)
    check_overlaps(full, at)
    check_reach(full, places, at)
    check_laws(full, at)
    check_ladder(full, at)
    check_selections(full, at)
    check_probabilities(spec, mentions, at)
    check_labels(full, places, at)
    _check_unused(spec, full, mentions)


def check_at(spec: Tables, full: Tables, at: Mapping[str, float]) -> None:
    """The checks that involve numbers, at another point than the default controls."""
    mentions = tuple(spec.mentions())
    check_values(mentions, at)
    _check_ratio(full, at)
    check_shares(spec, full, at)
    check_overlaps(full, at, "these controls")
    check_reach(full, places_of(spec, full), at)
    check_laws(full, at)
    check_ladder(full, at)
    check_selections(full, at)
    check_probabilities(spec, mentions, at)
    check_batches(full, at)


_RESULT = re.compile(r"^([mqQ]|complexity)\d*$")  # an order parameter, or what one of several steps contributes, as results call it


def _check_conditions(spec: Tables) -> None:
    names = (*namespaces(spec)["observable"], *STANDARD)
    for name, control in spec.controls.items():
        if control.condition is not None and control.condition[0] not in names and not _RESULT.match(control.condition[0]):
            raise SpecError(unknown("observable", control.condition[0], names), ("controls", name, "solve"))


def _check_ratio(full: Tables, at: Mapping[str, float]) -> None:
    """The control `alpha` where it is the size of a slice by default."""
    if any(part.alpha == ALPHA for part in full.slices.values()) and not at[ALPHA] > 0:
        raise SpecError(f"{at[ALPHA]:g} lies outside the domain (0, inf]; alpha is samples per dimension", ("controls", ALPHA))


def _check_run(spec: Tables, mentions: Iterable[Mention], full: Tables) -> None:
    """Sweeps move free controls inside their domains, and their ends leave every value inside its own."""
    run, controls = spec.run, spec.controls
    if run is None:
        return
    moved = [m for m in mentions if isinstance(m.text, str)]
    for name, series in (run.sweep or {}).items():
        control, path = controls[name], ("run", "sweep", name)
        if control.formula is not None or control.solve is not None:
            raise SpecError(f"'{name}' is not free ({control.formula or control.solve}) and cannot be swept", path)
        numbers = grid(series)
        outside = next((value for value in numbers if value not in control.range), None)
        if outside is not None:
            raise SpecError(f"{outside:g} lies outside the domain {domain_text(control.range)}", path)
        for value in {min(numbers), max(numbers)}:
            try:
                at = point(controls, {name: value})
                check_values(moved, at)
                _check_ratio(full, at)
                check_probabilities(spec, moved, at)
            except SpecError as error:
                raise SpecError(f"at {name} = {value:g}: {error.key}: {error.message}", path) from None
    if run.follow is not None:
        if run.follow not in controls:
            raise SpecError(unknown("control", run.follow, controls), ("run", "follow"))
        if controls[run.follow].formula is not None or controls[run.follow].solve is not None:
            raise SpecError(f"'{run.follow}' is not free, it is derived or solved for", ("run", "follow"))


def _check_unused(spec: Tables, full: Tables, mentions: Iterable[Mention]) -> None:
    """A control counts as used where the model, the ansatz, an observable or another control mentions it; [run] does not count."""
    used = used_names(full, mentions)
    for name in spec.controls:
        if name not in used:
            raise SpecError("is used nowhere in the model; take it out, or mention it", ("controls", name))


def used_names(full: Tables, mentions: Iterable[Mention], *apart: str) -> set[str]:
    """Every name that the model mentions, tables `apart` and [run] not counted."""
    used = {name for m in mentions if m.path[0] not in ("run", *apart) and m.kind in _EXPRESSIONS for name in mentioned(m.text)}
    return used | ({ALPHA} if any(part.alpha == ALPHA for part in full.slices.values()) else set())
