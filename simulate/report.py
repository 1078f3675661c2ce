"""Theory beside simulation: one report per point, with z-scores and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from numerics.compile import Module, compile_theory
from numerics.flow.compile import FlowModule
from numerics.solution import Solution
from numerics.solve import solve
from replica.derive import derive
from replica.spec import Spec
from replica.theory import Flow
from simulate import conditional
from simulate.finite_size import Comparison, Verdict, compare_all, verdict
from simulate.instance import Unsupported
from simulate.naming import with_vector
from simulate.runs import Runs, plan, simulate

TRACED = ("replica-engine", "numpy", "scipy", "sympy", "numba", "torch")


@dataclass(frozen=True)
class Report:
    """One point, both ways.

    Args:
        prediction: the solution that is compared: the thermodynamic one, or where the runs are message passing the one it reaches.
        measured: the runs.
        comparisons: one per observable that both sides have.
        verdict: of all of them; inconclusive where theory has no solution.
        coexisting: how many further solutions there are.
        provenance: what is needed to make it again.
    """

    prediction: Solution
    measured: Runs = field(repr=False)
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    coexisting: int = 0
    provenance: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def at(self) -> Mapping[str, float]:
        """The value of every control."""
        return self.measured.at

    @property
    def stderr(self) -> dict[str, float]:
        """Standard error of the value that is compared, by observable."""
        return {row.observable: row.stderr for row in self.comparisons}

    @property
    def extrapolated(self) -> dict[str, float]:
        """The value that is compared: in the limit of large systems where the sizes fit it, else at the largest size."""
        return {row.observable: row.value for row in self.comparisons}

    @property
    def z_scores(self) -> dict[str, float]:
        """(simulation - theory) in standard errors, by observable."""
        return {row.observable: row.z for row in self.comparisons}

    def to_json(self) -> dict[str, Any]:
        """The point as the command line prints it."""
        rows = {
            row.observable: {
                "theory": row.theory, "simulation": row.value, "stderr": row.stderr, "z": row.z, "verdict": row.verdict.value,
                "reason": row.reason, "extrapolated": is_extrapolated(row),
                "sizes": [{"size": m.size, "mean": m.value, "stderr": m.stderr, "seeds": m.seeds} for m in row.means],
            }
            for row in self.comparisons
        }
        return {
            "at": dict(self.at), "observables": rows, "verdict": self.verdict.value, "status": self.prediction.sentence,
            "algorithm": self.measured.algorithm, "failed_runs": len(self.measured.failures),
        }

    def __str__(self) -> str:
        return table(self)

    def __repr__(self) -> str:
        return table(self)


def is_extrapolated(row: Comparison) -> bool:
    """Whether the compared value is the limit and not the largest size."""
    return row.limit is not None and row.value == row.limit.value


def validate(
    spec: Spec,
    at: Mapping[str, float] | None = None,
    sizes: Sequence[int] | None = None,
    seeds: int | Sequence[int] | None = None,
    *,
    algorithm: str | None = None,
    device: str = "cpu",
    module: Module | FlowModule | None = None,
    progress: Callable[[int, int], None] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Report:
    """Solve and simulate one point and compare every observable that both have.

    Args:
        at: controls that differ from their defaults.
        sizes, seeds, algorithm, device: of the finite systems; the spec's run plan where left out.
        module: the compiled theory of this spec, where it is at hand.
        progress: called with (runs done, runs in all).
        options: of the algorithm.

    Raises:
        SpecError: a value outside its domain.
        Unsupported: the spec has parts without a finite system.
    """
    point = spec.at(at or {})
    theory = derive(spec) if module is None else module.theory
    if theory is not None and isinstance(theory.system, Flow):
        from simulate import trajectories  # brings what integrates flows, which no other theory needs

        flow = module if isinstance(module, FlowModule) else None
        planned = plan(spec.expand(), sizes, seeds, point)
        paths = trajectories.compared(spec.expand(), theory, point, *planned, progress, flow, algorithm, device)
        return Report(paths.prediction, paths.runs, paths.comparisons, verdict(paths.comparisons), 0, _provenance(spec, paths.runs, device))
    assert not isinstance(module, FlowModule)
    if module is None:
        assert theory is not None
        module = compile_theory(theory)
    known = {control.name for control in module.theory.controls} if module.theory is not None else set(point)
    if module.theory is not None and module.theory.missing:
        watch = conditional.Watch(spec.expand())
        runs = simulate(spec, at, sizes, seeds, algorithm, device, progress, options, watch=watch)
        if not watch.found:
            raise Unsupported(f"no run whose features could be measured: {runs.failures[0].sentence}")
        whole, rows, failures = conditional.compared(module, {k: v for k, v in point.items() if k in known}, runs, watch)
        runs = replace(runs, failures=(*runs.failures, *failures))
        return Report(whole, runs, rows, verdict(rows), 0, _provenance(spec, runs, device))
    solutions = solve(module, {name: value for name, value in point.items() if name in known})
    runs = simulate(spec, at, sizes, seeds, algorithm, device, progress, options)
    chosen = _reached(solutions, runs.algorithm)
    rows = compare_all(runs, with_vector(runs.spec, predicted(chosen))) if chosen.converged else ()
    return Report(chosen, runs, rows, verdict(rows), len(solutions) - 1, _provenance(spec, runs, device))


def predicted(solution: Solution) -> dict[str, float]:
    """Order parameters and observables of a solution as numbers; those on the way there are named NAME@STEP."""
    steps = solution.trajectory.get("time", ())
    way = {f"{name}@{t:g}": float(v) for name, values in solution.trajectory.items() for t, v in zip(steps, values, strict=True)}
    return way | {name: float(value) for name, value in {**solution.order_parameters, **solution.observables}.items()}


def _reached(solutions: Sequence[Solution], algorithm: str) -> Solution:
    """Message passing starts without information: where solutions coexist it ends in the one that start leads to."""
    if algorithm in ("amp", "gamp"):
        for found in solutions:
            if found.start == "uninformed" and found.stable is not False:
                return found
    return solutions[0]


def overall(reports: Iterable[Report]) -> Verdict:
    """The verdict of several points together."""
    points = tuple(reports)
    if not points or not all(report.comparisons for report in points):
        return Verdict.INCONCLUSIVE
    return verdict(tuple(row for report in points for row in report.comparisons))


def _provenance(spec: Spec, runs: Runs, device: str) -> dict[str, Any]:
    versions = {}
    for name in TRACED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    seeds = sorted({row.seed for row in runs.rows})
    model = {"name": spec.name, "fingerprint": spec.fingerprint}
    return {**model, "sizes": list(runs.sizes), "seeds": seeds, "device": device, "versions": versions}


def table(report: Report) -> str:
    """theory | simulation +- standard error | z for every observable, with the verdict under it."""
    point = ", ".join(f"{name} = {value:g}" for name, value in report.at.items())
    runs, best = report.measured, report.prediction
    seeds = len({row.seed for row in runs.rows})
    lines = [
        f"{runs.spec.name}   at {point}",
        f"theory: {best.sentence}, residual {best.residual:.1g}, quadrature error {best.quadrature_error:.1g}"
        + (f"; {report.coexisting} further solution{'s' if report.coexisting > 1 else ''}" if report.coexisting else ""),
        f"simulation: {runs.algorithm}, d = {' '.join(map(str, runs.sizes))}, {seeds} seeds, {len(runs.failures)} failed"
        + (f", the first: {runs.failures[0].sentence}" if runs.failures else ""),
        "",
        f"{'observable':<22}{'theory':>14}{'simulation':>14}{'+- s.e.':>11}{'z':>7}   {'from':<12}",
    ]
    for row in report.comparisons:
        source = "d -> inf" if is_extrapolated(row) else f"d = {row.means[-1].size}"
        remark = "" if row.verdict is Verdict.AGREES else f"   {row.verdict.value}: {row.reason}"
        numbers = f"{row.theory:>14.7g}{row.value:>14.7g}{row.stderr:>11.2g}{row.z:>7.2f}"
        lines.append(f"{row.observable:<22}{numbers}   {source:<12}{remark}".rstrip())
    if not report.comparisons:
        lines.append("no observable that both sides have" if best.converged else "theory gives no values here")
    if best.converged and best.stable is False:
        lines.append("the solution is unstable under the assumed ansatz")
    return "\n".join([*lines, "", f"verdict: {report.verdict.value}"])
