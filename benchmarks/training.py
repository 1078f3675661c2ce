"""Batched training against a loop over scikit-learn, on the same instances."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.table import Measure, best_of
from replica.spec import load
from simulate.draw import draw
from simulate.learn.erm import train

SIZE, INSTANCES, GOAL = 500, 64, 5.0
SOLVERS = ("lbfgs", "newton-cholesky")


def measures() -> Iterator[Measure]:
    """Seconds of both on 64 instances of logistic regression with d = 500 at the catalog's default point."""
    spec = load("logistic_sign").expand()
    point = spec.at()
    instances = [draw(spec, point, SIZE, seed) for seed in range(INSTANCES)]
    learner = next(iter(spec.learners.values()))
    found = train(instances, learner, "cpu")
    ours = best_of(lambda: train(instances, learner, "cpu"), repeats=2, warm=0)

    def loop(solver: str) -> list[np.ndarray]:
        weights = []
        for instance in instances:
            model = LogisticRegression(C=1 / point["lambda"], fit_intercept=False, solver=solver, tol=1e-8, max_iter=10_000)
            weights.append(model.fit(instance.arrays["x"] / np.sqrt(SIZE), instance.arrays["y"]).coef_[0])
        return weights

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = {solver: best_of(partial(loop, solver), repeats=1, warm=0) for solver in SOLVERS}
        reference = loop(SOLVERS[-1])
    best = min(times, key=lambda solver: times[solver])
    theirs = times[best]
    apart = max(float(np.max(np.abs(mine.mean - other))) for mine, other in zip(found, reference, strict=True))
    note = f"{ours:.2f} s against {theirs:.2f} s ({best}, the faster of two); weights differ by at most {apart:.0e}"
    what = f"training {INSTANCES} instances at d = {SIZE}, over a scikit-learn loop"
    yield Measure(what, theirs / ours, "x", GOAL, above=True, note=note)
