"""The ways in which a key of a spec is read: numbers, names, formulas, words, ingredients and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from replica.ingredients import Table
from replica.spec.errors import SpecError, shown, unknown
from replica.spec.records import Entry, Mention, Record

NAME_RULE = "a name starts with a letter and holds letters, digits and _"


def is_name(text: object) -> bool:
    """Whether a text may name a table of a spec."""
    return isinstance(text, str) and text.isascii() and text.isidentifier() and not text.startswith("_") and len(text) <= 60


@dataclass(frozen=True)
class Text(Entry):
    """Free text; with `words`, one of them."""

    words: tuple[str, ...] = ()

    def read(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise SpecError(f"must be a text in quotes, found {shown(raw)}")
        if self.words and raw not in self.words:
            raise SpecError(unknown("word", raw, self.words, "allowed"))
        return raw


@dataclass(frozen=True)
class Flag(Entry):
    """true or false."""

    def read(self, raw: Any) -> bool:
        if not isinstance(raw, bool):
            raise SpecError(f"must be true or false, found {shown(raw)}")
        return raw


@dataclass(frozen=True)
class Number(Entry):
    """A number or an expression of controls; its value at the controls must lie in `domain`."""

    domain: str = ""

    def read(self, raw: Any) -> float | int | str:
        if isinstance(raw, sp.Expr) or isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise SpecError(f"must be a number or an expression of controls, found {shown(raw)}")
        if raw != raw:
            raise SpecError("nan is not a number that a spec can hold")
        return raw.strip() if isinstance(raw, str) else raw

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield Mention((), value, "value", self.domain)


@dataclass(frozen=True)
class Plain(Entry):
    """A number that is no expression."""

    domain: str = ""

    def read(self, raw: Any) -> float | int:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or raw != raw:
            raise SpecError(f"must be a number, found {shown(raw)}")
        return raw

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield Mention((), value, "value", self.domain)


@dataclass(frozen=True)
class Formula(Entry):
    """A formula in these variables; `z_` and `w_` stand for the fields and weights of learners."""

    variables: tuple[str, ...] = ()
    kind: str = "formula"

    def read(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise SpecError(f"must be a formula in quotes, found {shown(raw)}")
        return raw.strip()

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield Mention((), value, self.kind, variables=self.variables)


@dataclass(frozen=True)
class Name(Entry):
    """A name of one of the namespaces, e.g. "latent" or "slice|group"."""

    space: str

    def read(self, raw: Any) -> str:
        if not is_name(raw):
            raise SpecError(f"must be the name of a {self.space.replace('|', ' or ')}, found {shown(raw)}; {NAME_RULE}")
        return str(raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield Mention((), value, self.space)


@dataclass(frozen=True)
class Several(Entry):
    """One or several, kept as a tuple; `pair`: exactly two."""

    one: Entry
    pair: bool = False
    distinct: bool = False

    def read(self, raw: Any) -> tuple[Any, ...]:
        items = tuple(raw) if isinstance(raw, list | tuple) else (raw,)
        if self.pair and len(items) != 2:
            raise SpecError(f"must be a list of two names, found {shown(raw)}")
        if not items:
            raise SpecError("the list is empty; leave the key out instead")
        if len(items) == 1:
            return (self.one.read(items[0]),)
        found = tuple(self._item(number, item) for number, item in enumerate(items))
        if self.distinct and len(set(found)) < len(found):
            raise SpecError(f"a name stands twice in {shown(list(found))}")
        return found

    def _item(self, number: int, item: Any) -> Any:
        try:
            return self.one.read(item)
        except SpecError as error:
            raise error.under(number) from None

    def mentions(self, value: Any) -> Iterator[Mention]:
        for number, item in enumerate(value):
            for mention in self.one.mentions(item):
                yield mention.under(number) if len(value) > 1 else mention


@dataclass(frozen=True)
class Named(Entry):
    """A table NAME = value; where `space` is given the names belong to it, else the table declares them."""

    one: Entry
    space: str = ""

    def read(self, raw: Any) -> Table:
        if not isinstance(raw, Mapping):
            raise SpecError(f"must be a table of names, found {shown(raw)}")
        found = {}
        for name, item in raw.items():
            if not is_name(name):
                raise SpecError(f"{shown(name)} is not a name; {NAME_RULE}", (str(name),))
            try:
                found[name] = self.one.read(item)
            except SpecError as error:
                raise error.under(name) from None
        return Table(found)

    def mentions(self, value: Any) -> Iterator[Mention]:
        for name, item in value.items():
            if self.space:
                yield Mention((name,), name, self.space)
            for mention in self.one.mentions(item):
                yield mention.under(name)


@dataclass(frozen=True)
class Either(Entry):
    """A table read one way, anything else the other way."""

    table: Entry
    other: Entry

    def read(self, raw: Any) -> Any:
        return (self.table if isinstance(raw, Mapping) else self.other).read(raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        return (self.table if isinstance(value, Mapping) else self.other).mentions(value)


@dataclass(frozen=True)
class One(Entry):
    """A nested record; `bare` is the key that a value without a table is taken for."""

    record: type[Record]
    bare: str = ""

    def read(self, raw: Any) -> Record:
        if self.bare and not isinstance(raw, Mapping | Record):
            raw = {self.bare: raw}
        return self.record.from_table(raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield from value.mentions()
