"""`replica follow`, `replica reproduce`: declared in the interface, not built yet, and saying so."""

from __future__ import annotations

from argparse import Namespace

from simulate.cli.request import RequestError

INSTEAD = {
    "follow": "not there yet; `replica solve SPEC --sweep NAME=A:B:N` solves along a control, coexisting solutions included",
    "reproduce": "not there yet, no paper is declared; `replica list catalog` shows the systems that can be solved and validated",
}


def run(options: Namespace) -> int:
    """Refuse in one line.

    Raises:
        RequestError: always.
    """
    raise RequestError(f"{options.command}: {INSTEAD[options.command]}")
