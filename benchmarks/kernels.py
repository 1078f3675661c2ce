"""Compiled kernels against kernels written by hand for the same integrals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit, types

from benchmarks import hand_kernels, hand_minimizers
from benchmarks.table import Measure, best_of
from numerics.compile import Module, compile_theory
from numerics.methods.raw import call
from numerics.program import Rule
from numerics.solve import solve
from replica.derive import derive
from replica.spec import load

NODES, CALLS, GOAL = 192, 2000, 1.25  # nodes of each loop
SOLVED = 1e-8  # with nodes spread evenly, not adapted
UNIT = Rule.UNIT
# name, catalog spec, hand kernels, their loops, their parameters from a solution's named results
_ERM = ("m", "q", "chi", "m_hat", "q_hat", "chi_hat", "alpha", "lambda")
CASES = (
    ("P1", "bayes_sign", {"alpha": 2.0}, hand_kernels.P1, (Rule.LINE,), ("V", "q_hat", "alpha")),
    ("P4", "logistic_sign", {"alpha": 2.0, "lambda": 1.0}, hand_minimizers.P4, (UNIT,), _ERM),
    ("P6", "hinge_sign", {"alpha": 2.0, "lambda": 1.0}, hand_minimizers.P6, (UNIT, UNIT), _ERM),
)
_V, _I = types.float64[::1], types.int64[::1]


@njit(types.void(types.int64, types.int64, _V, _V, _V, _I, _V, _V))
def repeat(address, times, p, x, w, off, scr, out):
    """Calls without Python in between."""
    for _ in range(times):
        call(address, p, x, w, off, scr, out)


def nodes(rules: tuple[Rule, ...], each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`each` nodes for every loop of these rules: x, w and offsets.  Kernels do not touch those of loops that only values need."""
    t, v = np.polynomial.legendre.leggauss(16)
    panels = np.arange(each // 16)
    unit = ((panels[:, None] + (t + 1) / 2) / len(panels)).ravel()
    weights = np.tile(v / 2, len(panels)) / len(panels)
    line = 18 * unit - 9
    xs = [line if rule is Rule.LINE else unit for rule in rules]
    ws = [18 * weights * np.exp(-(line**2) / 2) / np.sqrt(2 * np.pi) if rule is Rule.LINE else weights for rule in rules]
    return np.concatenate(xs), np.concatenate(ws), np.arange(len(rules) + 1) * len(unit)


def seconds(kernel: Any, p: np.ndarray, unknowns: int, rules: tuple[Rule, ...], scratch: Any) -> float:
    """Seconds of one call at NODES nodes a loop.

    Raises:
        ArithmeticError: the kernel does not vanish at the solution, so that its speed means nothing.
    """
    x, w, off = nodes(rules, NODES)
    scr, out = np.zeros(scratch(off)), np.zeros(512)
    repeat(kernel.address, 1, p, x, w, off, scr, out)
    worst = float(np.max(np.abs(out[:unknowns]) / (1 + np.abs(p[:unknowns]))))
    if not worst < SOLVED:
        raise ArithmeticError(f"residual {worst:.1e} at the solution with {NODES} nodes")
    return best_of(lambda: repeat(kernel.address, CALLS, p, x, w, off, scr, out), repeats=9, warm=2) / CALLS


def compiled(module: Module, at: dict[str, float]) -> tuple[float, dict[str, float]]:
    """Seconds of the compiled residual at the solution, and the solution's named numbers."""
    best = solve(module, at)[0]
    assert best.converged, best
    found = {**best.unknowns, **best.order_parameters, **best.conjugates, **best.at}
    numbers = {name: float(value) for name, value in found.items()}
    p = np.array([float(best.unknowns[name]) for name in module.unknowns] + [best.at[name] for name in module.controls])
    return seconds(module.residual, p, len(module.unknowns), tuple(loop.rule for loop in module.loops), module.scratch), numbers


def measures() -> Iterator[Measure]:
    """Ratios of P1, P4 and P6, taken in turns so that both see the same machine."""
    for name, spec, at, (residual, *_), rules, parameters in CASES:
        module = compile_theory(derive(load(spec)))
        ours, numbers = compiled(module, at)
        numbers["V"] = 1 - numbers["q"]
        p = np.array([numbers[key] for key in parameters])
        other = (residual, p, len(p) - len(at), rules, lambda off: 8)
        theirs = seconds(*other)
        ours = min(ours, compiled(module, at)[0])
        theirs = min(theirs, seconds(*other))
        note = f"{ours * 1e6:.2f} us against {theirs * 1e6:.2f} us with {NODES} nodes a loop, Jacobian included"
        yield Measure(f"kernel of {name} over hand-written numba", ours / theirs, "x", GOAL, note=note)
