"""Laws that are written as formulas must be probabilities: never negative, of mass one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from replica.ingredients import Channel, Ingredient, Prior
from replica.spec.document import Tables
from replica.spec.errors import Path, SpecError
from replica.spec.expressions import mentioned
from replica.spec.records import Mention, Record, keys_of

FORM = "density"


def check_probabilities(spec: Tables, mentions: Iterable[Mention], at: Mapping[str, float]) -> None:
    """Refuse a prior or channel written as a density that is no probability when the controls have these values.

    Args:
        mentions: everything that the spec mentions; a law is known by its formula there.

    Raises:
        SpecError: says what it integrates or adds up to.
    """
    for mention in mentions:
        if mention.kind == "formula" and mention.path[-1] == FORM:
            law = _found(spec, mention.path[:-1])
            fault = _fault(law, tuple((name, at[name]) for name in words(law) if name in at))
            if fault:
                raise SpecError(fault, mention.path)


@lru_cache(maxsize=256)
def words(law: Ingredient) -> tuple[str, ...]:
    """The names that the parameters of an ingredient mention, sorted."""
    values = (getattr(law, entry.name) for entry in law.parameters())
    parts = (part for value in values for part in (value if isinstance(value, tuple) else (value,)))
    return tuple(sorted({word for part in parts for word in mentioned(part)}))


def _found(value: Any, path: Path) -> Any:
    """What stands at a place of a spec."""
    for part in path:
        if isinstance(value, Record):
            value = getattr(value, keys_of(type(value))[str(part)].name)
        elif isinstance(value, Ingredient):
            value = getattr(value, next(entry.name for entry in value.parameters() if entry.key == part))
        else:
            value = value[part]
    return value


@lru_cache(maxsize=256)  # a sweep asks again at every point
def _fault(law: Prior | Channel, numbers: tuple[tuple[str, float], ...]) -> str:
    """Why the law is no probability at these values of the controls it mentions; empty where it is one."""
    try:
        law.bind(dict(numbers)).check_mass()
    except (ValueError, ArithmeticError, TypeError) as error:
        where = ", ".join(f"{name} = {value:g}" for name, value in numbers)
        return f"{error}" + (f" (at {where})" if where else "")
    return ""
