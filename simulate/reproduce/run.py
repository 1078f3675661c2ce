"""One paper from its declaration to a report: figures, claims, finite systems."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from replica.papers.record import Paper
from simulate.reproduce.claims import check
from simulate.reproduce.figures import show
from simulate.reproduce.report import Outcome
from simulate.reproduce.theories import Theories
from simulate.reproduce.trials import attempt


def reproduce(
    paper: Paper,
    figure: str | None = None,
    *,
    fast: bool = False,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Solve, check and simulate what a paper declares.

    Args:
        figure: only this figure, and neither claims nor finite systems.
        fast: few points and small systems; claims are checked all the same.
        folder: where results go as they are finished (`Outcome.write` adds figures, equations and the report).
        progress: called with (pieces done, pieces in all).

    Raises:
        KeyError: no such figure.
    """
    theories = Theories(paper)
    names = tuple(paper.figures) if figure is None else (figure,)
    whole = figure is None
    total = sum(len(paper.figures[name].drawn) for name in names) + (len(paper.claims) + len(paper.trials) if whole else 0)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    shown = tuple(show(theories, name, fast, folder, step) for name in names)
    checked, tried = [], []
    for claim in paper.claims if whole else ():
        checked.append(check(theories, claim))
        step()
    for trial in paper.trials if whole else ():
        tried.append(attempt(theories, trial, fast))
        step()
    return Outcome(paper, theories, shown, tuple(checked), tuple(tried), fast)
