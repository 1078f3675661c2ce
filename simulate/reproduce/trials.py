"""Finite systems of a paper beside its theory."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from replica.papers.record import Trial
from replica.theory import Flow
from simulate.finite_size import Verdict, verdict
from simulate.instance import Unsupported
from simulate.report import Report, validate
from simulate.reproduce.theories import NotComputable, Theories


@dataclass(frozen=True)
class Tried:
    """A trial with its report, or the sentence of what stood in the way."""

    trial: Trial
    report: Report | None = None
    verdict: Verdict = Verdict.INCONCLUSIVE
    reason: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        found = {"spec": self.trial.spec, "at": dict(self.trial.at), "verdict": self.verdict.value, "reason": self.reason}
        rows = self.report.to_json() if self.report is not None else {}
        return {
            **found,
            "seconds": round(self.seconds, 3),
            "observables": rows.get("observables", {}),
            "algorithm": rows.get("algorithm", ""),
        }


def attempt(theories: Theories, trial: Trial, fast: bool) -> Tried:
    """Simulate and compare at one point."""
    began = perf_counter()
    sizes, seeds = (trial.fast_sizes or trial.sizes, trial.fast_seeds) if fast else (trial.sizes, trial.seeds)
    try:
        spec, theory = theories.spec(trial.spec), theories.theory(trial.spec)
        module = theories.flow(trial.spec) if isinstance(theory.system, Flow) else theories.module(trial.spec)
        report = validate(spec, trial.at, sizes or None, seeds, algorithm=trial.algorithm, module=module)
    except (NotComputable, Unsupported) as stopped:
        return Tried(trial, reason=str(stopped), seconds=perf_counter() - began)
    rows = tuple(row for row in report.comparisons if not trial.observables or row.observable in trial.observables)
    reason = "; ".join(row.reason for row in rows if row.reason) or ("" if rows else report.prediction.sentence)
    return Tried(trial, report, verdict(rows), reason, perf_counter() - began)
