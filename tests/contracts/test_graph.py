"""The compiler's passes: every way of taking derivatives and of laying out loops gives the numbers of a plain walk."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.backends import mpmath_names, numpy_names
from numerics.graph.lower import LoweringError
from numerics.graph.records import Graph
from numerics.graph.text import kernel_text
from numerics.program import LogSum, Loop, Program, Rule, Sum
from replica.nodes import Hazard, LogH
from tests.contracts.graph_programs import ALPHA, A, bayes_sign, evaluate, hinge, logistic, random_program

AT = ("0.37", "0.61", "1.3")


def nodes_for(program: Program):
    """A few unlike points and positive weights per loop, exact in binary."""
    points = {
        loop.variable: ([mp.mpf(k - 3) / 4 + mp.mpf(j) / 8 for k in range(4 + j)], [mp.mpf(1 + k) / 16 for k in range(4 + j)])
        for j, loop in enumerate(program.loops)
    }
    x = [v for loop in program.loops for v in points[loop.variable][0]]
    w = [v for loop in program.loops for v in points[loop.variable][1]]
    off = [0]
    for loop in program.loops:
        off.append(off[-1] + len(points[loop.variable][0]))
    return points, x, w, off


def run(text: str, constants: tuple[str, ...], name: str, size: int, p, x, w, off, backend=mpmath_names, digits=30):
    names, number = backend.namespace(digits)
    space = dict(names)
    exec("\n".join(constants) + "\n" + text, space)
    out = [number(0)] * size
    scratch = [number(0)] * 1000
    space[name](*([number(v) for v in a] for a in (p, x, w)), off, scratch, out)
    return out


def slopes(program: Program, at, points):
    """Central differences at 45 digits: exact to 25."""
    names = (*program.unknowns, *program.controls)
    with mp.workdps(45):

        def residual(values):
            here = dict(zip(names, values, strict=True))
            return [here[u] - evaluate(e, here, points) for u, e in zip(program.unknowns, program.equations, strict=True)]

        base, step = [mp.mpf(v) for v in at], mp.mpf(10) ** -14
        value, columns = residual(base), []
        for k in range(len(names)):
            up, down = list(base), list(base)
            up[k] += step
            down[k] -= step
            columns.append([(a - b) / (2 * step) for a, b in zip(residual(up), residual(down), strict=True)])
        n = len(program.unknowns)
        rows = [columns[j][i] for i in range(n) for j in range(n)]
        return value + rows + [columns[j][i] for i in range(n) for j in range(n, len(names))]


@pytest.mark.parametrize(("depth", "seed"), [*((1, s) for s in range(6)), *((2, s) for s in range(4)), (3, 0), (3, 1)])
def test_random_trees_all_layouts(depth, seed):
    program = random_program(100 * depth + seed, depth)
    points, x, w, off = nodes_for(program)
    expected = slopes(program, AT, points)
    for local in (None, True, False):
        for keep, split in ((True, True), (False, True), (True, False)):
            text = kernel_text(program, local=local, keep=keep, split=split)
            found = run(text.compiled, text.compiled_constants, "residual", len(expected), AT, x, w, off)
            for a, b in zip(found, expected, strict=True):
                assert abs(a - b) <= mp.mpf(10) ** -14 * (1 + abs(b))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_exact_text_is_exact(depth):
    program = random_program(depth, depth)
    points, x, w, off = nodes_for(program)
    text = kernel_text(program)
    with mp.workdps(50):
        here = dict(zip((*program.unknowns, *program.controls), [mp.mpf(v) for v in AT], strict=True))
        expected = [here[u] - evaluate(e, here, points) for u, e in zip(program.unknowns, program.equations, strict=True)]
        value = evaluate(program.values["both"], here, points)
        found = run(text.exact, text.exact_constants, "residual", 2, AT, x, w, off, digits=50)
        (both,) = run(text.exact, text.exact_constants, "values", 1, AT, x, w, off, digits=50)
        assert all(abs(a - b) < mp.mpf(10) ** -42 * (1 + abs(b)) for a, b in zip(found, expected, strict=True))
        assert abs(both - value) < mp.mpf(10) ** -42 * (1 + abs(value))
    double = run(text.compiled, text.compiled_constants, "residual", 8, AT, x, w, off, numpy_names, 16)
    assert np.allclose(np.array(double[:2], float), np.array([float(e) for e in expected]), rtol=1e-12, atol=1e-12, equal_nan=False)


@pytest.mark.parametrize(
    ("make", "at"),
    [
        (bayes_sign, ("0.4", "1.5", "2")),
        (logistic, ("0.3", "0.5", "0.7", "0.4", "0.3", "0.2", "1.5", "0.9")),
        (hinge, ("0.3", "0.5", "0.7", "0.4", "0.3", "0.2", "1.5", "0.9")),
    ],
)
def test_textbook_programs(make, at):
    program = make()
    points, x, w, off = nodes_for(program)
    expected = slopes(program, at, points)
    text = kernel_text(program)
    found = run(text.compiled, text.compiled_constants, "residual", len(expected), at, x, w, off)
    for a, b in zip(found, expected, strict=True):
        assert abs(a - b) <= mp.mpf(10) ** -14 * (1 + abs(b))


def test_probe_gives_plain_sums_of_one_loop():
    text = kernel_text(bayes_sign())
    _, x, w, off = nodes_for(bayes_sign())
    source, constants = text.compiled.replace("def probe(l, ", "def probe("), (*text.compiled_constants, "l = 0")

    def probe(part, off):
        return run(source, constants, "probe", 1, ("0.4", "1.5", "2"), x[part], w[part], off)[0]

    whole = probe(slice(0, 4), off)
    assert whole > 0
    assert abs(whole - probe(slice(0, 2), [0, 2]) - probe(slice(2, 4), [0, 2])) < mp.mpf(10) ** -28


def test_expensive_functions_are_shared():
    text = kernel_text(bayes_sign()).compiled.split("def values")[0]
    assert text.count("f_exp(") == text.count("f_tail(") == 1
    assert "f_log" not in text


def test_inner_function_of_one_variable_is_computed_once_per_node():
    s, t = sp.Dummy("s", real=True), sp.Dummy("t", real=True)
    program = Program((A,), (), (Sum(sp.tanh(LogSum(A * s * t + LogH(t * A), t)), s),), {}, (Loop(s, Rule.LINE), Loop(t, Rule.LINE, (s,))))
    text = kernel_text(program)
    body = text.compiled.split("def values")[0]
    outer = body.index("for j0")
    assert body.index("f_tail(") < outer
    assert "f_tail(" not in body[outer:]
    assert text.arrays[1] >= 1


def test_user_names_do_not_reach_the_text():
    evil = sp.Symbol("__import__('os')", real=True)
    t = sp.Dummy("exec", real=True)
    text = kernel_text(Program((evil,), (), (Sum(sp.exp(-evil * t), t),), {"print(1)": evil}, (Loop(t, Rule.LINE),)))
    for part in (text.compiled, text.exact, *text.exact_constants):
        assert "import" not in part
        assert "exec" not in part
        assert "print" not in part


def test_errors_name_what_was_found():
    with pytest.raises(LoweringError, match="no rule for zeta"):
        kernel_text(Program((A,), (), (sp.zeta(A),), {}, ()))
    with pytest.raises(LoweringError, match="symbol 'beta' is neither"):
        kernel_text(Program((A,), (ALPHA,), (A * sp.Symbol("beta"),), {}, ()))


def test_parity_partners_meet():
    g = Graph()
    a, b = g.param(0), g.param(1)
    assert g.sub(a, b) == g.neg(g.sub(b, a))
    assert g.fn("tanh", g.sub(b, a)) == g.neg(g.fn("tanh", g.sub(a, b)))
    assert g.fn("abs", g.sub(b, a)) == g.fn("abs", g.sub(a, b))
    assert g.mul(g.neg(a), g.neg(b)) == g.mul(b, a)


def test_hazard_minus_argument_has_its_own_form():
    text = kernel_text(Program((A,), (), (Hazard(A - 1) - A + 1,), {}, ()))
    assert "f_gap(" in text.exact
