"""`replica validate`: theory beside simulation at one point or along a sweep."""

from __future__ import annotations

from argparse import Namespace
from itertools import product

from numerics.compile import compile_theory
from replica.derive import derive
from replica.spec import load
from replica.theory import Flow
from simulate.cli.request import algorithm, seeds, sweeps, values, whole_numbers
from simulate.cli.request import options as requested
from simulate.cli.screen import print_json, print_warnings, progress
from simulate.finite_size import Verdict
from simulate.report import overall, validate


def run(options: Namespace) -> int:
    """Compare and print.  Exit code 1 where theory and simulation disagree or theory has no solution."""
    spec = load(options.spec)
    fixed = values(spec, options.set)
    axes = sweeps(spec, options.sweep, fixed)
    sizes = whole_numbers(options.sizes, "--sizes") if options.sizes else None
    count, chosen = seeds(options.seeds), algorithm(options.algorithm)
    theory = derive(spec)
    module = None if isinstance(theory.system, Flow) else compile_theory(theory)
    print_warnings(spec)
    points = [{**fixed, **dict(zip(axes, map(float, point), strict=True))} for point in product(*axes.values())]
    reports = []
    for number, point in enumerate(points):
        with progress(f"point {number + 1} of {len(points)}") as told:
            more = {"device": options.device, "module": module, "progress": told, "options": requested(options.option)}
            reports.append(validate(spec, point, sizes, count, algorithm=chosen, **more))
        if not options.json:
            print(reports[-1], end="\n\n", flush=True)
    answer = overall(reports)
    if options.json:
        found = [report.to_json() for report in reports]
        body = {"name": spec.name, "fingerprint": spec.fingerprint, "points": found, "verdict": answer.value}
        print_json({**body, "provenance": reports[0].provenance})
    elif len(reports) > 1:
        print(f"verdict of all {len(reports)} points: {answer.value}")
    solved = all(report.prediction.converged for report in reports)
    return 0 if solved and answer is not Verdict.DISAGREES else 1
