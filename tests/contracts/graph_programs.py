"""Small programs in loop form for compiler tests, and a direct evaluator that shares nothing with the compiler."""

from __future__ import annotations

import random

import mpmath as mp
import sympy as sp

from numerics.program import LogSum, Loop, Program, Rule, Sum, TiltSum
from replica.nodes import Hazard, Log2Cosh, LogH, Sigmoid, Softplus

ALPHA, LAMBDA = sp.Symbol("alpha", real=True), sp.Symbol("lambda", real=True)
A, B = sp.Symbol("a", real=True), sp.Symbol("b", real=True)
LEAVES = (LogH, Hazard, Softplus, Sigmoid, Log2Cosh, sp.tanh, sp.erf, sp.erfc, sp.sin, sp.cos, sp.atan, sp.cosh, sp.Abs)


def bayes_sign() -> Program:
    """P1 in noise form."""
    v, q_hat, t = sp.Symbol("V", real=True), sp.Symbol("q_hat", real=True), sp.Dummy("t", real=True)
    x = -sp.sqrt(1 - v) * t / sp.sqrt(v)
    output = Sum(sp.exp(LogH(x)) * Hazard(x) ** 2 / v, t)
    values = {"q": 1 - v, "generalization_error": sp.acos(sp.sqrt(1 - v)) / sp.pi, "energy": 2 * Sum(sp.exp(LogH(x)) * LogH(x), t)}
    return Program((v, q_hat), (ALPHA,), (1 / (1 + q_hat), 2 * ALPHA * output), values, (Loop(t, Rule.LINE),), (v, 1 - v))


def logistic() -> Program:
    """P4 integrated over the proximal point u on a fixed window: h = u - chi sigmoid(-u)."""
    m, q, chi, m_hat, q_hat, v_hat = sp.symbols("m q chi m_hat q_hat chi_hat", real=True)
    t = sp.Dummy("t", real=True)
    low, high = -9 * sp.sqrt(q), 9 * sp.sqrt(q) + chi
    u = low + (high - low) * t
    g, bend = Sigmoid(-u), Sigmoid(u) * Sigmoid(-u)
    return _margin(
        (m, q, chi, m_hat, q_hat, v_hat),
        [(u - chi * g, g, 1 / (1 + chi * bend), (1 + chi * bend) * (high - low), t)],
        (Loop(t, Rule.UNIT),),
    )


def hinge() -> Program:
    """P6: the pieces h < 1 - chi and 1 - chi < h < 1."""
    m, q, chi, m_hat, q_hat, v_hat = sp.symbols("m q chi m_hat q_hat chi_hat", real=True)
    s, t = sp.Dummy("t", real=True), sp.Dummy("t", real=True)
    edge = 9 * sp.sqrt(q)
    first, second = (sp.Min(sp.Max(e, -edge), edge) for e in (1 - chi, sp.S.One))
    rest = first + (second - first) * t
    pieces = [(-edge + (first + edge) * s, sp.S.One, sp.S.One, first + edge, s), (rest, (1 - rest) / chi, sp.S.Zero, second - first, t)]
    return _margin((m, q, chi, m_hat, q_hat, v_hat), pieces, (Loop(s, Rule.UNIT), Loop(t, Rule.UNIT)))


def _margin(unknowns, pieces, loops) -> Program:
    m, q, chi, m_hat, q_hat, v_hat = unknowns
    spread = sp.sqrt(1 - m**2 / q)

    def average(body):
        total = sp.S.Zero
        for h, g, slope, jacobian, t in pieces:
            x = -m * h / (q * spread)
            weight = jacobian * sp.exp(-(h**2) / (2 * q)) / sp.sqrt(2 * sp.pi * q) * sp.exp(sp.log(2) + LogH(x))
            total += Sum(weight * body(x, g, slope), t)
        return total

    response = 1 / (LAMBDA + v_hat)
    equations = (
        m_hat * response,
        (m_hat**2 + q_hat) * response**2,
        response,
        ALPHA * average(lambda x, g, _: g * Hazard(x) / spread),
        ALPHA * average(lambda x, g, _: g**2),
        ALPHA * average(lambda x, g, slope: (1 - slope) / chi),
    )
    values = {"generalization_error": sp.acos(m / sp.sqrt(q)) / sp.pi}
    return Program(unknowns, (ALPHA, LAMBDA), equations, values, loops, (q, chi, 1 - m**2 / q))


def random_program(seed: int, depth: int) -> Program:
    """Nested sums of `depth` levels over random leaves of affine arguments."""
    rng = random.Random(seed)
    loops = tuple(sp.Dummy("t", real=True) for _ in range(depth))

    def number():
        return sp.Rational(rng.randint(-12, 12), 7)

    def body(level: int):
        fields = [A, B, *loops[: level + 1]]
        x = sum((number() * f for f in fields), number()) * sp.sqrt(1 + B**2)
        leaf = rng.choice(LEAVES)(x) / rng.choice((1, 1 + A**2, 1 + loops[level] ** 2))
        if level + 1 < depth:
            leaf = leaf + inner(level + 1) * rng.choice((1, A, loops[level], sp.tanh(loops[level])))
            if rng.random() < 0.5 and depth > 1:
                leaf = leaf * Sum(sp.exp(LogH(number() * loops[level] + A * loops[-1])) * Hazard(loops[-1] + B), loops[-1])
        if rng.random() < 0.3:
            leaf = sp.Piecewise((leaf, x < number()), (leaf * A + x, True))
        return leaf

    def inner(level: int):
        kind = rng.choice((Sum, LogSum, TiltSum))
        if kind is TiltSum:
            return TiltSum(body(level), -Softplus(A * loops[level] - B) - loops[level] ** 2 / 3, loops[level])
        return kind(body(level), loops[level])

    nests = tuple(Loop(t, Rule.LINE, loops[:k]) for k, t in enumerate(loops))
    return Program((A, B), (ALPHA,), (inner(0), ALPHA * inner(0) + sp.Max(A, B, number())), {"both": inner(0) * A}, nests, (1 - A,))


_MP = {
    LogH: LogH._mp,
    Hazard: Hazard._mp,
    Softplus: Softplus._mp,
    Sigmoid: Sigmoid._mp,
    Log2Cosh: Log2Cosh._mp,
    sp.exp: mp.exp,
    sp.log: mp.log,
    sp.tanh: mp.tanh,
    sp.erf: mp.erf,
    sp.erfc: mp.erfc,
    sp.sin: mp.sin,
    sp.cos: mp.cos,
    sp.atan: mp.atan,
    sp.acos: mp.acos,
    sp.cosh: mp.cosh,
    sp.sinh: mp.sinh,
    sp.Abs: abs,
    sp.Max: max,
    sp.Min: min,
    sp.sign: mp.sign,
    sp.loggamma: mp.loggamma,
    sp.factorial: mp.factorial,
}


def evaluate(e: sp.Basic, at: dict, nodes: dict):
    """The value of `e`: a plain walk, every sum a plain sum.  nodes: {variable: (points, weights)}."""
    if e in at:
        return at[e]
    if isinstance(e, Sum | LogSum | TiltSum):
        *bodies, t = e.args
        rows = [(w, *(evaluate(b, {**at, t: x}, nodes) for b in bodies)) for x, w in zip(*nodes[t], strict=True)]
        if isinstance(e, Sum):
            return mp.fsum(w * b for w, b in rows)
        if isinstance(e, LogSum):
            return mp.log(mp.fsum(w * mp.exp(b) for w, b in rows))
        return mp.fsum(w * b * mp.exp(g) for w, b, g in rows) / mp.fsum(w * mp.exp(g) for w, _, g in rows)
    if not e.args:
        return mp.mpf(e.p) / e.q if e.is_Rational else e._to_mpmath(mp.mp.prec + 10)
    if isinstance(e, sp.Piecewise):
        return next(evaluate(value, at, nodes) for value, condition in e.args if condition == sp.true or evaluate(condition, at, nodes))
    args = [evaluate(a, at, nodes) for a in e.args]
    if isinstance(e, sp.Add):
        return mp.fsum(args)
    if isinstance(e, sp.Mul):
        return mp.fprod(args)
    if isinstance(e, sp.Pow):
        return args[0] ** args[1]
    if isinstance(e, sp.StrictLessThan | sp.LessThan):
        return args[0] < args[1]
    return _MP[e.func](*args)
