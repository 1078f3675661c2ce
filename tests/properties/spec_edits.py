"""Random edits of spec files: the mistakes that people and programs make, and worse."""

from __future__ import annotations

import random
import re
import string

WORDS = (
    "nan", "inf", "-inf", "1e400", "-1", "0", "2", "true", "[]", "{}", '""', '"x"', '"nan"', '"alpha"', '"lambda"', '"1/0"', '"0/0"',
    '"sqrt(-1)"', '"2y"', '"|w|"', '"y^2"', '"__import__"', '"a.b"', '"kind"', "[1, 2]", '["a", "b"]', "{ kind = 3 }", '{ kind = "zero" }',
    "{ value = 1 }", "1979-05-27", '"all"', '"student"', '"teacher"', '"first"', '"9**9**9"', '"log(-1)"', '"(((("', "'''", "\u03b1",
    '"\u03b1"', "\x00", '"random"', '"free"',
)


def edited(text: str, other: str, rng: random.Random) -> str:
    """The text after one to three edits; lines of `other`, another spec, may be put in."""
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(EDITS)(text, other, rng)
    return text


def drop_line(text: str, other: str, rng: random.Random) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def swap_lines(text: str, other: str, rng: random.Random) -> str:
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return "\n".join(lines)


def insert_line(text: str, other: str, rng: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(other.split("\n")))
    return "\n".join(lines)


def change_character(text: str, other: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(string.printable) * rng.randint(0, 2) + text[at + 1 :]


def change_value(text: str, other: str, rng: random.Random) -> str:
    """A number, text, list or table gives way to a word that may not stand there."""
    return _replace(r'"[^"\n]*"|-?\d+\.?\d*|\[[^\[\]\n]*\]|\{[^{}\n]*\}', text, rng, rng.choice(WORDS))


def exchange_values(text: str, other: str, rng: random.Random) -> str:
    """A text gives way to another text of the same file."""
    return _replace(r'"[^"\n]*"', text, rng, rng.choice(re.findall(r'"[^"\n]*"', text) or ['"x"']))


def exchange_names(text: str, other: str, rng: random.Random) -> str:
    """A word gives way to another word of either file."""
    return _replace(r"[A-Za-z_]\w*", text, rng, rng.choice(re.findall(r"[A-Za-z_]\w*", text + other)))


def cut(text: str, other: str, rng: random.Random) -> str:
    return text[: rng.randrange(1, len(text))] if len(text) > 1 else text


def _replace(pattern: str, text: str, rng: random.Random, word: str) -> str:
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    place = rng.choice(found)
    return text[: place.start()] + word + text[place.end() :]


EDITS = (
    drop_line, swap_lines, insert_line, change_character, change_value, change_value, exchange_values, exchange_values, exchange_names, cut,
)
