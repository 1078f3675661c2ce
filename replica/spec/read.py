"""A TOML file or text to a spec, with file and line in every message."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from replica.spec.document import Tables
from replica.spec.errors import SpecError, one_line, shown
from replica.spec.lines import key_lines
from replica.spec.records import keys_of

FORMAT = 1
UPGRADES: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Format -> pure function of the raw table that gives the next format."""
_LARGEST = 1_000_000
S = TypeVar("S", bound=Tables)


def read_toml(cls: type[S], source: str | os.PathLike[str]) -> S:
    """The spec of a file, or of a text (anything with a line break).

    Raises:
        SpecError: one line with file, line and key.
    """
    if isinstance(source, str) and "\n" in source:
        return _parse(cls, source, "spec")
    name = str(os.fspath(source))
    return _parse(cls, _text(Path(name)), name)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        raise SpecError(f"cannot be read ({getattr(error, 'strerror', None) or error})", source=one_line(path, 200)) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError("is not UTF-8 text; a spec is a TOML file", source=one_line(path, 200), line=line) from None


def _parse(cls: type[S], text: str, source: str) -> S:
    source = one_line(source, 200)
    if len(text) > _LARGEST:
        raise SpecError(f"is too large ({len(text)} characters; at most {_LARGEST})", source=source)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _decode_error(text, source, str(error)) from None
    except (RecursionError, ValueError):
        raise SpecError("is not TOML that can be read: nested too deeply, or a number or date that does not exist", source=source) from None
    try:
        return _build(cls, raw)
    except SpecError as error:
        raise error.placed(source, key_lines(text)) from None
    except RecursionError:
        raise SpecError("tables are nested too deeply", source=source) from None


def _decode_error(text: str, source: str, message: str) -> SpecError:
    """tomllib says `Expected ... (at line 3, column 5)`, or `(at end of document)`."""
    sentence, _, place = message.partition(" (at ")
    words = place.replace(",", "").rstrip(")").split()
    at_line = len(words) > 1 and words[0] == "line"
    line = int(words[1]) if at_line else text.count("\n") + 1
    column = f"column {words[3]}: " if at_line and len(words) > 3 else ""
    return SpecError(f"{column}not TOML: {sentence}", source=source, line=line)


def _build(cls: type[S], raw: dict[str, Any]) -> S:
    if "format" not in raw:
        raise SpecError(f"needs 'format = {FORMAT}' as its first line")
    number = raw.pop("format")
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise SpecError(f"must be {FORMAT}, found {shown(number)}", ("format",))
    if number > FORMAT:
        raise SpecError(f"format {number} is later than this program reads (at most {FORMAT}); install a newer one", ("format",))
    for step in range(number, FORMAT):
        raw = UPGRADES[step](raw)
    for word, key in keys_of(cls).items():
        if word in raw and word in ("block", "latent", "slice", "group", "learner") and not raw[word]:
            raise SpecError(f"the table is empty; write [{word}.NAME] (a {key.name[:-1]} has a name)", (word,))
    return cls.from_table(raw)
