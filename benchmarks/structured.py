"""Structured data: curves and points of several groups and learners, and a spectrum of many modes against one of few."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.table import Measure, best_of
from numerics.compile import Module, compile_theory
from numerics.solve import solve
from numerics.sweep import sweep
from replica import channels, laws, losses, priors, protocols, regularizers
from replica.derive import derive
from replica.families.staged.compress import compressed
from replica.spec import Control, Data, Spec, Student, Teacher, load

SHARES = np.linspace(0.5, 0.95, 50)
MODES = (100, 10_000)


def curve() -> Measure:
    """Seconds of 50 points of the teacher mixture."""
    module = compile_theory(derive(load("teacher_mixture")))
    found = sweep(module, {"rho": SHARES})
    failed = int((found["status"].values[:, 0] != "converged").sum())
    note = f"largest error {float(found['quadrature_error'].max()):.0e}" + (f", {failed} POINTS FAILED" if failed else "")
    return Measure("sweep of 50 points, teacher_mixture", best_of(lambda: sweep(module, {"rho": SHARES}), repeats=3), "s", 1.0, note=note)


def point() -> Measure:
    """Seconds of one point of distillation, which has averages over two fields."""
    module = compile_theory(derive(load("distillation")))
    (best, *_) = solve(module)
    note = f"{best.status.name.lower()}, error {best.quadrature_error:.0e}"
    return Measure("one point, distillation", best_of(lambda: solve(module), repeats=3), "s", 1.0, note=note)


def spectrum(count: int) -> tuple[Module, float]:
    """A theory on eigenvalues 1/k of k = 1.., of mean one; and the error of the quadrature that stands for them."""
    values = 1 / np.arange(1, count + 1)
    law = laws.Covariance(tuple(float(v) for v in values / values.mean()))
    spec = Spec(
        name=f"spectrum of {count} modes",
        teacher=Teacher(prior=priors.Gaussian(), channel=channels.Sign()),
        student=Student(protocol=protocols.ERM(), loss=losses.Logistic(), regularizer=regularizers.Ridge("lambda")),
        data=Data(law=law),
        controls={name: Control(value=value, domain="(0, inf)") for name, value in (("alpha", 2.0), ("lambda", 0.1))},
    )
    return compile_theory(derive(spec)), compressed(law.spectrum(), False).error


def modes() -> Measure:
    """Seconds of a point with 10,000 modes over those with 100."""
    found = [spectrum(count) for count in MODES]
    few, many = (best_of(partial(solve, module), repeats=9) for module, _ in found)
    note = f"{1e3 * many:.3g} ms against {1e3 * few:.3g} ms, quadrature of the spectrum good to {found[1][1]:.0e}"
    return Measure("one point, 10000 modes over 100", many / few, "x", 3.0, note=note)


def measures() -> Iterator[Measure]:
    """All of them."""
    yield curve()
    yield point()
    yield modes()
