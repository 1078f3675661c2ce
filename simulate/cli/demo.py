"""`make demo`: one system from the declaration to the verdict, with files in demo/."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from numerics.compile import compile_theory
from numerics.store import save
from numerics.sweep import sweep
from replica.derive import derive
from replica.spec import grid, load
from replica.spec.conventions import conventions
from simulate.cli.grid import described
from simulate.cli.screen import progress
from simulate.finite_size import Verdict
from simulate.plot import plot
from simulate.report import overall, validate

NAME, FOLDER = "logistic_sign", Path("demo")
MEASURED = (0.5, 1.0, 2.0, 4.0)
"""Values of alpha at which finite systems are trained."""


def main() -> int:
    """Derive, solve, train, compare.  1 where theory and simulation disagree."""
    began = time.perf_counter()
    spec = load(NAME)
    FOLDER.mkdir(exist_ok=True)

    _title(f"1. Declare: {spec.name}")
    print("\n".join(conventions(spec)))

    _title("2. Derive")
    theory = derive(spec)
    print(theory.text(steps=True))
    head = "".join(f"% {line}\n" for line in conventions(spec))
    (FOLDER / "equations.tex").write_text(head + theory.latex(steps=True), encoding="utf-8")

    _title("3. Solve")
    module = compile_theory(theory)
    assert spec.run is not None and spec.run.sweep is not None
    alphas = np.array(grid(spec.run.sweep["alpha"]))
    curve = described(spec, sweep(module, {"alpha": alphas}))
    save(curve, FOLDER / "theory.nc")
    print(f"{'alpha':>8} {'generalization error':>22} {'training loss':>15}")
    best = curve.isel(solution=0)
    for alpha, error, loss in zip(alphas, best["generalization_error"].values, best["training_loss"].values, strict=True):
        print(f"{alpha:8.2f} {error:22.12f} {loss:15.10f}")

    _title(f"4. Train finite systems, d = {' '.join(map(str, spec.run.sizes or ()))}, {spec.run.seeds} seeds each")
    reports = []
    for alpha in MEASURED:
        with progress(f"alpha = {alpha:g}") as told:
            reports.append(validate(spec, {"alpha": alpha}, module=module, progress=told))
        print(reports[-1], end="\n\n", flush=True)

    figure = plot(curve, *reports)
    figure.savefig(FOLDER / "learning_curve.png", dpi=150)
    verdict = overall(reports)
    print(f"written: {', '.join(str(path) for path in sorted(FOLDER.iterdir()))}")
    print(f"theory and simulation at {len(reports)} points, {time.perf_counter() - began:.0f} s")
    print(f"verdict: {verdict.value}")
    return 1 if verdict is Verdict.DISAGREES else 0


def _title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
