"""The same solution to many digits: residuals at high precision, steps with the double-precision Jacobian."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import mpmath
import numpy as np

from numerics.problem import Compiled, LoopLike, Problem
from numerics.program import Rule
from numerics.solution import Solution
from numerics.stability import stable
from numerics.status import Status

GUARD = 12  # digits carried beyond those asked for
STEPS = 40
COARSE = 1e-9  # a step this long away from a double-precision solution is the nodes' fault
REFINEMENTS = 7
CONTRACTION = 1e-13  # what a step with the double-precision Jacobian leaves of itself; the next level checks it


class Exact(Protocol):
    @property
    def number(self) -> Callable[[Any], Any]: ...
    def residual(self, p: Sequence[Any], x: Sequence[Any], w: Sequence[Any], off: Sequence[int]) -> list[Any]: ...
    def values(self, p: Sequence[Any], x: Sequence[Any], w: Sequence[Any], off: Sequence[int]) -> list[Any]: ...


class CertifiedModule(Compiled, Protocol):
    def exact(self, digits: int, backend: str = "mpmath") -> Exact: ...


class CertifyError(ArithmeticError):
    """The digits asked for could not be reached; one line that says what was."""


def certify(module: CertifiedModule, solution: Solution, digits: int = 30, backend: str | None = None) -> Solution:
    """Polish a solution to `digits` decimal digits; its numbers become decimal strings.

    Controls are taken as the decimals that were written: 0.1 is 1/10, not the nearest double.  A step with the
    double-precision inverse Jacobian gains about as many digits as double precision has, so only residuals are
    evaluated at high precision.  The nodes are refined until halving every step changes no digit.

    Args:
        backend: "flint" (python-flint) or "mpmath"; the faster one that is installed where left out.

    Returns:
        A copy with strings; `quadrature_error` is the last change under refinement, `agreement` how many digits the
        double-precision solution shares.

    Raises:
        ValueError: for a solution that did not converge, or digits below 16.
        CertifyError: where refinement does not settle.
    """
    if digits < 16:
        raise ValueError(f"certify: digits must be at least 16, got {digits}; the double-precision solution has fifteen")
    if not solution.converged or not solution.unknowns:
        raise ValueError(f"certify: needs a converged solution, this one is {solution.status}")
    name = backend or ("flint" if importlib.util.find_spec("flint") else "mpmath")
    exact = module.exact(digits + GUARD, name)
    problem, point = Problem(module), dict(solution.at)
    doubles = np.array([[float(solution.unknowns[u]) for u in problem.names]])
    march = problem.march(np.array([[point[c] for c in problem.controls]]), doubles, 1e-11, 0)
    inverse = np.linalg.inv(march.jacobian[0])
    if not np.isfinite(inverse).all():
        raise CertifyError(f"certify: no double-precision Jacobian at {solution!r}")
    controls = [exact.number(repr(point[c])) for c in problem.controls]
    x = [exact.number(float(v)) for v in doubles[0]]
    target = 10.0 ** -(digits + 1)
    x, change, level = refine(exact, x, controls, module.loops, inverse, digits)
    nodes = grid(module.loops, level, digits + GUARD, exact.number)
    results = dict(zip(problem.value_names, exact.values([*x, *controls], *nodes), strict=True))
    text = {k: decimal(v, digits) for k, v in results.items()}
    theory = problem.theory
    moved = max(abs(float(v) - d) / max(abs(d), 1e-300) for v, d in zip(x, doubles[0], strict=True))
    observables = {k: text[k] for k in theory.observables}
    return dataclasses.replace(
        solution, order_parameters={k: text[k] for k in theory.order_parameters}, conjugates={k: text[k] for k in theory.conjugates},
        free_entropy=text["free_entropy"], observables=observables,
        unknowns={k: decimal(v, digits) for k, v in zip(problem.names, x, strict=True)}, residual=target, quadrature_error=change,
        stable=stable(solution.spectral_radius, {k: float(v) for k, v in observables.items()}), digits=digits,
        agreement=16 if moved == 0 else min(16, int(-math.log10(moved))),
        status=Status.CONVERGED if solution.status is Status.LIMITED else solution.status,  # rounding of doubles limits no more
    )


def refine(
    exact: Exact, x: list[Any], controls: list[Any], loops: Sequence[LoopLike], inverse: np.ndarray, digits: int
) -> tuple[list[Any], float, int]:
    """Polish on ever finer nodes until halving all steps changes nothing.  Returns (unknowns, last change, level).

    Levels so coarse that they disagree with the double-precision solution are passed over without polishing.
    """
    target, settled = 10.0 ** -(digits + 1), False
    change = math.inf
    for level in range(REFINEMENTS):
        nodes = grid(loops, level, digits + GUARD, exact.number)
        moved, change = polish(exact, x, controls, nodes, inverse)
        if settled and change < target:
            return moved, change, level
        if change > COARSE and level < REFINEMENTS - 1:
            continue
        x, step = moved, change
        for _ in range(STEPS):
            if step * CONTRACTION < target:
                break
            x, step = polish(exact, x, controls, nodes, inverse)
        else:
            raise CertifyError(f"certify: steps do not settle below 1e-{digits}; the last one was {step:.1e}")
        settled = True
    raise CertifyError(f"certify: {digits} digits not reached, the last refinement still changed {change:.1e}")


def polish(exact: Exact, x: list[Any], controls: list[Any], nodes: tuple[Any, ...], inverse: np.ndarray) -> tuple[list[Any], float]:
    """One step; returns the new unknowns and the step's largest component relative to them."""
    residual = [float(middle(r)) for r in exact.residual([*x, *controls], *nodes)]
    if not all(map(math.isfinite, residual)):
        raise CertifyError("certify: an equation is not finite at high precision")
    step = -inverse @ np.array(residual)
    moved = [middle(v + exact.number(float(d))) for v, d in zip(x, step, strict=True)]
    return moved, max(abs(d) / max(abs(float(v)), 1e-300) for v, d in zip(moved, step, strict=True))


def middle(value: Any) -> Any:
    """Midpoint of a ball; other numbers as they are."""
    return value.mid() if hasattr(value, "mid") else value


def decimal(value: Any, digits: int) -> str:
    """A number as a decimal string of so many digits."""
    if hasattr(value, "mid"):
        return str(value.mid().str(digits, radius=False))
    return str(mpmath.nstr(value, digits, strip_zeros=False))


def grid(loops: Sequence[LoopLike], level: int, digits: int, number: Any) -> tuple[list[Any], list[Any], list[int]]:
    """Nodes, weights and offsets of all loops; each level halves the steps.

    Trapezoid on the line, tanh-sinh on [0, 1], 64 terms and doublings of it for counts.  Nodes are exact or good to
    the working precision.
    """
    x: list[Any] = []
    w: list[Any] = []
    off = [0]
    rules: dict[Rule, tuple[list[Any], list[Any]]] = {}
    for loop in loops:
        if loop.rule not in rules:
            rules[loop.rule] = _RULES[loop.rule](level, digits, number)
        x += rules[loop.rule][0]
        w += rules[loop.rule][1]
        off.append(len(x))
    return x, w, off


def line(level: int, digits: int, number: Any) -> tuple[list[Any], list[Any]]:
    """Trapezoid for the standard normal law: steps are powers of two, so nodes are exact in binary."""
    h = 2.0 ** -(2 + level)
    half = math.ceil(math.sqrt(2 * digits * math.log(10)) / h)
    scale = _constant(lambda: h / mpmath.sqrt(2 * mpmath.pi), digits, number)
    nodes = [number(k * h) for k in range(half + 1)]
    weights = [scale * _exp(-t * t / 2) for t in nodes]
    return [-t for t in nodes[:0:-1]] + nodes, weights[:0:-1] + weights


def unit(level: int, digits: int, number: Any) -> tuple[list[Any], list[Any]]:
    """Tanh-sinh on [0, 1], cut where nodes reach an end within the working precision."""
    h = 2.0 ** -(3 + level)
    half = math.ceil(math.asinh(digits * math.log(10) / math.pi) / h)
    quarter = _constant(lambda: mpmath.pi / 4, digits, number)
    x, w = [], []
    for k in range(-half, half + 1):
        up, down = _exp(number(k * h)), _exp(number(-k * h))
        s = _exp(2 * quarter * (up - down))
        place, rest = s / (1 + s), 1 / (1 + s)
        x.append(middle(place))
        w.append(middle(2 * h * quarter * (up + down) * place * rest))
    return x, w


def _exp(value: Any) -> Any:
    return middle(value.exp()) if hasattr(value, "mid") else value.context.exp(value)


def _constant(value: Any, digits: int, number: Any) -> Any:
    with mpmath.workdps(digits + 10):
        return number(mpmath.nstr(value(), digits + 10))


def count(level: int, digits: int, number: Any) -> tuple[list[Any], list[Any]]:
    size = 64 << level
    return [number(k) for k in range(size)], [number(1)] * size


def field(level: int, digits: int, number: Any) -> tuple[list[Any], list[Any]]:
    """Trapezoid on the whole line: half the step on twice the range."""
    half, h = 32 << 2 * level, 0.5 ** (level + 1)
    return [number(k * h) for k in range(-half, half + 1)], [number(h)] * (2 * half + 1)


_RULES = {Rule.FIELD: field, Rule.LINE: line, Rule.UNIT: unit, Rule.RAY: unit, Rule.COUNT: count}  # a wider window leaves nothing to follow
