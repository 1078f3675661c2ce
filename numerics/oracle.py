"""Slow, independent values of node expressions, straight from their definitions, in mpmath.

Averages are nested quadratures, proximal points are found by bisection, kinks by scanning for sign changes.  Nothing is shared
with the rewriting to loops, of which this is the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import mpmath as mp
import sympy as sp

from replica.nodes import (
    Counting,
    Discrete,
    Flat,
    Gauss,
    Hazard,
    Log2Cosh,
    LogAverage,
    LogH,
    Measure,
    Moreau,
    Prox,
    ProxSlope,
    Sigmoid,
    Softplus,
    Tilted,
)

SCAN = 60  # points of the scan for sign changes
FAR = 60.0  # deviations scanned on either side of a Gaussian
DISTANCES = [mp.mpf(x) for x in (0, 2, 4, 6, 8, 10, 12, 15, 20, 28, 40, 60)]  # where the mass of a Gaussian with a tilt is looked for
HALF_LINE = [mp.mpf(2) ** k for k in range(-6, 11)]  # distances scanned on an infinite range

Env = dict[sp.Symbol, mp.mpf]


def evaluate(expr: sp.Expr, values: Mapping[sp.Symbol, object], digits: int = 30) -> mp.mpf:
    """The number that `expr` is at `values` (numbers or decimal strings), to about `digits` digits.

    Raises:
        ValueError: a function that has no definition here, or a symbol without a value.
    """
    with mp.workdps(digits + 10):
        env = {s: mp.mpf(str(v)) if not isinstance(v, mp.mpf) else v for s, v in values.items()}
        result = _Oracle(digits).value(sp.sympify(expr), env)
        return mp.mpf(result)


def _hazard(x):
    return mp.npdf(x) / (mp.erfc(x / mp.sqrt(2)) / 2)


def _softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


FUNCTIONS: dict[type, Callable] = {
    LogH: lambda x: mp.log(mp.erfc(x / mp.sqrt(2)) / 2), Hazard: _hazard, Softplus: _softplus,
    Sigmoid: lambda x: 1 / (1 + mp.exp(-x)), Log2Cosh: lambda x: mp.log(2 * mp.cosh(x)),
    sp.exp: mp.exp, sp.log: mp.log, sp.tanh: mp.tanh, sp.sin: mp.sin, sp.cos: mp.cos, sp.tan: mp.tan, sp.sinh: mp.sinh, sp.cosh: mp.cosh,
    sp.atan: mp.atan, sp.asin: mp.asin, sp.acos: mp.acos, sp.asinh: mp.asinh, sp.erf: mp.erf, sp.erfc: mp.erfc,
    sp.loggamma: mp.loggamma, sp.gamma: mp.gamma, sp.factorial: mp.factorial, sp.Abs: abs, sp.sign: mp.sign,
    sp.DiracDelta: lambda x: mp.mpf(0),  # second derivative of a loss off its kinks, where alone it is asked for
    sp.Heaviside: lambda x, half=0.5: mp.mpf(1) if x > 0 else mp.mpf(0) if x < 0 else mp.mpf(half),
}
CHOICES: dict[type, Callable] = {sp.Max: max, sp.Min: min, sp.And: all, sp.Or: any}
RELATIONS: dict[str, Callable] = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


@dataclass
class _Oracle:
    digits: int
    _losses: dict[tuple, list] = field(default_factory=dict)
    _rules: dict[sp.Basic, Callable] = field(default_factory=dict)

    def value(self, e: sp.Basic, env: Env):
        if e not in self._rules:
            self._rules[e] = self._rule(e)
        return self._rules[e](env)

    def _rule(self, e: sp.Basic) -> Callable[[Env], Any]:
        """How `e` is evaluated; found once for every expression."""
        if e in (sp.true, sp.false):
            return lambda env: e == sp.true
        if isinstance(e, sp.Symbol):
            return lambda env: self._symbol(e, env)
        if not e.args and e.is_number:
            number = self._number(e)
            return lambda env: number
        if isinstance(e, LogAverage):
            return lambda env: mp.log(self._integral(sp.S.One, e.exponent, e.measures, env).imag)
        if isinstance(e, Tilted):
            return lambda env: self._mean(self._integral(e.body, e.exponent, e.measures, env), e.normalised)
        if isinstance(e, Prox | ProxSlope | Moreau):
            return lambda env: self._proximal(e, env)
        if isinstance(e, sp.Piecewise):
            return lambda env: next(self.value(v, env) for v, c in e.args if self.value(c, env))
        args = e.args
        if e.is_Add:
            return lambda env: sum((self.value(a, env) for a in args[1:]), self.value(args[0], env))
        if e.is_Mul:
            return lambda env: mp.fprod(self.value(a, env) for a in args)
        if e.is_Pow and e.exp.is_Integer:
            power = int(e.exp)
            return lambda env: self.value(args[0], env) ** power
        if e.is_Pow:
            return lambda env: self.value(args[0], env) ** self.value(args[1], env)
        if isinstance(e, sp.Max | sp.Min | sp.And | sp.Or):
            choose = CHOICES[type(e)]
            return lambda env: choose([self.value(a, env) for a in args])
        if isinstance(e, sp.core.relational.Relational):
            relation = RELATIONS[e.rel_op]
            return lambda env: relation(self.value(args[0], env), self.value(args[1], env))
        if type(e) in FUNCTIONS:
            function = FUNCTIONS[type(e)]
            return lambda env: function(*(self.value(a, env) for a in args))
        raise ValueError(f"oracle: {type(e).__name__} has no definition here")

    @staticmethod
    def _symbol(e: sp.Symbol, env: Env):
        if e not in env:
            raise ValueError(f"oracle: no value for {e}")
        return env[e]

    def _number(self, e: sp.Expr):
        if e.is_Rational:
            return mp.mpf(e.p) / e.q
        if not e.is_finite:
            return mp.inf * int(sp.sign(e))
        return mp.mpf(sp.N(e, self.digits + 10)._to_mpmath(mp.mp.prec))

    @staticmethod
    def _mean(both, normalised: bool):
        return both.real if normalised else both.real / both.imag

    def _integral(self, body, exponent, measures: Sequence[Measure], env: Env):
        """E[body e^exponent] + i E[e^exponent]: both in one pass, as real and imaginary part."""
        if not measures:
            tilt = mp.exp(self.value(exponent, env)) if exponent != 0 else mp.mpf(1)
            return mp.mpc(tilt * self.value(body, env), tilt)
        for i, m in enumerate(measures):
            others = {v for o in measures if o is not m for v in o.variables}
            if not m.free_symbols & others:
                rest = [*measures[:i], *measures[i + 1 :]]
                break
        else:
            raise ValueError("oracle: measures read each other in a circle")

        def at(place: Env):
            return self._integral(body, exponent, rest, env | place)

        (v, *_) = m.variables
        if isinstance(m, Discrete):
            weights = [mp.exp(self.value(w, env)) for w in m.log_weights]
            return sum((w * at({v: self.value(a, env)}) for w, a in zip(weights, m.atoms_, strict=True)), mp.mpc(0))
        if isinstance(m, Counting):
            return self._count(lambda k: at({v: k}))
        contents = (body, exponent, *rest)
        if isinstance(m, Flat):
            ends = self.value(m.lower, env), self.value(m.upper, env)
            cuts = [self.value(b, env) for b in m.breaks]
            return self._quad(lambda x: at({v: x}), ends, cuts, lambda x: {v: x}, contents, {v}, env)
        return self._gauss(m, at, contents, env)

    def _count(self, term):
        total, k, peak = mp.mpc(0), 0, mp.mpf(0)
        while True:
            value = term(mp.mpf(k))
            total, peak = total + value, max(peak, abs(value))
            if k > 8 and abs(value) < peak * mp.mpf(10) ** (-self.digits - 5):
                return total
            k += 1

    def _gauss(self, m: Gauss, at, contents, env: Env):
        """Nested over independent standard normals, fields by a Cholesky factor that allows zero variances."""
        n = len(m.variables)
        mean = [self.value(a, env) for a in m.means]
        C = [[self.value(m.covariance[i, j], env) for j in range(n)] for i in range(n)]
        tiny = mp.mpf(10) ** (-self.digits) * max(C[i][i] for i in range(n))
        factor = [[mp.mpf(0)] * n for _ in range(n)]
        for j in range(n):
            left = C[j][j] - mp.fsum(factor[j][k] ** 2 for k in range(j))
            factor[j][j] = mp.sqrt(left) if left > tiny else mp.mpf(0)
            for i in range(j + 1, n):
                if factor[j][j]:
                    factor[i][j] = (C[i][j] - mp.fsum(factor[i][k] * factor[j][k] for k in range(j))) / factor[j][j]

        def level(i: int, ts: list, place: Env):
            if i == n:
                return at(place)

            def put(t):
                return place | {m.variables[i]: mean[i] + mp.fsum(f * s for f, s in zip(factor[i], [*ts, t], strict=False))}

            if factor[i][i] == 0:
                return level(i + 1, [*ts, mp.mpf(0)], put(mp.mpf(0)))
            inside = contents if i == n - 1 else ()  # outer fields are smooth once the inner ones are integrated
            return self._quad(
                lambda t: mp.npdf(t) * level(i + 1, [*ts, t], put(t)), (-FAR, FAR), [], put, inside or contents, {m.variables[i]}, env
            )

        return level(0, [], {})

    def _quad(self, f, ends, cuts, put, contents, variables, env: Env):
        """Integral of f over [ends], between its kinks, over the part that carries mass."""
        grid = _scan(*(mp.mpf(e) for e in ends))
        sizes = [abs(f(x)) if mp.isfinite(x) else mp.mpf(0) for x in grid]
        top = max(sizes)
        heavy = [i for i, s in enumerate(sizes) if s > top * mp.mpf(10) ** (-self.digits - 6)]
        if not heavy:
            return mp.mpc(0)
        grid = [x for x in grid[max(heavy[0] - 1, 0) : heavy[-1] + 2] if mp.isfinite(x)]
        low, high = grid[0], grid[-1]
        inside = self._kinks(put, contents, variables, low, high, env) + [c for c in cuts if low < c < high]
        points = sorted({low, high, *inside, *grid[1:-1:2]})
        goal = top * mp.mpf(10) ** (-self.digits)
        return mp.fsum(self._panel(f, a, b, goal) for a, b in zip(points, points[1:], strict=False))

    def _panel(self, f, a, b, goal, depth: int = 0):
        """Gauss-Legendre on two orders; halved where they disagree."""
        half, middle = (b - a) / 2, (a + b) / 2
        coarse, fine = (
            half * mp.fsum(w * f(middle + half * x) for x, w in _legendre(n, mp.mp.prec)) for n in (self.digits // 2 + 3, self.digits + 2)
        )
        # the finer rule is far better than the difference: between the difference and its square
        if depth >= 14 or abs(fine - coarse) < max(mp.sqrt(goal * abs(fine)) / 1000, goal):
            return fine
        return self._panel(f, a, middle, goal, depth + 1) + self._panel(f, middle, b, goal, depth + 1)

    def _kinks(self, put, contents, variables, low, high, env: Env) -> list:
        """Where a switch in the integrand, or a proximal point, is not smooth."""
        found: list = []
        points = [low + (high - low) * k / SCAN for k in range(SCAN + 1)]
        for g in self._switches(contents):
            if not g.free_symbols & variables or not g.free_symbols <= variables | set(env):
                continue
            found += _sign_changes(lambda x, g=g: self.value(g, env | put(x)), points)
        for node in self._proximals(contents):
            if not node.h.free_symbols & variables or not node.free_symbols <= variables | set(env):
                continue
            for place in self._prox_kinks(node, env):
                found += _sign_changes(lambda x, n=node, h=place: self.value(n.h, env | put(x)) - h, points)
        return [x for x in found if low < x < high]

    @staticmethod
    def _switches(contents) -> set:
        found = set()
        for e in contents:
            stack = [e]
            while stack:
                part = stack.pop()
                if isinstance(part, sp.Max | sp.Min):
                    found |= {a - b for a in part.args for b in part.args if a is not b}
                elif isinstance(part, sp.Abs | sp.sign | sp.Heaviside):
                    found.add(part.args[0])
                elif isinstance(part, sp.core.relational.Relational):
                    found.add(part.lhs - part.rhs)
                if not isinstance(part, Prox | ProxSlope | Moreau):
                    stack += part.args
                else:
                    stack += [part.chi, part.h]
        return found

    @staticmethod
    def _proximals(contents) -> set:
        return {p for e in contents for p in sp.preorder_traversal(e) if isinstance(p, Prox | ProxSlope | Moreau)}

    def _loss_kinks(self, node, env: Env) -> list:
        """(kink, slope before, slope after), increasing."""
        key = (node.loss, node.u, *((str(x), env[x]) for x in sorted(node.loss.free_symbols - {node.u}, key=str)))
        if key not in self._losses:
            self._losses[key] = self._find_loss_kinks(node, env)
        return self._losses[key]

    def _find_loss_kinks(self, node, env: Env) -> list:
        points = [mp.mpf(k) / 7 - mp.mpf("0.0123") for k in range(-210, 211)]
        places: set = set()
        for g in self._switches((node.loss,)):
            if node.u in g.free_symbols:
                places |= set(_sign_changes(lambda x, g=g: self.value(g, env | {node.u: x}), points))
        slope, tiny = node.loss.diff(node.u), mp.mpf(10) ** (-self.digits - 3)
        return [(p, *(self.value(slope, env | {node.u: p + s * tiny}) for s in (-1, 1))) for p in sorted(places)]

    def _prox_kinks(self, node, env: Env) -> list:
        chi = self.value(node.chi, env)
        return [p + chi * s for p, before, after in self._loss_kinks(node, env) for s in (before, after)]

    def _proximal(self, node, env: Env):
        chi, h = self.value(node.chi, env), self.value(node.h, env)
        slope = node.loss.diff(node.u)

        def excess(x):
            return x - h + chi * self.value(slope, env | {node.u: x})

        low, high, rests = -mp.inf, mp.inf, None
        for place, before, after in self._loss_kinks(node, env):
            if place + chi * before <= h <= place + chi * after:
                rests = place
            elif place + chi * after < h:
                low = max(low, place)
            else:
                high = min(high, place)
        point = rests if rests is not None else _increasing_root(excess, low, high, h, self.digits)
        if isinstance(node, Prox):
            return point
        if isinstance(node, ProxSlope):
            return mp.mpf(0) if rests is not None else 1 / (1 + chi * self.value(slope.diff(node.u), env | {node.u: point}))
        return (point - h) ** 2 / (2 * chi) + self.value(node.loss, env | {node.u: point})


def _scan(low, high) -> list:
    """Points at which an integrand is looked at before it is integrated, in increasing order."""
    if low == -FAR and high == FAR:
        return [-d for d in reversed(DISTANCES[1:])] + DISTANCES
    if mp.isfinite(low) and mp.isfinite(high):
        return [low + (high - low) * k / 16 for k in range(17)]
    if mp.isfinite(low):
        return [low, *(low + d for d in HALF_LINE)]
    if mp.isfinite(high):
        return [*(high - d for d in reversed(HALF_LINE)), high]
    return [-d for d in reversed(HALF_LINE)] + [mp.mpf(0)] + HALF_LINE


@cache
def _legendre(n: int, prec: int) -> list:
    """Nodes and weights of n-point Gauss-Legendre on [-1, 1] at the present precision."""
    pairs = []
    for k in range(n):
        x = mp.cos(mp.pi * (k + mp.mpf("0.75")) / (n + mp.mpf("0.5")))
        for _ in range(60):
            before, here = mp.mpf(1), x
            for j in range(2, n + 1):
                before, here = here, ((2 * j - 1) * x * here - (j - 1) * before) / j
            slope = n * (x * here - before) / (x**2 - 1)
            step = here / slope
            x -= step
            if abs(step) < 1000 * mp.eps:
                break
        pairs.append((x, 2 / ((1 - x**2) * slope**2)))
    return pairs


def _sign_changes(g, points) -> list:
    """Roots of a real function between neighbouring points of different sign, by bisection to working precision."""
    values = [g(x) for x in points]
    roots = [x for x, v in zip(points, values, strict=True) if v == 0]
    for (a, ga), (b, gb) in zip(zip(points, values, strict=True), zip(points[1:], values[1:], strict=True), strict=False):
        if ga * gb < 0:
            roots.append(_bisect(g, a, b))
    return roots


def _bisect(g, a, b):
    """Root in a bracket, to working precision: regula falsi in the Illinois form, bisection where that stalls."""
    ga, gb, side = g(a), g(b), 0
    for k in range(40 * mp.mp.dps):
        if ga == 0 or abs(b - a) <= mp.eps * max(abs(a), abs(b), mp.mpf(10) ** (-mp.mp.dps)):
            return a
        x = (a + b) / 2 if k % 3 == 2 else (a * gb - b * ga) / (gb - ga)
        gx = g(x)
        if gx == 0:
            return x
        if gx * gb < 0:
            a, ga, b, gb = b, gb, x, gx
            side = 0
        else:
            b, gb = x, gx
            ga, side = (ga / 2 if side else ga), 1
    return b


def _increasing_root(f, low, high, guess, digits):
    """Root of an increasing function between two kinks, either of which may be infinite."""
    step = mp.mpf(1)
    a = low if mp.isfinite(low) else min(guess, high) - step
    while not mp.isfinite(low) and f(a) > 0:
        step *= 2
        a -= step
    step = mp.mpf(1)
    b = high if mp.isfinite(high) else max(guess, a) + step
    while not mp.isfinite(high) and f(b) < 0:
        step *= 2
        b += step
    nudge = (b - a) * mp.mpf(10) ** (-digits - 4)  # a kink's own slope is that of the other side
    a, b = (a + nudge if mp.isfinite(low) else a), (b - nudge if mp.isfinite(high) else b)
    if f(a) >= 0:
        return a
    return b if f(b) <= 0 else _bisect(f, a, b)
