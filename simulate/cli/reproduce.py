"""`replica reproduce`: a paper's figures, claims and equations in a folder."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from replica.papers import papers
from replica.spec.errors import nearest
from simulate.cli.request import RequestError
from simulate.cli.screen import progress


def run(options: Namespace) -> int:
    """Reproduce, write, print the report.  Exit code 1 where a claim fails or cannot be computed, or a curve is incomplete.

    Raises:
        RequestError: there is no such paper or figure.
    """
    known = papers()
    if options.paper not in known:
        raise RequestError(f"reproduce: no paper '{options.paper}' (papers: {' '.join(known)}){nearest(options.paper, known)}")
    paper = known[options.paper]
    if options.figure is not None and options.figure not in paper.figures:
        listed = " ".join(paper.figures)
        raise RequestError(
            f"reproduce: {paper.name} has no figure '{options.figure}' (figures: {listed}){nearest(options.figure, paper.figures)}"
        )
    from simulate.reproduce import reproduce  # solvers and matplotlib take longer to load than a wrong name to refuse

    folder = Path(options.output or paper.name)
    folder.mkdir(parents=True, exist_ok=True)
    with progress(paper.name) as told:
        outcome = reproduce(paper, options.figure, fast=options.fast, folder=folder, progress=told)
    written = outcome.write(folder)
    print(outcome)
    print(f"written: {', '.join(str(path) for path in written)}")
    return 0 if outcome.agrees else 1
