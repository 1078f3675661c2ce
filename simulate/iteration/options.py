"""The options of an algorithm at a point: those given, those of the run plan, the defaults of its kind, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from replica import algorithms
from replica.ingredients import kinds
from simulate.draw import bound
from simulate.instance import Unsupported


def options_of(spec: Any, name: str, at: Mapping[str, float], given: Mapping[str, Any]) -> dict[str, Any]:
    """Option -> number, or word.

    Raises:
        Unsupported: an option that the algorithm does not have, or a value outside its domain.
    """
    known = kinds(algorithms)
    planned = (getattr(spec.run, "algorithms", None) or ()) if spec.run is not None else ()
    record = next((one for one in planned if one.kind == name), None) or (known[name]() if name in known else None)
    if record is None:
        if given:
            raise Unsupported(f"algorithm {name!r} has no option {next(iter(given))!r} (takes: none)")
        return {}
    entries = {entry.key: entry for entry in record.parameters()}
    unknown = [key for key in given if key not in entries]
    if unknown:
        raise Unsupported(f"algorithm {name!r} has no option {unknown[0]!r} (takes: {' '.join(entries) or 'none'})")
    try:
        settled = bound(replace(record, **{entries[key].name: value for key, value in given.items()}), at)
    except ValueError as error:
        raise Unsupported(f"algorithm {name!r}: {error}") from None
    found = {}
    for key, entry in entries.items():
        value = getattr(settled, entry.name)
        found[key] = float(value) if entry.type == "value" and value is not None else value
    return found
