"""Laws that are written as formulas must be probabilities: never negative, of mass one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from replica.ingredients import Channel, Ingredient, Prior
from replica.spec.document import Tables
from replica.spec.errors import Path, SpecError
from replica.spec.expressions import mentioned
from replica.spec.records import Record

FORM = "density"


def check_probabilities(spec: Tables, at: Mapping[str, float]) -> None:
    """Refuse a prior or channel written as a density that is no probability when the controls have these values.

    Raises:
        SpecError: says what it integrates or adds up to.
    """
    for path, law in _written(spec, ()):
        words = {word for entry in law.parameters() for word in _words(getattr(law, entry.name))}
        fault = _fault(law, tuple((name, at[name]) for name in sorted(words) if name in at))
        if fault:
            raise SpecError(fault, (*path, FORM))


def _written(value: Any, path: Path) -> Iterator[tuple[Path, Prior | Channel]]:
    """Every law with a density of its own, with its place in the file."""
    if isinstance(value, Record):
        for key, item in value.present():
            yield from _written(item, (*path, key.key))
    elif isinstance(value, Prior | Channel) and value.form == FORM:
        yield path, value
    elif isinstance(value, Ingredient):
        for entry in value.parameters():
            yield from _written(getattr(value, entry.name), (*path, entry.key))
    elif isinstance(value, Mapping):
        for word, item in value.items():
            yield from _written(item, (*path, word))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _written(item, (*path, number))


def _words(value: Any) -> Iterator[str]:
    for part in value if isinstance(value, tuple) else (value,):
        yield from mentioned(part)


@lru_cache(maxsize=256)  # a sweep asks again at every point
def _fault(law: Prior | Channel, numbers: tuple[tuple[str, float], ...]) -> str:
    """Why the law is no probability at these values of the controls it mentions; empty where it is one."""
    try:
        law.bind(dict(numbers)).check_mass()
    except (ValueError, ArithmeticError, TypeError) as error:
        where = ", ".join(f"{name} = {value:g}" for name, value in numbers)
        return f"{error}" + (f" (at {where})" if where else "")
    return ""
