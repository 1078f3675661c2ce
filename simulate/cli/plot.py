"""`replica plot`: a figure of result files, theory and runs together."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from numerics.store import load
from simulate.cli.request import RequestError
from simulate.plot import plot

FORMATS = (".png", ".pdf", ".svg", ".eps", ".jpg")


def run(options: Namespace) -> int:
    """Draw the files into one figure.

    Raises:
        StoreError: a file is missing, damaged or no result of this program.
        RequestError: the figure's format is unknown.
    """
    target = Path(options.output or f"{Path(options.files[0]).with_suffix('')}.png")
    if target.suffix.lower() not in FORMATS:
        raise RequestError(f"-o {target}: unknown format of a figure (formats: {' '.join(FORMATS)})")
    figure = plot(*(load(file) for file in options.files))
    figure.savefig(target, dpi=150)
    print(target)
    return 0
