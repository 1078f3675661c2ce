"""Deriving, sweeping and certifying, in one process after compilation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.table import Measure, best_of
from numerics.certify import certify
from numerics.compile import compile_theory
from numerics.problem import Problem
from numerics.solve import solve
from numerics.status import CODES
from replica.derive import derive
from replica.spec import catalog, load

ALPHAS = np.geomspace(0.1, 10, 50)
TOLERANCE = 1e-11
# name, catalog spec, fixed controls, alphas, seconds
SWEEPS = (
    ("P1", "bayes_sign", {}, ALPHAS, 1e-3),
    ("P2", "compressed_sensing", {"rho": 0.5, "Delta": 0.01}, ALPHAS, 5e-3),
    ("P4, lambda = 1", "logistic_sign", {"lambda": 1.0}, ALPHAS, 4e-3),
    ("P4, lambda = 1e-3", "logistic_sign", {"lambda": 1e-3}, ALPHAS, 4e-3),
    ("P6", "hinge_sign", {"lambda": 1.0}, ALPHAS, 5e-3),
    ("P3", "phase_retrieval", {}, np.linspace(0.56, 2.0, 50), 0.5),
)


def derivations() -> Iterator[Measure]:
    """Seconds of the slowest derivation of the catalog, first call of each."""
    slowest, which = 0.0, ""
    for name in catalog():
        spec = load(name)
        spec.expand()
        if all(learner.theory is not None for learner in spec.learners.values()):
            continue  # simulated, never derived
        seconds = best_of(lambda spec=spec: derive(spec), repeats=1, warm=0)
        if seconds > slowest:
            slowest, which = seconds, name
    yield Measure("deriving a catalog spec, the slowest", slowest, "s", 1.0, note=which)


def sweeps() -> Iterator[Measure]:
    """Seconds of 50 points inside the compiled solver, at 1e-11."""
    for label, name, fixed, alphas, goal in SWEEPS:
        problem = Problem(compile_theory(derive(load(name))))
        rows = [problem.point({**fixed, "alpha": float(alpha)}) for alpha in alphas]
        points = np.array([[row[control] for control in problem.controls] for row in rows])
        start = problem.start(0, rows[0])[None]
        found = problem.march(points, start, TOLERANCE)
        failed = sum(not CODES[code].ok for code in found.status)
        seconds = best_of(lambda p=problem, points=points, start=start: p.march(points, start, TOLERANCE), repeats=7)
        worst = float(np.max(found.info[:, 1]))
        note = f"largest error {worst:.0e}" + (f", {failed} POINTS FAILED" if failed else "")
        yield Measure(f"sweep of 50 points, {label}", seconds, "s", goal, note=note)


def digits() -> Iterator[Measure]:
    """Seconds to carry a double solution of P1 to 30 digits."""
    module = compile_theory(derive(load("bayes_sign")))
    best = solve(module, {"alpha": 2.0})[0]
    seconds = best_of(lambda: certify(module, best, 30), repeats=5)
    yield Measure("30 digits on P1 after the double solution", seconds, "s", 50e-3)


def measures() -> Iterator[Measure]:
    """All of them."""
    yield from derivations()
    yield from sweeps()
    yield from digits()
