"""`replica simulate`: finite systems drawn, trained and measured at one point."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from numerics.store import save
from replica.spec import load
from simulate.cli.request import RequestError, algorithm, seeds, values, whole_numbers
from simulate.cli.request import options as requested
from simulate.cli.screen import print_json, progress
from simulate.draw import is_formula
from simulate.finite_size import average
from simulate.formulas import read_dimacs
from simulate.iteration import Record
from simulate.learning_curve.table import read
from simulate.runs import Runs, simulate


def run(options: Namespace) -> int:
    """Simulate, print means and standard errors, save every run.  Exit code 1 where no run succeeded."""
    spec = load(options.spec)
    fixed = values(spec, options.set)
    sizes = whole_numbers(options.sizes, "--sizes") if options.sizes else None
    data = None if not options.data else _data(options.data, is_formula(spec.expand()))
    if data is not None and sizes is not None:
        raise RequestError("--sizes: the size of your own data is the number of their columns, or of the weights of a formula")
    with progress(f"simulating {spec.name}") as told:
        runs = simulate(
            spec, fixed, sizes, seeds(options.seeds), algorithm(options.algorithm), options.device, told,
            requested(options.option), options.resume, data,
        )
    if options.output:
        save(runs.to_xarray(), options.output)
    if options.json:
        print_json({"name": spec.name, "fingerprint": spec.fingerprint, "points": [summary(runs)]})
    else:
        print_table(runs)
    return 0 if runs.succeeded else 1


def _data(files: list[str], formula: bool) -> tuple[Any, ...]:
    """What --data names."""
    wanted = 1 if formula else 2
    if len(files) != wanted:
        what = "one file in DIMACS form" if formula else "two files, X and y"
        raise RequestError(f"--data: this spec takes {what}, found {len(files)}: {' '.join(files)}")
    return (read_dimacs(files[0]),) if formula else (read(files[0]), read(files[1]))


def summary(runs: Runs) -> dict[str, Any]:
    """Mean and standard error of every observable at every size."""
    table = []
    for size in runs.sizes:
        found = {name: average(runs.values(name, size), size) for name in runs.observables}
        means = {name: {"mean": mean.value, "stderr": mean.stderr, "seeds": mean.seeds} for name, mean in found.items()}
        table.append({"size": size, "observables": means})
    failures = [{"size": one.size, "seed": one.seed, "reason": one.sentence} for one in runs.failures]
    told: dict[str, Any] = {"at": dict(runs.at), "algorithm": runs.algorithm, "sizes": table, "failures": failures}
    if runs.records:
        told["runs"] = [{"size": d, "seed": seed, **_ended(one)} for (d, seed), one in runs.records.items()]
    return told


def _ended(one: Record) -> dict[str, Any]:
    return {"status": one.status.name.lower(), "steps": one.steps, "attempts": one.attempts, "seconds": one.seconds}


def print_table(runs: Runs) -> None:
    """One line per observable and size."""
    print(f"{runs.spec.name}   at {', '.join(f'{name} = {value:g}' for name, value in runs.at.items())}   ({runs.algorithm})\n")
    print(f"{'observable':<22}{'d':>6}{'mean':>14}{'+- s.e.':>11}{'seeds':>7}")
    for name in runs.observables:
        for size in runs.sizes:
            mean = average(runs.values(name, size), size)
            print(f"{name:<22}{size:>6}{mean.value:>14.7g}{mean.stderr:>11.2g}{mean.seeds:>7}")
    if runs.failures:
        print(f"\n{len(runs.failures)} runs failed, the first: {runs.failures[0].sentence}")
