"""Message passing against its matrix-vector products alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.table import Measure, best_of
from replica.spec import load
from simulate.algorithms.gamp import GAMP
from simulate.algorithms.parts.matrix import Matrix
from simulate.instance import Instance
from simulate.iteration.options import options_of

SIZE, SAMPLES, STEPS, GOAL = 10_000, 20_000, 5, 1.5
CASES = ("lasso", "bayes_sign", "logistic_sign")


def measures() -> Iterator[Measure]:
    """Seconds of a step of GAMP over those of its two products, on inputs of 10,000 by 20,000; the slowest of three learners."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, SIZE))
    w = rng.standard_normal(SIZE)
    fields = x @ w / np.sqrt(SIZE)
    matrix, ratios, seconds = Matrix(x), {}, 0.0
    for name in CASES:
        spec = load(name).expand()
        at = spec.at({"alpha": SAMPLES / SIZE})
        y = fields if name == "lasso" else np.sign(fields)
        instance = Instance(spec, at, SIZE, 0, {"x": x, "y": y}, {})
        algorithm = GAMP(instance, options_of(spec, "gamp", at, {}))
        state = algorithm.init(rng, 0)
        algorithm.step(state, rng)
        times, alone = [], []
        for _ in range(STEPS):  # in turn, so that both meet the same neighbours
            times.append(best_of(partial(algorithm.step, state, rng), 1, 0))
            alone.append(best_of(partial(matrix.fields, w), 1, 0) + best_of(partial(matrix.pulls, y), 1, 0))
        ratios[name], seconds = min(times) / min(alone), min(alone)
    worst = max(ratios, key=lambda name: ratios[name])
    note = f"{seconds:.2f} s for both products; " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    yield Measure(f"a step of AMP at d = {SIZE:,}, n = {SAMPLES:,}, over its products", ratios[worst], "x", GOAL, note=note)
