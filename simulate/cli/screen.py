"""What goes to the screen: JSON that is JSON, and a progress bar where there is a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from replica.spec import Spec
from replica.spec.energies import warnings


def plain(value: Any) -> Any:
    """The value with what JSON cannot hold replaced: NaN by null, infinities by the strings "inf" and "-inf"."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    number = float(value)
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else "inf" if number > 0 else "-inf"


def print_json(content: Any) -> None:
    """One object on standard output."""
    print(json.dumps(plain(content), indent=1, allow_nan=False))


def print_warnings(spec: Spec) -> None:
    """What must be known about the spec, a line each on standard error."""
    for sentence in warnings(spec):
        print(f"replica: warning: {sentence}", file=sys.stderr)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A function to be told (done, total); it draws a bar on a terminal and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
