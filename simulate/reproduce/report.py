"""What came out of reproducing a paper: a table of claims, a list of what was not checked, files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Canvas

from replica.papers.record import Paper
from simulate.cli.screen import plain
from simulate.finite_size import Verdict
from simulate.report import table
from simulate.reproduce.claims import Checked, State
from simulate.reproduce.figures import Shown
from simulate.reproduce.theories import Theories
from simulate.reproduce.trials import Tried


@dataclass(frozen=True)
class Outcome:
    """Everything found for one paper."""

    paper: Paper
    theories: Theories = field(repr=False)
    shown: tuple[Shown, ...]
    checked: tuple[Checked, ...]
    tried: tuple[Tried, ...]
    fast: bool = False

    @property
    def agrees(self) -> bool:
        """Whether every claim holds, every figure is complete and no finite system disagrees."""
        claims = all(one.state is State.HOLDS for one in self.checked)
        figures = all(one.complete for one in self.shown)
        return claims and figures and all(one.report is not None and one.verdict is not Verdict.DISAGREES for one in self.tried)

    def figure(self, name: str) -> Canvas:
        """One of the paper's figures, drawn."""
        return next(one.canvas() for one in self.shown if one.name == name)

    def write(self, folder: Path) -> list[Path]:
        """Figures, equations, report.md and report.json in `folder`; returns what was written."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for one in self.shown:
            one.canvas().savefig(folder / f"{one.name}.png", dpi=150)
            written.append(folder / f"{one.name}.png")
        for name, theory in self.theories.derived().items():
            written.append(_written(folder / f"equations_{name}.tex", theory.latex(steps=True)))
        written.append(_written(folder / "report.md", self.markdown()))
        written.append(_written(folder / "report.json", json.dumps(plain(self.to_json()), indent=1, allow_nan=False) + "\n"))
        return written

    def to_json(self) -> dict[str, Any]:
        paper = self.paper
        figures = {
            one.name: [{"label": line.what.label, "points": len(line.x), "reason": line.reason} for line in one.drawn] for one in self.shown
        }
        return {
            "paper": paper.name,
            "citation": paper.citation,
            "agrees": self.agrees,
            "fast": self.fast,
            "claims": [one.to_json() for one in self.checked],
            "figures": figures,
            "finite_size": [one.to_json() for one in self.tried],
            "unchecked": [{"claim": one.sentence, "reason": one.reason} for one in paper.unchecked],
        }

    def markdown(self) -> str:
        """The report as a page."""
        return "\n".join(self._lines()) + "\n"

    def __str__(self) -> str:
        return self.markdown()

    def _lines(self) -> Iterator[str]:
        yield f"# {self.paper.title}"
        yield f"\n{self.paper.citation}\n\n{' '.join(self.paper.story.split())}"
        if self.checked:
            yield "\n## Claims\n\n| claim | found | expected | tolerance | origin | |\n|---|---|---|---|---|---|"
        yield from (_claim_row(one) for one in self.checked)
        if self.tried:
            yield "\n## Finite systems"
        for tried in self.tried:
            point = ", ".join(f"{name} = {value:g}" for name, value in tried.trial.at.items())
            yield f"\n`{tried.trial.spec}` at {point}: {tried.verdict.value}{f' ({tried.reason})' if tried.reason else ''}"
            if tried.report is not None:
                yield f"\n```\n{table(tried.report)}\n```"
        missing = [(one.name, line) for one in self.shown for line in one.drawn if line.reason]
        if missing:
            yield "\n## Missing in the figures\n"
        yield from (f"* {name}, {line.what.label}: {line.reason}" for name, line in missing)
        if self.paper.unchecked:
            yield "\n## Not checked\n"
        yield from (f"* {one.sentence}: {one.reason}" for one in self.paper.unchecked)
        yield f"\n{self.verdict()}"

    def verdict(self) -> str:
        """One sentence."""
        states = [one.state for one in self.checked]
        counts = ", ".join(f"{states.count(state)} {state.value}" for state in State if state in states) or "none checked"
        lines = [line for one in self.shown for line in one.drawn]
        whole = sum(not line.reason for line in lines)
        return f"claims: {counts}; curves complete: {whole} of {len(lines)}; not checked: {len(self.paper.unchecked)}"


def _claim_row(one: Checked) -> str:
    claim = one.claim
    sign = "" if claim.relation.value == "=" else f"{claim.relation.value} "
    origin = f"{claim.origin.value}{f' ({claim.source})' if claim.source else ''}"
    found = f"{one.found:.12g}" if one.state is not State.NOT_COMPUTABLE else "-"
    state = f"{one.state.value}{f': {one.reason}' if one.reason else ''}"
    return f"| {claim.sentence} | {found} | {sign}{claim.expected:.12g} | {claim.tolerance:g} | {origin} | {state} |"


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
