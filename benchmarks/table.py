"""A measurement beside what it must reach, and the table of all of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One row.

    Args:
        what: in words.
        value: seconds, a ratio or megabytes, as `unit` says.
        unit: "s", "x" or "MB".
        goal: the value must stay below it, or above it where `above`.
        note: what else is worth knowing.
    """

    what: str
    value: float
    unit: str
    goal: float
    above: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        return self.value >= self.goal if self.above else self.value <= self.goal


def shown(value: float, unit: str) -> str:
    """A number in the unit a reader expects: ms and us below a second."""
    if unit != "s":
        return f"{value:.3g} {unit}"
    for factor, name in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e9:.3g} ns"


def table(measures: Iterable[Measure]) -> str:
    """A Markdown table, so that it can be pasted into the README."""
    rows = [("what", "measured", "goal", "")]
    for m in measures:
        goal = f"{'>=' if m.above else '<='} {shown(m.goal, m.unit)}"
        rows.append((m.what, shown(m.value, m.unit), goal, ("reached" if m.reached else "MISSED") + (f"; {m.note}" if m.note else "")))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def best_of(run: Callable[[], object], repeats: int = 5, warm: int = 1) -> float:
    """Seconds of the fastest of `repeats` calls after `warm` others, the garbage collector waiting outside."""
    for _ in range(warm):
        run()
    times = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            begin = time.perf_counter()
            run()
            times.append(time.perf_counter() - begin)
    finally:
        gc.enable()
    return min(times)
