"""Averages over one Gaussian variable of what is a polynomial under the exponential of a quadratic, stretch by stretch: closed."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from replica.nodes import Gauss, LogH, Measure, Sigmoid, Softplus
from replica.nodes.piecewise import Undecided, pieces, switches

MOST = 4  # highest power whose mean is written in tails


def closed_log(exponent: sp.Expr, measures: tuple[Measure, ...]) -> sp.Expr | None:
    """log E e^exponent where the exponent is a quadratic between break points; None where it is not."""
    found = _stretches(sp.S.One, exponent, measures)
    return None if found is None else _log_sum([log for log, _ in found])


def closed_mean(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> sp.Expr | None:
    """E[body e^exponent]/E[e^exponent], body a polynomial between the same break points; None where it is not."""
    found = _stretches(body, exponent, measures)
    if found is None:
        return None
    total = []
    for k, (log, mean) in enumerate(found):
        others = [other for j, (other, _) in enumerate(found) if j != k]
        total.append(mean * Sigmoid(log - _log_sum(others)) if others else mean)
    return sp.Add(*total)


def _stretches(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> list[tuple[sp.Expr, sp.Expr]] | None:
    """(log mass, mean of body) on every half-line or line between break points."""
    one = _one_gauss(measures)
    if one is None:
        return None
    v, mean, variance = one
    if not (switches(exponent, v) or switches(body, v)):
        return None
    try:
        parts = [(a, b, x, part) for a, b, part in pieces(exponent, v) for a, b, x in pieces(body, v, a, b)]
        parts.sort(key=lambda p: sp.count_ops(p[3]))  # the same order for mirror images
    except Undecided:
        return None
    found = []
    for a, b, x, part in parts:
        if a != -sp.oo and b != sp.oo:
            return None  # differences of tails would lose their digits
        base = a if a != -sp.oo else b if b != sp.oo else sp.S.Zero  # powers are counted from the end where the mass may gather
        u = sp.Dummy("u", real=True)
        whole: dict[sp.Expr, sp.Symbol] = {}
        shifted = sp.expand(_without(x.xreplace({v: base + u}), u, whole))
        weight = sp.expand(part.xreplace({v: base + u}))
        if not shifted.is_polynomial(u) or not weight.is_polynomial(u):
            return None
        powers, quadratic = sp.Poly(shifted, u), sp.Poly(weight, u)
        if powers.degree() > MOST or quadratic.degree() > 2:
            return None
        side = 0 if base == 0 and a == -sp.oo and b == sp.oo else 1 if a != -sp.oo else -1
        log, moments = _moments(side, max(0, powers.degree()))
        c = [quadratic.coeff_monomial(u**k) for k in range(3)]
        values = {_C0: c[0], _C1: c[1], _C2: 2 * c[2], _H: mean - base, _A: variance}
        average = sp.Add(*(powers.coeff_monomial(u**k) * moments[k].xreplace(values) for k in range(len(moments))))
        found.append((log.xreplace(values), average.xreplace({name: e for e, name in whole.items()})))
    return found


def _without(e: sp.Expr, u: sp.Symbol, whole: dict[sp.Expr, sp.Symbol]) -> sp.Expr:
    """The expression with what does not depend on u under names, so that it is not multiplied out."""
    if u not in e.free_symbols:
        return e if e.is_Atom else whole.setdefault(e, sp.Dummy("c", real=True))
    if not e.args:
        return e
    if e.is_Add or e.is_Mul:
        still, moving = e.as_independent(u, as_Add=e.is_Add)
        return e.func(_without(still, u, whole), *(_without(a, u, whole) for a in e.func.make_args(moving)))
    return e.func(*(_without(a, u, whole) for a in e.args))


_C0, _C1, _C2, _H = (sp.Dummy(n, real=True) for n in ("c0", "c1", "c2", "h"))
_A = sp.Dummy("A", positive=True)


@lru_cache(maxsize=64)
def _moments(side: int, degree: int) -> tuple[sp.Expr, tuple[sp.Expr, ...]]:
    """(log mass, means of u^k) of N(h, A) times exp(c0 + c1 u + c2 u^2/2) for u > 0, u < 0 or all u: derivatives in c1."""
    shrink = 1 - _C2 * _A
    log = _C0 + (_C2 * _H**2 + 2 * _C1 * _H + _A * _C1**2) / (2 * shrink) - sp.log(shrink) / 2
    if side:
        log += LogH(-side * (_H + _A * _C1) / sp.sqrt(_A * shrink))
    moments = [sp.S.One]
    first = log.diff(_C1)
    for _ in range(degree):
        moments.append(moments[-1].diff(_C1) + moments[-1] * first)
    return log, tuple(moments)


def _log_sum(terms: list[sp.Expr]) -> sp.Expr:
    """log of a sum of exponentials; terms stay as they are, so that mirror images are seen."""
    first, *rest = terms
    return first + Softplus(_log_sum(rest) - first) if rest else first


def _one_gauss(measures: tuple[Measure, ...]) -> tuple[sp.Symbol, sp.Expr, sp.Expr] | None:
    if len(measures) != 1 or not isinstance(measures[0], Gauss) or len(measures[0].variables) != 1:
        return None
    (m,) = measures
    return m.variables[0], m.means[0], m.covariance[0, 0]
