"""A table of a spec as a frozen record whose fields say how they are read; absent keys are None, so only what was given is written back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

from replica.spec.errors import Path, SpecError, shown, unknown


class Mention(NamedTuple):
    """A number, formula or name that stands somewhere in a spec.

    Args:
        path: where.
        text: what stands there.
        kind: "value" (a number or expression of controls), "formula", or the namespace that a name must belong to, such as "latent".
        domain: of a value, where its numbers must lie; empty: anywhere.
        variables: of a formula, the words it may use besides controls.
    """

    path: Path
    text: Any
    kind: str
    domain: str = ""
    variables: tuple[str, ...] = ()

    def under(self, *keys: str | int) -> Mention:
        return Mention(keys + self.path, self.text, self.kind, self.domain, self.variables)


class Entry:
    """How the value of one key is read and what it mentions."""

    def read(self, raw: Any) -> Any:
        """The value from plain data, or the value itself where it is one already.

        Raises:
            SpecError: with the path from here on.
        """
        raise NotImplementedError

    def mentions(self, value: Any) -> Iterator[Mention]:
        """Everything in the value that must be checked against the rest of the spec."""
        return iter(())


@dataclass(frozen=True)
class Key:
    """A field of a record."""

    name: str
    key: str
    entry: Entry
    required: bool


def key(entry: Entry, *, named: str = "", required: bool = False) -> Any:
    """A field; `named` is its key in a file where that differs from the field's name."""
    return dataclasses.field(default=None, metadata={"entry": entry, "key": named, "required": required})


def keys_of(cls: type[Record]) -> Mapping[str, Key]:
    """The fields of a record by their keys in a file."""
    return _keys_of(cls)  # type: ignore[arg-type]  # mypy holds the hash of a dataclass against its class


@cache
def _keys_of(cls: type[Record]) -> Mapping[str, Key]:
    found = (Key(f.name, f.metadata["key"] or f.name, f.metadata["entry"], f.metadata["required"]) for f in dataclasses.fields(cls))
    return {k.key: k for k in found}


class Record:
    """Base of all tables.  Subclasses are frozen dataclasses whose fields are made with `key`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    title: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for k in keys_of(type(self)).values():
            value = getattr(self, k.name)
            if value is None:
                if k.required:
                    raise SpecError(f"needs '{k.key}'")
                continue
            try:
                object.__setattr__(self, k.name, k.entry.read(value))
            except SpecError as error:
                raise error.under(k.key) from None
        self.finish()

    def finish(self) -> None:
        """Rules that join several keys of one table; raises SpecError."""

    @classmethod
    def from_table(cls, raw: Any) -> Self:
        """The record from a table of a file."""
        if isinstance(raw, cls):
            return raw
        if not isinstance(raw, Mapping):
            raise SpecError(f"must be a table with the keys {' '.join(keys_of(cls))}, found {shown(raw)}")
        known = keys_of(cls)
        for word in raw:
            if word not in known:
                raise SpecError(unknown("key", word, known, "takes"), (str(word),))
        return cls(**{known[word].name: value for word, value in raw.items()})

    def present(self) -> Iterator[tuple[Key, Any]]:
        """The fields that are there."""
        for k in keys_of(type(self)).values():
            value = getattr(self, k.name)
            if value is not None:
                yield k, value

    def changed(self, **values: Any) -> Self:
        """A copy with other values, which must have been read already."""
        copy = object.__new__(type(self))
        vars(copy).update({k.name: getattr(self, k.name) for k in keys_of(type(self)).values()}, **values)
        return copy

    def mentions(self) -> Iterator[Mention]:
        """Everything in the record that must be checked against the rest of the spec, with its path."""
        for k, value in self.present():
            for mention in k.entry.mentions(value):
                yield mention.under(k.key)
