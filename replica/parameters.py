"""The parameters of an ingredient: their types, what a field says about itself, and the sentences that a wrong value gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, get_type_hints

import sympy as sp

from replica.symbols import Domain

Value = Annotated[float | int | str | sp.Expr, "value"]
"""A number or an expression of controls, e.g. 0.5 or "1 - rho".  A SymPy expression once bound."""
Values = Annotated[tuple[float | int | str | sp.Expr, ...], "values"]
FormulaText = Annotated[str, "formula"]
Word = Annotated[str, "word"]
Words = Annotated[tuple[str, ...], "words"]
Flag = Annotated[bool, "flag"]
Bounds = Annotated[tuple[float | int | str | sp.Expr, ...], "bounds"]
Ladder = Annotated[Any, "ladder"]
"""A value or several, or the word FREE instead of one: extremized."""
FREE = "free"


class Table(Mapping[str, Any]):
    """A nested table of a spec: a mapping that cannot change and can be hashed."""

    def __init__(self, content: Mapping[str, Any] = MappingProxyType({}), **more: Any) -> None:
        self._content = {key: freeze(value) for key, value in {**content, **more}.items()}

    def __getitem__(self, key: str) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __hash__(self) -> int:
        return hash(frozenset(self._content.items()))

    def __repr__(self) -> str:
        return repr(self._content)


def freeze(value: Any) -> Any:
    """Lists as tuples and dicts as Tables, all the way down."""
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return Table(value) if isinstance(value, Mapping) and not isinstance(value, Table) else value


def parameter(default: Any = MISSING, domain: str = "", meaning: str = "", *, key: str = "", words: tuple[str, ...] = ()) -> Any:
    """A field of an ingredient.

    Args:
        default: absent, the parameter is required.
        domain: where its numbers lie, as in `Domain.parse`; empty, anywhere.
        meaning: ends the sentence "NAME is the ...".
        key: its key in a file where that differs from the name of the field.
        words: what a word may be; empty, any.
    """
    metadata = {"domain": domain, "meaning": meaning, "key": key, "words": words}
    return field(metadata=metadata) if default is MISSING else field(default=freeze(default), metadata=metadata)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kind as a reader of files sees it.

    Args:
        key: its key in a spec file.
        name: the field that holds it.
        type: value, values, formula, word, words, flag, table, weights, bounds, ladder, or the slot of a nested ingredient.
        optional: None is allowed and means absent.
    """

    key: str
    name: str
    type: str
    required: bool
    optional: bool
    default: Any
    domain: str
    meaning: str
    words: tuple[str, ...]


_PYTHON: dict[str, tuple[Any, str]] = {
    "formula": (str, "a formula in quotes"),
    "word": (str, "a word in quotes"),
    "words": (tuple, "a list of words"),
    "flag": (bool, "true or false"),
    "values": (tuple, "a list of numbers"),
    "table": (Table, "a table"),
    "weights": (Table, "a table of numbers"),
}


def check_value(who: str, entry: Parameter, value: Any, record: type[Any]) -> None:
    """Refuse a value that its parameter cannot hold; nested ingredients are of type `record`.

    Raises:
        ValueError: starts with `who`, says what is allowed and what was found.
    """
    if value is None:
        if not entry.optional:
            raise ValueError(f"{who} is missing.")
    elif entry.type == "value":
        check_number(who, value, entry)
    elif entry.type == "bounds":
        check_bounds(who, value, entry)
    elif entry.type == "ladder":
        for item in value if isinstance(value, tuple) else (value,):
            check_number(who, item, entry)
    else:
        python, phrase = _PYTHON.get(entry.type, (record, f"a record of slot '{entry.type}'"))
        if not isinstance(value, python):
            raise ValueError(f"{who} must be {phrase}, got {value!r}.")
        if entry.words and value not in entry.words:
            raise ValueError(f"{who} must be one of {' '.join(entry.words)}, got {value!r}.")
        if entry.type in ("values", "weights"):
            for item in value.values() if isinstance(value, Table) else value:
                check_number(who, item, entry)


def check_number(who: str, value: Any, entry: Parameter) -> None:
    """Refuse what is no number and numbers outside the domain; expressions of controls are left for binding."""
    if isinstance(value, str) or isinstance(value, sp.Expr) and not value.is_number:
        return
    if isinstance(value, bool) or not isinstance(value, int | float | sp.Expr):
        raise ValueError(f"{who} must be a number or an expression of controls, got {value!r}.")
    if float(value) not in Domain.parse(entry.domain or "(-inf, inf)"):
        meaning = f" {entry.key} is the {entry.meaning}." if entry.meaning else ""
        raise ValueError(f"{who} must lie in {entry.domain or '(-inf, inf)'}, got {entry.key}={value}.{meaning}")


def check_bounds(who: str, value: Any, entry: Parameter) -> None:
    """Refuse what is not a lower and an upper end."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise ValueError(f"{who} must be two numbers, lower and upper, got {value!r}.")
    for end in value:
        check_number(who, end, entry)
    known = not any(isinstance(end, str) or isinstance(end, sp.Expr) and not end.is_number for end in value)
    if known and not float(value[0]) < float(value[1]):
        raise ValueError(f"{who} must run from a lower to an upper end, got {value!r}.")


@cache
def parameters_of(cls: type[Any]) -> tuple[Parameter, ...]:
    """The parameters of a dataclass in the order in which Python takes them."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(_parameter(f, hints[f.name]) for f in sorted(fields(cls), key=lambda f: bool(f.kw_only)))


def _parameter(f: Field[Any], hint: Any) -> Parameter:
    optional = type(None) in getattr(hint, "__args__", ())
    if optional:
        hint = next(a for a in hint.__args__ if a is not type(None))
    extras = getattr(hint, "__metadata__", ())
    word = extras[0] if extras else hint.slot
    meta = f.metadata
    required = f.default is MISSING
    return Parameter(meta.get("key") or f.name, f.name, word, required, optional, None if required else f.default,
                     meta.get("domain", ""), meta.get("meaning", ""), meta.get("words", ()))
