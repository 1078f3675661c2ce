"""Nested loops that share work: every name is written before it is read in its own scope, and the numbers are those of a plain walk."""

from __future__ import annotations

import ast
import random

import numpy as np
import pytest
import sympy as sp

from numerics.backends import numpy_names
from numerics.compile import compile_program
from numerics.graph.text import kernel_text
from numerics.program import LogSum, Loop, Program, Rule, Sum, TiltSum
from replica.nodes import Hazard, Log2Cosh, LogH, Sigmoid, Softplus
from tests.contracts.graph_programs import ALPHA, A, B
from tests.contracts.program_numbers import Numbers

AT = {A: 0.37, B: 0.61, ALPHA: 1.3}
R, S, T, U = LOOPS = tuple(sp.Dummy(n, real=True) for n in "rstu")


def program(*equations: sp.Expr) -> Program:
    return Program((A, B), (ALPHA,), equations, {"both": equations[0] * equations[1]}, tuple(Loop(v, Rule.LINE) for v in LOOPS))


def nodes(program: Program):
    """Two to five unlike nodes a loop, as a kernel takes them and as the plain walk does."""
    plain = Numbers(program, 1)
    plain.nodes = {
        loop.variable: (np.linspace(-1.2, 0.9 + j / 5, 2 + j), np.linspace(0.2, 0.5, 2 + j)) for j, loop in enumerate(program.loops)
    }
    x, w = (np.concatenate([plain.nodes[loop.variable][k] for loop in program.loops]) for k in (0, 1))
    off = np.cumsum([0, *(len(plain.nodes[loop.variable][0]) for loop in program.loops)])
    return plain, x, w, off


def strangers(text: str) -> list[str]:
    """Lines that read a name which no line before them, in the same loop or around it, has written."""
    found: list[str] = []

    def walk(body: list[ast.stmt], known: set[str]) -> None:
        known = set(known)
        for statement in body:
            if isinstance(statement, ast.For | ast.If):
                walk(statement.body, known | ({ast.unparse(statement.target)} if isinstance(statement, ast.For) else set()))
                continue
            read = [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
            if isinstance(statement, ast.AugAssign):
                read.append(statement.target.id)
            if any(name[0] in "svkbqj" and name.lstrip("svkbqj")[:1].isdigit() and name not in known for name in read):
                found.append(ast.unparse(statement))
            known |= {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}

    for function in ast.parse(text).body:
        walk(function.body, set())
    return found


def agrees(program: Program, layouts: tuple[tuple[bool, bool], ...] = ((True, True), (True, False), (False, True))) -> None:
    """Asserts that all layouts have sound scopes, the values of a plain walk, and one another's derivatives."""
    plain, x, w, off = nodes(program)
    symbols = (*program.unknowns, *program.controls)
    with np.errstate(all="ignore"):
        g = plain(program.equations, AT)
    expected = np.array([AT[u] for u in program.unknowns]) - g
    kernels = []
    for keep, split in layouts:
        text = kernel_text(program, keep=keep, split=split)
        assert strangers(text.compiled) == []
        assert strangers(text.exact) == []
        names, _ = numpy_names.namespace(16)
        space = dict(names)
        exec("\n".join((*text.compiled_constants, text.compiled)), space)
        size = sum(count * int(off[k + 1] - off[k]) for k, count in enumerate(text.arrays))
        out = np.full(len(expected) * (1 + len(symbols)), np.nan)
        space["residual"]([AT[s] for s in symbols], x, w, off, np.full(size, np.nan), out)
        kernels.append(out)
    np.testing.assert_allclose(kernels[0][: len(expected)], expected, rtol=1e-12, atol=1e-12, equal_nan=False)
    for other in kernels[1:]:
        np.testing.assert_allclose(kernels[0], other, rtol=1e-9, atol=1e-11, equal_nan=False)


def shared_programs() -> dict[str, Program]:
    f = Softplus(A * T + 1) - sp.exp(-B * T)  # depends on the innermost loop alone
    inner = LogSum(sp.tanh(R + S * A) - f, T)
    hoisted = LogSum(S * T - f, T)  # an inner sum that does not depend on the outermost loop
    skipped = LogSum(Sigmoid(R * A + U) - T * R, U)  # its body reads the outermost and the innermost loop, not the middle one
    g = Softplus(R * A + B * T)
    return {
        "minus an array": program(Sum(Sum(TiltSum(S - f, R * T - f, T), S), R), Sum(TiltSum(f + R, f + R, T), R)),
        "exponent with a sign": program(Sum(LogSum(-Softplus(R * T + A), T), R), Sum(TiltSum(R, -Softplus(R * T + A), T), R)),
        "three levels": program(Sum(sp.exp(Sum(inner**2 + f.subs(T, S), S)), R), Sum(Sum(inner * f.subs(T, R), S), R)),
        "hoisted inner sum": program(Sum(Sum(hoisted * sp.tanh(R * S), S) ** 2, R), ALPHA * Sum(hoisted, S)),
        "two outer loops": program(Sum(LogSum(f + R * T, T), R), Sum(LogSum(f + S * T, T) * TiltSum(f, f + S * T, T), S)),
        "another order of nesting": program(Sum(Sum(g * sp.exp(g), T) ** 2, R), Sum(Sum(g * sp.exp(g), R) ** 2, T)),
        "middle loop skipped": program(
            Sum(Sum(LogSum(skipped + S * T, T), S), R), Sum(Sum(TiltSum(skipped * S, skipped + S * T, T), S) ** 2, R)
        ),
        "maximum over either loop": program(Sum(LogSum(g, T) ** 2, R) * Sum(LogSum(g, R), T), Sum(TiltSum(R, g, R), T)),
    }


@pytest.mark.parametrize("name", shared_programs())
def test_shared_work(name):
    agrees(shared_programs()[name])


def random_sharing(seed: int) -> Program:
    """Random nests over four loops whose bodies draw on one pool of expressions."""
    rng = random.Random(seed)
    leaves = (LogH, Hazard, Softplus, Sigmoid, Log2Cosh, sp.tanh, sp.exp, sp.cos, lambda x: sp.Max(x, A * x / 3))
    pool: list[sp.Expr] = []
    order = rng.sample(LOOPS, 4)  # a loop variable has one place in the nest

    def number():
        return sp.Rational(rng.choice((-5, -3, -2, 1, 2, 4)), 4)

    def leaf(scope):
        visible = [e for e in pool if e.free_symbols <= {A, B, *scope}]
        if visible and rng.random() < 0.5:
            return rng.choice(visible) * rng.choice((1, -1))
        few = rng.sample(list(scope), min(len(scope), rng.choice((1, 1, 2)))) + [rng.choice((A, B))]
        new = rng.choice(leaves)(sum((number() * v for v in few), number()) / 2)
        pool.append(new)
        return new

    def body(scope):
        e = leaf(scope) + rng.choice((1, -1)) * leaf(scope) * rng.choice((1, A, leaf(scope)))
        free = [v for v in order if not scope or order.index(v) > order.index(scope[-1])]
        if free and rng.random() < (0.9 if len(scope) < 3 else 0.4):
            e = e + number() * reduction(scope, rng.choice(free))
        return e

    def reduction(scope, v):
        kind = rng.choice((Sum, LogSum, TiltSum))
        parts = [body((*scope, v)) for _ in range(2 if kind is TiltSum else 1)]
        new = kind(*(sp.tanh(p) * 2 if kind is not Sum and rng.random() < 0.5 else p for p in parts), v)
        pool.append(new)
        return new

    first, second, third = (reduction((), rng.choice(order[:2])) for _ in range(3))
    return program(first, ALPHA * second + third)


@pytest.mark.parametrize("seed", range(12))
def test_random_sharing(seed):
    agrees(random_sharing(seed), ((True, True), (False, False)))


def test_machine_code_of_shared_work(tmp_path):
    p = shared_programs()["minus an array"]
    plain, x, w, off = nodes(p)
    module = compile_program(p, cache=tmp_path / "kernels")
    out = np.zeros(8)
    assert module.residual(np.array(list(AT.values())), x, w, off, np.zeros(module.scratch(off)), out) == 8
    np.testing.assert_allclose(out[:2], [AT[A], AT[B]] - plain(p.equations, AT), rtol=1e-13, equal_nan=False)
