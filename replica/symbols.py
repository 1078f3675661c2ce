"""The quantities a theory speaks of: order parameters, their conjugates and controls, each with a domain."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sympy as sp

_INTERVAL = re.compile(r"^(integers\s+)?([\[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])$")


@dataclass(frozen=True)
class Domain:
    """An interval, the integers in an interval, or a finite set of numbers.

    `lower` and `upper` are ends, closed where the flag says so; `members` lists a finite set and overrides the ends.
    """

    lower: float = -float("inf")
    upper: float = float("inf")
    closed_lower: bool = False
    closed_upper: bool = False
    integers: bool = False
    members: tuple[float, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Domain:
        """Read `"(0, inf)"`, `"[0, 1]"`, `"integers [1, inf)"` or `"{0, 1}"`.

        Raises:
            ValueError: the sentence says what a domain looks like.
        """
        text = text.strip()
        try:
            if text.startswith("{") and text.endswith("}"):
                members = tuple(float(part) for part in text[1:-1].split(","))
                return cls(min(members), max(members), True, True, members=members)
            found = _INTERVAL.match(text)
            if found:
                integers, left, lower, upper, right = found.groups()
                low, high = float(lower), float(upper)
                if low <= high:
                    return cls(low, high, left == "[", right == "]", bool(integers))
        except ValueError:
            pass
        raise ValueError(f"{text!r} is not a domain; write '(0, inf)', '[0, 1]', 'integers [1, inf)' or '{{0, 1}}'")

    def __contains__(self, value: float) -> bool:
        if value != value:
            return False
        if self.members:
            return value in self.members
        above = value >= self.lower if self.closed_lower else value > self.lower
        below = value <= self.upper if self.closed_upper else value < self.upper
        return above and below and (not self.integers or value == int(value) if abs(value) != float("inf") else above and below)

    def __str__(self) -> str:
        if self.members:
            return "{" + ", ".join(f"{m:g}" for m in self.members) + "}"
        left, right = "[" if self.closed_lower else "(", "]" if self.closed_upper else ")"
        return f"{'integers ' if self.integers else ''}{left}{self.lower:g}, {self.upper:g}{right}"


REAL = Domain()
POSITIVE = Domain(0.0)
UNIT = Domain(0.0, 1.0)


@dataclass(frozen=True)
class Control:
    """A named number of the problem: value used by default, and where it may move."""

    symbol: sp.Symbol
    value: float
    domain: Domain = REAL
    meaning: str = ""

    @property
    def name(self) -> str:
        return str(self.symbol.name)


@dataclass(frozen=True)
class OrderParameter:
    """An unknown of a theory.  `domain` is open: the solver never steps on its ends."""

    symbol: sp.Symbol
    meaning: str
    domain: Domain = REAL
    conjugate: sp.Symbol | None = None

    @property
    def name(self) -> str:
        return str(self.symbol.name)


def control_symbol(name: str) -> sp.Symbol:
    """The symbol of a control.  Real, and nothing more is assumed, so that one name is one symbol everywhere."""
    return sp.Symbol(name, real=True)
