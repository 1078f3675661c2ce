"""A program evaluated with numpy and plain rules: slow, short, and sharing nothing with the graph compiler.

Arrays have one axis per loop; a loop's nodes stand along the axis of its position in `program.loops`.
"""

from __future__ import annotations

import numpy as np
import sympy as sp
from numpy.polynomial.legendre import leggauss
from scipy import optimize

from numerics.program import LogSum, Root, Rule, Sum, Table, TiltSum
from numerics.rewrite.sample import FUNCTIONS


def panels(lower, upper, count):
    """16-point Gauss-Legendre on `count` equal panels."""
    x, w = leggauss(16)
    edges = np.linspace(lower, upper, count + 1)
    half = np.diff(edges)[:, None] / 2
    return ((edges[:-1, None] + edges[1:, None]) / 2 + half * x).ravel(), (half * w).ravel()


def default_nodes(rule, count):
    if rule is Rule.COUNT:
        return np.arange(64.0 * count), np.ones(64 * count)
    if rule in (Rule.UNIT, Rule.RAY):
        return panels(0.0, 1.0, count)
    x, w = panels(-9.5, 9.5, count)
    w = w * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return x, w / w.sum()


class Numbers:
    """Evaluates expressions of `program` at parameter values; `counts` are panels per loop, one number or one per loop."""

    def __init__(self, program, counts=40):
        self.program = program
        counts = counts if isinstance(counts, tuple) else (counts,) * len(program.loops)
        self.rank = len(program.loops)
        self.axis = {loop.variable: i for i, loop in enumerate(program.loops)}
        self.nodes = {loop.variable: default_nodes(loop.rule, c) for loop, c in zip(program.loops, counts, strict=True)}

    def __call__(self, expressions, values):
        done = {s: np.asarray(float(v)) for s, v in values.items()}
        for v, (x, _) in self.nodes.items():
            done[v] = self._along(x, v)
        with np.errstate(all="ignore"):
            return np.array([float(np.squeeze(self._value(e, done))) for e in expressions])

    def _along(self, x, v):
        return x.reshape([-1 if i == self.axis[v] else 1 for i in range(self.rank)])

    def _value(self, e, done):
        if e not in done:
            done[e] = np.asarray(self._compute(e, done))
        return done[e]

    def _compute(self, e, done):
        if isinstance(e, Sum | LogSum | TiltSum):
            axis, w = self.axis[e.variable], self._along(self.nodes[e.variable][1], e.variable)
            body = self._value(e.args[0], done)
            if isinstance(e, Sum):
                return self._sum(w * body, axis)
            g = body if isinstance(e, LogSum) else self._value(e.args[1], done)
            g = g + 0 * w  # LogSum over nodes even of a constant
            top = np.max(g, axis=axis, keepdims=True)
            mass = w * np.exp(g - top)
            total = self._sum(mass, axis)
            return top + np.log(total) if isinstance(e, LogSum) else self._sum(mass * body, axis) / total
        if isinstance(e, Root):
            return self._root(e, done)
        if isinstance(e, Table):
            return self._value(e.written_out(), done)
        if e.is_number:
            return float(e) if e not in (sp.oo, -sp.oo) else np.inf * (1 if e == sp.oo else -1)
        if e in (sp.true, sp.false):
            return bool(e)
        if isinstance(e, sp.Piecewise):
            result = np.nan
            for value, condition in reversed(e.args):
                result = np.where(self._value(condition, done), self._value(value, done), result)
            return result
        args = [self._value(a, done) for a in e.args]
        if e.is_Add:
            return sum(args[1:], args[0])
        if e.is_Mul:
            result = args[0]
            for a in args[1:]:
                result = result * a
            return result
        if e.is_Pow:
            return args[0] ** args[1]
        if isinstance(e, sp.Max | sp.Min):
            result = args[0]
            for a in args[1:]:
                result = np.maximum(result, a) if isinstance(e, sp.Max) else np.minimum(result, a)
            return result
        if isinstance(e, sp.core.relational.Relational):
            return {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[e.rel_op](*args)
        if isinstance(e, sp.And | sp.Or):
            result = args[0]
            for a in args[1:]:
                result = result & a if isinstance(e, sp.And) else result | a
            return result
        return FUNCTIONS[type(e)](*args)

    def _root(self, e, done):
        """Plain Newton from the guesses, to the end."""
        index, equations, unknowns, guesses, _ = e.args
        found = [self._value(g, done) for g in guesses]
        for _ in range(40):
            here = done | dict(zip(unknowns, found, strict=True))
            f = [self._value(q, dict(here)) for q in equations]
            rows = [[self._value(q.diff(v), dict(here)) for v in unknowns] for q in equations]
            if len(f) == 1:
                steps = [f[0] / rows[0][0]]
            else:
                (a, b), (c, d) = rows
                steps = [(d * f[0] - b * f[1]) / (a * d - b * c), (a * f[1] - c * f[0]) / (a * d - b * c)]
            found = [z - step for z, step in zip(found, steps, strict=True)]
        return found[int(index)]

    @staticmethod
    def _sum(a, axis):
        return np.sum(a, axis=axis, keepdims=True)

    def solve(self, controls, start):
        """Root of unknown - G by Newton's method with a difference Jacobian (MINPACK), from `start`, an array."""
        symbols = self.program.unknowns

        def residual(x):
            return x - self(self.program.equations, controls | dict(zip(symbols, x, strict=True)))

        found = optimize.root(residual, start, method="hybr", options={"xtol": 1e-14})
        assert np.abs(residual(found.x)).max() < 1e-10 * (1 + np.abs(found.x).max()), found.message
        return dict(zip(symbols, found.x, strict=True))
