"""The one error of a spec: a line that names file, line, key, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

Path = tuple[str | int, ...]


class SpecError(ValueError):
    """A mistake in a spec, told in one line.

    Args:
        message: what was found and what is allowed.
        path: keys from the top of the spec to the mistake; stages and couplings are counted from 0.
        source: the file, where there is one.
        line: its line, from 1.
    """

    def __init__(self, message: str, path: Path = (), source: str = "", line: int | None = None) -> None:
        super().__init__(message, path, source, line)
        self.message, self.path, self.source, self.line = message, path, source, line

    def under(self, *keys: str | int) -> SpecError:
        """The same mistake seen from the table above."""
        return SpecError(self.message, keys + self.path, self.source, self.line)

    def placed(self, source: str, lines: Mapping[Path, int]) -> SpecError:
        """The same mistake with its file, and with the line of the longest part of its path that has one."""
        known = (lines[self.path[:n]] for n in range(len(self.path), 0, -1) if self.path[:n] in lines)
        return SpecError(self.message, self.path, source, self.line or next(known, None))

    @property
    def key(self) -> str:
        """The path as it is printed, e.g. `stage[2].couple.strength`; counted from 1."""
        text = ""
        for part in self.path:
            text += f"[{part + 1}]" if isinstance(part, int) else f".{one_line(part)}" if text else one_line(part)
        return text

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.source and self.line else self.source
        return ": ".join(part for part in (place, self.key, one_line(self.message, 600)) if part)


def one_line(text: object, longest: int = 60) -> str:
    """Any text in one line of printable characters."""
    flat = "".join(c if c.isprintable() else " " for c in str(text))
    return flat if len(flat) <= longest else flat[: longest - 3] + "..."


def shown(value: Any) -> str:
    """A value as it is quoted in a message."""
    return one_line(repr(value), 40)


def nearest(word: str, allowed: Iterable[str]) -> str:
    """`; did you mean '...'?` or nothing."""
    words = list(allowed)
    near = get_close_matches(word, words, 1) or [w for w in words if w.lower() == word.lower()]
    return f"; did you mean '{near[0]}'?" if near else ""


def unknown(what: str, word: str, allowed: Iterable[str], listed: str = "known") -> str:
    """The sentence for a word that is none of the allowed ones."""
    words = list(allowed)
    return f"{what} '{one_line(word)}' is not known here{nearest(word, words)} ({listed}: {' '.join(words) or 'none'})"
