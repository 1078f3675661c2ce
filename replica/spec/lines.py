"""Where each key of a TOML text stands: readers of TOML give no positions."""

from __future__ import annotations

import re

from replica.spec.errors import Path

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?")
_KEY = re.compile(rf"^\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_INNER = re.compile(rf"[{{,]\s*({_PART})\s*=")
_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")


def key_lines(text: str) -> dict[Path, int]:
    """Line (from 1) of every table and key; keys of inline tables share the line of their first mention.

    A scan and no parser: a key written in a way it does not know is missing, and its message then names the table above.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _split(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                found.setdefault(table, number)
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            path = table + _split(key[1])
            found.setdefault(path, number)
            for inner in _INNER.finditer(_STRING.sub(lambda s: s[0] if s[0].isidentifier() else '""', line[key.end() - 1 :])):
                found.setdefault((*path, *_split(inner[1])), number)
    return found


def _split(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
