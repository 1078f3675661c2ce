"""A spec to a TOML file and to a Python program; only what was given is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from replica.ingredients import Ingredient
from replica.spec.document import Tables
from replica.spec.observables import KINDS, Observable
from replica.spec.records import Record
from replica.spec.slots import FOLDERS, forms, parameters
from replica.spec.tables import Domain, Label, domain_text

_NAMED = ("block", "latent", "slice", "group", "learner")
_SCALAR_IF_ONE = ("on", "learners", "couple")
_KINDED = tuple(KINDS.values())


def plain(value: Any) -> Any:
    """The value as data of a file: numbers, texts, lists and tables."""
    if isinstance(value, Label) and value.value is not None:
        return value.value
    if isinstance(value, Ingredient):
        return _ingredient(value)
    if isinstance(value, Record):
        table = {k.key: _one(k.key, plain(item)) for k, item in value.present()}
        if isinstance(value, _KINDED):
            table = {"kind": getattr(value, "kind", None), **table}
            return table["kind"] if len(table) == 1 else table
        return table
    if isinstance(value, Domain):
        return domain_text(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def _one(key: str, value: Any) -> Any:
    return value[0] if key in _SCALAR_IF_ONE and isinstance(value, list) and len(value) == 1 else value


def _ingredient(value: Ingredient) -> Any:
    table = {key: plain(item) for key, item in value.table().items()}
    if forms(value.slot).get(value.form) is type(value):
        return table
    return {"kind": value.kind, **table} if table else value.kind


def to_toml(spec: Tables) -> str:
    """The spec as a file in format 1."""
    top, parts = ["# replica spec", "format = 1"], []
    for key, value in spec.present():
        data = plain(value)
        if key.key in _NAMED:
            for name, content in data.items():
                parts += _table(f"{key.key}.{name}", content)
        elif key.key == "stage":
            for content in data:
                parts += _table("stage", content, "[[", "]]")
        elif isinstance(value, Record | Mapping):
            parts += _table(key.key, data) if data or isinstance(value, Record) else []
        elif isinstance(value, Ingredient):
            parts += _table(key.key, data if isinstance(data, dict) else {"kind": data})
        else:
            top.append(f"{key.key} = {_toml(data)}")
    return "\n".join([*top, *parts]) + "\n"


def _table(head: str, content: Mapping[str, Any], left: str = "[", right: str = "]") -> list[str]:
    lines = ["", f"{left}{head}{right}"]
    lines += [f"{key} = {_toml(value)}" for key, value in content.items() if key != "groups"]
    for name, group in content.get("groups", {}).items():
        lines += _table(f"{head}.groups.{name}", group)
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return f"[{', '.join(_toml(item) for item in value)}]" if isinstance(value, list) else repr(value)


def to_python(spec: Tables) -> str:
    """A program that builds an equal spec under the name `spec`."""
    used: set[str] = set()
    given = [(key, value) for key, value in spec.present() if value or not isinstance(value, Mapping | tuple)]
    lines = [f"    {key.name}={_top(key.key, value, used)}," for key, value in given]
    body = "\n".join(["spec = Spec(", *lines, ")"])
    head = ["from math import inf"] if "inf" in used else []
    folders = sorted(used & {*(module.__name__ for module in FOLDERS.values()), "replica.spec.observables"})
    for package in ("replica", "replica.spec"):
        names = [name.rpartition(".")[2] for name in folders if name.rpartition(".")[0] == package]
        if package == "replica.spec":
            names = sorted({"Spec", *names, *(u for u in used if u != "inf" and "." not in u)}, key=str.lower)
        head += [f"from {package} import {', '.join(names)}"] if names else []
    return "\n".join([*head, "", body]) + "\n"


def _top(key: str, value: Any, used: set[str]) -> str:
    if key == "student":
        return _call("Student", value.present(), used)
    if isinstance(value, Mapping):
        return "{\n" + "".join(f"        {name!r}: {_python(item, used)},\n" for name, item in value.items()) + "    }"
    if key == "stage":
        return "[\n" + "".join(f"        {_python(item, used)},\n" for item in value) + "    ]"
    return _python(value, used)


def _call(name: str, given: Iterable[tuple[Any, Any]], used: set[str]) -> str:
    used.add(name.partition(".")[0] if "." not in name else "replica.spec.observables")
    return f"{name}({', '.join(f'{key.name}={_python(item, used)}' for key, item in given)})"


def _python(value: Any, used: set[str]) -> str:
    if isinstance(value, Ingredient):
        module = FOLDERS[value.slot].__name__
        used.add(module)
        known = parameters(type(value))
        inside = ", ".join(f"{known[key].name}={_python(item, used)}" for key, item in value.table().items())
        return f"{module.rpartition('.')[2]}.{type(value).__name__}({inside})"
    if isinstance(value, Record):
        prefix = "observables." if isinstance(value, Observable) else ""
        return _call(prefix + type(value).__name__, value.present(), used)
    if isinstance(value, Domain):
        return repr(domain_text(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_python(item, used)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return f"[{', '.join(_python(item, used) for item in value)}]"
    if isinstance(value, float) and value in (float("inf"), -float("inf")):
        used.add("inf")
    return repr(value)
