"""Replica trees: kernels against hand-written ones, and what is solved with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import sympy as sp

from benchmarks import hand_trees
from benchmarks.kernels import CALLS, GOAL, repeat
from benchmarks.table import Measure, best_of
from numerics.compile import Module, compile_theory
from numerics.continuation import follow
from numerics.lines import follow_event
from numerics.native import Kernel
from numerics.problem import Problem
from numerics.solve import solve
from numerics.status import CODES
from replica.derive import derive
from replica.spec import Spec, load
from replica.theory import Stationary, Theory

AGREE = 1e-9  # of the two kernels' results
STUDENT = """
format = 1
name = "benchmark"
[student]
protocol = {{ kind = "gibbs", beta = inf }}
prior = "{prior}"
loss = {{ kind = "theta", margin = {margin} }}
{ensemble}
[ansatz]
{ansatz}
[controls]
alpha = {{ {alpha}, domain = "(0, inf)" }}
{controls}
"""
EDGE = STUDENT.format(
    prior="spherical", margin='"kappa"', ensemble="", ansatz='kind = "rsb"\nk = 1\nx = "free"', alpha='solve = "q1 = 1", value = 4.7',
    controls='kappa = { value = -0.5, domain = "(-inf, inf)" }',
)  # fmt: skip
STEP = STUDENT.format(
    prior="spherical", margin='"kappa"', ensemble="", ansatz='kind = "rsb"\nk = 1\nx = "power"', alpha="value = 3.0",
    controls='kappa = { value = -0.5, domain = "(-inf, inf)" }\npower = { value = 0.4, domain = "(0, inf)" }',
)  # fmt: skip
PROBE = STUDENT.format(
    prior="binary", margin=0, ensemble='ensemble = { kind = "franz_parisi", overlap = "1 - 2*distance" }', ansatz='kind = "rs"',
    alpha="value = 0.5", controls='distance = { value = 0.35, domain = "(0, 0.5)" }',
)  # fmt: skip


def energetic(theory: Theory, unknowns: int, equations: slice) -> Theory:
    """Some of a theory's equations as a theory of their own: the same averages, with derivatives by the unknowns that they read."""
    system = theory.system
    part = Stationary(system.unknowns[:unknowns], system.equations[equations])
    return dataclasses.replace(theory, system=part, order_parameters={}, conjugates={}, observables={}, free_entropy=sp.S.Zero, scores=None)


def nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The trapezoid rule for a standard normal variable."""
    x = np.linspace(-9, 9, count)
    return x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (18 / (count - 1))


def kernel_ratio(what: str, module: Module, hand: Kernel, p: np.ndarray, outer: int, inner: int) -> Measure:
    """Seconds of the compiled kernel over those of the other, both with `outer` times `inner` nodes, taken in turns.

    Raises:
        ArithmeticError: they do not agree.
    """
    x, w = (np.concatenate(pair) for pair in zip(nodes(outer), nodes(inner), strict=True))
    off, sizes = [0], iter((outer, inner))
    xs, ws = [], []
    for loop in module.loops:
        for values, into in zip(nodes(inner if loop.inside else outer), (xs, ws), strict=True):
            into.append(values)
        off.append(off[-1] + len(xs[-1]))
    own = (p, np.concatenate(xs), np.concatenate(ws), np.array(off), np.zeros(module.scratch(off)), np.zeros(512))
    theirs = (p, x, w, np.array([0, next(sizes), outer + next(sizes)]), np.zeros(4 * (outer + inner)), np.zeros(512))
    repeat(module.residual.address, 1, *own)
    repeat(hand.address, 1, *theirs)
    apart = float(np.abs(own[-1] - theirs[-1]).max())
    if not apart < AGREE:
        raise ArithmeticError(f"{what}: the kernels differ by {apart:.1e}")
    calls = max(1, CALLS * 200 // (outer * inner))
    times = [
        best_of(lambda address=address, a=a: repeat(address, calls, *a), repeats=5, warm=1) / calls
        for _ in range(2)
        for address, a in ((module.residual.address, own), (hand.address, theirs))
    ]
    ours, other = min(times[::2]), min(times[1::2])
    note = f"{ours * 1e6:.0f} us against {other * 1e6:.0f} us with {outer} x {inner} nodes, Jacobian included"
    return Measure(f"kernel of {what} over hand-written numba", ours / other, "x", GOAL, note=note)


def kernels() -> Iterator[Measure]:
    """Two kernels at points near solutions."""
    step = compile_theory(energetic(derive(Spec.from_toml(STEP)), 2, slice(2, 4)))
    yield kernel_ratio("one step of RSB", step, hand_trees.one_step, np.array([0.3, 0.2, 3.0, -0.5, 0.4]), 64, 96)
    pair = compile_theory(energetic(derive(Spec.from_toml(PROBE.replace("1 - 2*distance", "distance"))), 3, slice(3, 6)))
    yield kernel_ratio("a probe around a reference", pair, hand_trees.probe, np.array([0.68, 0.52, 0.34, 0.5, 0.6]), 64, 128)


def capacity() -> Measure:
    """One margin of the 1RSB capacity, from the theory's own starts."""
    module = compile_theory(derive(Spec.from_toml(EDGE)))
    found = solve(module)[0]
    assert found.converged, found
    return Measure("capacity of the spherical perceptron with one step", best_of(lambda: solve(module), repeats=3), "s", 0.5)


def phase_line() -> Measure:
    """The de Almeida-Thouless line of the spherical perceptron in at least 100 points, the first of them included."""
    module = compile_theory(derive(load("spherical_storage")))

    def line() -> int:
        (zero,) = follow(module, {"alpha": (2.0, 6.0)}, {"kappa": -0.5}, points=10).events("replicon")
        return len(follow_event(module, zero, {"alpha": (2.0, 60.0), "kappa": (-2.0, -0.2)}, points=100).points)

    count = line()
    seconds = best_of(line, repeats=1, warm=0)
    return Measure("a phase line of 100 points", seconds * 100 / max(100, count), "s", 10.0, note=f"{count} points in {seconds:.2g} s")


def distances() -> Measure:
    """Local entropy of the binary perceptron around a typical solution at 50 distances, inside the compiled solver."""
    problem = Problem(compile_theory(derive(Spec.from_toml(PROBE))))
    rows = [problem.point({"distance": float(d)}) for d in np.linspace(0.35, 0.025, 50)]
    points = np.array([[row[control] for control in problem.controls] for row in rows])
    start = problem.start(0, rows[0])[None]
    found = problem.march(points, start, 1e-11)
    failed = sum(not CODES[code].ok for code in found.status)
    seconds = best_of(lambda: problem.march(points, start, 1e-11), repeats=3, warm=0)
    note = f"largest error {float(np.max(found.info[:, 1])):.0e}" + (f", {failed} POINTS FAILED" if failed else "")
    return Measure("local entropy at 50 distances, binary perceptron", seconds, "s", 1.0, note=note)


def measures() -> Iterator[Measure]:
    """All of them."""
    yield from kernels()
    yield capacity()
    yield phase_line()
    yield distances()
