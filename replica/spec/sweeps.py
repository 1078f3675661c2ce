"""Grids of a sweep: "0.2:6:30" (start:stop:count), "log:0.1:10:50", or a list."""

from __future__ import annotations

import math
from typing import Any

from replica.spec.errors import SpecError, shown
from replica.spec.records import Entry

LONGEST = 100_000
_FORM = "write 'start:stop:count', 'log:start:stop:count' or a list of numbers"


def grid(series: str | list[Any] | tuple[Any, ...] | float) -> tuple[float, ...]:
    """The numbers of a series, in its own order.

    Raises:
        SpecError: one sentence.
    """
    if isinstance(series, list | tuple):
        numbers = tuple(_number(item) for item in series)
        if not numbers:
            raise SpecError(f"the list is empty; {_FORM}")
        return numbers
    if isinstance(series, int | float) and not isinstance(series, bool):
        return (_number(series),)
    if not isinstance(series, str):
        raise SpecError(f"{shown(series)} is not a series; {_FORM}")
    parts = series.strip().split(":")
    logarithmic = parts[0].strip() == "log"
    parts = parts[logarithmic:]
    if len(parts) != 3:
        raise SpecError(f"{shown(series)} is not a series; {_FORM}")
    start, stop, count = (_number(part) for part in parts)
    if math.isinf(start) or math.isinf(stop):
        raise SpecError(f"{shown(series)}: start and stop must be finite")
    if count != int(min(count, LONGEST + 1)) or not 1 <= count <= LONGEST:
        raise SpecError(f"{shown(series)}: the count must be an integer from 1 to {LONGEST}")
    if logarithmic and (start <= 0 or stop <= 0):
        raise SpecError(f"{shown(series)}: a logarithmic series needs positive ends")
    steps = [k / (int(count) - 1) if count > 1 else 0.0 for k in range(int(count))]
    if logarithmic:
        low, high = math.log(start), math.log(stop)
        numbers = tuple(math.exp(low + (high - low) * s) for s in steps)
    else:
        numbers = tuple(start + (stop - start) * s for s in steps)
    return (start, *numbers[1:-1], stop) if count > 1 else (start,)


def _number(item: Any) -> float:
    try:
        if isinstance(item, bool):
            raise TypeError
        value = float(item)
    except (TypeError, ValueError, OverflowError):
        raise SpecError(f"{shown(item)} is not a number; {_FORM}") from None
    if value != value:
        raise SpecError("nan is not a number that a sweep can hold")
    return value


class Series(Entry):
    """A series as it was written; `grid` gives its numbers."""

    def read(self, raw: Any) -> Any:
        series = tuple(raw) if isinstance(raw, list | tuple) else raw
        grid(series)
        return series
