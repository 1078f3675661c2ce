"""Compiled kernels against exact evaluation of the same program, and against reference numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from numerics.compile import compile_program
from tests.contracts.graph_programs import bayes_sign, logistic, random_program

REFERENCE = Path(__file__).parents[1] / "reference"


def rows(name):
    with open(REFERENCE / name, encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def newton(module, p, x, w, steps=60):
    n, off = len(module.unknowns), np.array([0, len(x)])
    scratch, out = np.zeros(module.scratch(off)), np.zeros(200)
    p = np.array(p, float)
    for _ in range(steps):
        assert module.residual(p, x, w, off, scratch, out) == n + n * n + n * len(module.controls)
        step = np.linalg.solve(out[n : n + n * n].reshape(n, n), out[:n])
        scale = 1.0
        while True:  # halve until inside the domain
            trial = p.copy()
            trial[:n] -= scale * step
            count = module.inside(trial, x, w, off, scratch, out)
            if np.all(out[:count] > 0):
                break
            scale /= 2
        p = trial
        if np.abs(step).max() < 1e-15:
            break
    return p


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels") / "cache"


def test_bayes_sign_reaches_the_reference(folder):
    module = compile_program(bayes_sign(), cache=folder)
    x = np.linspace(-9, 9, 400)
    w = np.exp(-(x**2) / 2) * (18 / 399) / np.sqrt(2 * np.pi)
    guess = [0.9, 0.1]
    for row in rows("P1_bo_sign_gauss.csv")[:20]:
        p = newton(module, [*guess, float(row["alpha"])], x, w)
        assert 1 - p[0] == pytest.approx(float(row["q_ref"]), rel=1e-12)
        guess = list(p[:2])


def test_logistic_reaches_the_reference(folder):
    module = compile_program(logistic(), cache=folder)
    x, w = np.polynomial.legendre.leggauss(200)
    x, w = (x + 1) / 2, w / 2
    guess = [0.03, 0.016, 0.98, 0.03, 0.016, 0.02]
    for row in [r for r in rows("P4_erm_logistic_l2.csv") if float(r["lambda"]) == 1][:12]:
        p = newton(module, [*guess, float(row["alpha"]), 1.0], x, w)
        np.testing.assert_allclose(p[:3], [float(row[k]) for k in ("m", "q", "V")], rtol=1e-12, equal_nan=False)
        guess = list(p[:6])


def test_two_levels_compiled(folder):
    program = random_program(201, 2)
    module = compile_program(program, cache=folder)
    rng = np.random.default_rng(0)
    off = np.array([0, 7, 16])
    x, w = rng.normal(size=16), rng.uniform(0.1, 1, 16)
    p, out = np.array([0.37, 0.61, 1.3]), np.zeros(20)
    scratch = np.zeros(module.scratch(off))
    assert module.residual(p, x, w, off, scratch, out) == 8
    exact = module.exact(30).residual(p, x, w, off)
    np.testing.assert_allclose(out[:2], [float(e) for e in exact], rtol=1e-13, atol=1e-13, equal_nan=False)
    for k in range(3):
        step = 1e-6
        ends = []
        for sign in (1, -1):
            moved = p.copy()
            moved[k] += sign * step
            other = np.zeros(20)
            module.residual(moved, x, w, off, scratch, other)
            ends.append(other[:2])
        slope = (ends[0] - ends[1]) / (2 * step)
        column = out[2:6].reshape(2, 2)[:, k] if k < 2 else out[6:8]
        np.testing.assert_allclose(column, slope, rtol=1e-7, atol=1e-7, equal_nan=False)


def test_backends_agree(folder):
    module = compile_program(bayes_sign(), cache=folder)
    x = np.linspace(-9, 9, 61)
    w = np.exp(-(x**2) / 2) * 0.3 / np.sqrt(2 * np.pi)
    off, p = np.array([0, 61]), [0.4, 1.5, 2.0]
    exact = module.exact(30).residual(p, x, w, off)
    scipy = module.exact(16, "numpy").residual(p, x, w, off)
    np.testing.assert_allclose([float(v) for v in scipy], [float(v) for v in exact], rtol=1e-13, atol=1e-15, equal_nan=False)
    pytest.importorskip("flint")
    arb = module.exact(30, "flint").residual(p, x, w, off)
    assert all(abs(float(a.mid().str(30, radius=False)) - float(b)) < 1e-15 for a, b in zip(arb, exact, strict=True))
    with pytest.raises(ValueError, match="unknown backend"):
        module.exact(30, "fortran")
