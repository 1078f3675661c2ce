"""How ingredients are read: a bare kind, a table with `kind`, or a form without it; and what their parameters mention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from replica.ingredients import FREE, Ingredient, Parameter, Table, freeze
from replica.spec.entries import Formula, Named, Number
from replica.spec.errors import SpecError, nearest, one_line, shown, unknown
from replica.spec.records import Entry, Mention
from replica.spec.slots import forms, parameters, slot_kinds


@dataclass(frozen=True)
class Slot(Entry):
    """An ingredient: a bare kind, a table with `kind`, or a form without it."""

    slot: str

    def read(self, raw: Any) -> Ingredient:
        if isinstance(raw, Ingredient):
            if raw.slot != self.slot:
                raise SpecError(f"{raw.slot} '{raw.kind}' cannot stand here, a {self.slot} is wanted")
            return raw
        if isinstance(raw, str):
            raw = {"kind": raw}
        if not isinstance(raw, Mapping):
            raise SpecError(f"must be a {self.slot} (kinds: {' '.join(slot_kinds(self.slot))}), found {shown(raw)}")
        cls = self._class(raw)
        return self._build(cls, {k: v for k, v in raw.items() if k != "kind"})

    def _class(self, raw: Mapping[str, Any]) -> type[Ingredient]:
        known = slot_kinds(self.slot)
        if "kind" in raw:
            if not isinstance(raw["kind"], str):
                raise SpecError(f"must be a text in quotes, found {shown(raw['kind'])}", ("kind",))
            if raw["kind"] not in known:
                raise SpecError(unknown(self.slot, raw["kind"], known, "kinds"))
            return known[raw["kind"]]
        for form, cls in forms(self.slot).items():
            if form in raw:
                return cls
        others = f", or {' or '.join(forms(self.slot))}" if forms(self.slot) else ""
        raise SpecError(f"a {self.slot} needs 'kind' ({' '.join(known)}){others}")

    def _build(self, cls: type[Ingredient], raw: Mapping[str, Any]) -> Ingredient:
        known = parameters(cls)
        values = {}
        for word, item in raw.items():
            if word not in known:
                near = nearest(str(word), known)
                raise SpecError(f"{self.slot} '{cls.kind}' has no parameter '{one_line(word)}'{near} (takes: {' '.join(known) or 'none'})")
            try:
                values[word] = _parameter_entry(known[word]).read(item)
            except SpecError as error:
                raise error.under(word) from None
        try:
            return cls.from_table(values)
        except (ValueError, TypeError) as error:
            raise SpecError(str(error)) from None

    def mentions(self, value: Any) -> Iterator[Mention]:
        for word, item in parameters(type(value)).items():
            content = getattr(value, item.name)
            if content is not None and (item.required or content != item.default):
                for mention in _parameter_entry(item, value.slot, value.kind).mentions(content):
                    yield mention.under(word)


NESTED: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "covariance": {"exponential": {"length": "(0, inf)"}},
    "rules": {"partition": {"sigma": "[0, inf)", "seed": "integers [0, inf)", "keep": "integers [1, inf)"}},
    "trace": {"": {"order": "", "repeat": "[0, inf)"}},
    "frequency": {"zipf": {"exponent": "[0, inf)"}},
    "successor": {"mixed": {"keep": "[0, 1]"}},
}
"""Tables inside ingredients: kind -> parameter -> domain.  A table without kinds has the one kind ''."""


@dataclass(frozen=True)
class Nested(Entry):
    """A table inside an ingredient, such as the covariance of a prior; all of its parameters but the kind are numbers."""

    what: str

    def read(self, raw: Any) -> Table:
        kinds = NESTED[self.what]
        if not isinstance(raw, Mapping):
            raise SpecError(f"must be a table, found {shown(raw)}")
        kind = raw.get("kind", "") if "" not in kinds else ""
        if not isinstance(kind, str) or kind not in kinds:
            raise SpecError(unknown(self.what, str(kind), kinds, "kinds"))
        allowed = kinds[kind]
        found: dict[str, Any] = {"kind": kind} if kind else {}
        for word, item in raw.items():
            if word not in found:
                if word not in allowed:
                    raise SpecError(unknown("key", str(word), allowed, "takes"), (str(word),))
                try:
                    found[word] = Number(allowed[word]).read(item)
                except SpecError as error:
                    raise error.under(word) from None
        return Table(found)

    def mentions(self, value: Any) -> Iterator[Mention]:
        allowed = NESTED[self.what][value.get("kind", "")]
        for word, item in value.items():
            if word != "kind":
                yield Mention((word,), item, "value", allowed[word])


_VARIABLES = {
    "prior": ("w",), "loss": ("y", "z", "z_"), "regularizer": ("w", "w_"), "activation": ("z",),
    "channel.map": ("z", "xi"), "channel.density": ("y", "z"),
}
_REFERENCES = {
    "law.map": "latent", "law.of": "latent", "law.condensed": "latent", "network.learner": "learner", "network.copy_from": "learner",
}


@dataclass(frozen=True)
class _Free(Entry):
    """A parameter that the ingredient checks itself."""

    def read(self, raw: Any) -> Any:
        return freeze(raw)


@dataclass(frozen=True)
class _Reference(Entry):
    """One name or several of a namespace, in an ingredient."""

    space: str

    def read(self, raw: Any) -> Any:
        return freeze(raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        if isinstance(value, tuple):
            for number, item in enumerate(value):
                yield Mention((number,), item, self.space)
        else:
            yield Mention((), value, self.space)


@dataclass(frozen=True)
class _Numbers(Entry):
    """A list of numbers or expressions, in an ingredient."""

    one: Number = field(default_factory=Number)

    def read(self, raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list | tuple):
            raise SpecError(f"must be a list of numbers, found {shown(raw)}")
        return tuple(self.one.read(item) for item in raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        for number, item in enumerate(value):
            yield Mention((number,), item, "value", self.one.domain)


@dataclass(frozen=True)
class _Ladder(Entry):
    """A number or expression or several, or FREE instead of one."""

    one: Number

    def read(self, raw: Any) -> Any:
        return tuple(map(self._one, raw)) if isinstance(raw, list | tuple) else self._one(raw)

    def _one(self, raw: Any) -> Any:
        if isinstance(raw, str) and raw != FREE and raw.lower() == FREE:
            raise SpecError(f"'{raw}' is no Parisi parameter; did you mean '{FREE}'?")
        return self.one.read(raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        for number, item in enumerate(value if isinstance(value, tuple) else (value,)):
            if item != FREE:
                yield Mention((number,) if isinstance(value, tuple) else (), item, "value", self.one.domain)


def _parameter_entry(item: Parameter, slot: str = "", kind: str = "") -> Entry:
    """How a parameter of an ingredient is read and what it mentions."""
    if (space := _REFERENCES.get(f"{slot}.{item.key}")) is not None:
        return _Reference(space)
    if item.type == "value":
        return Number(item.domain)
    if item.type == "ladder":
        return _Ladder(Number(item.domain))
    if item.type in ("values", "bounds"):
        return _Numbers(Number(item.domain))
    if item.type == "formula":
        return Formula(_VARIABLES.get(slot) or _VARIABLES.get(f"{slot}.{item.key}", ()))
    if item.type == "weights":
        return Named(Number(item.domain), "group")
    if item.type == "table":
        return Nested(item.key)
    if item.type in ("word", "flag", "words"):
        return _Free()
    return Slot(item.type)
