"""Functions to what a vectorised kernel has: exp, log, log1p on [0, 1], one Gaussian tail, selects.

Done after differentiation and through the same hash-consing, so that log H, hazard, H and density of one argument cost one
exponential, one tail and one logarithm, and partners under parity share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from numerics.graph.records import Graph

_KEEP = frozenset({"const", "named", "param", "node"})


class Legalise:
    """Copies records of one graph into another, functions rewritten."""

    def __init__(self, source: Graph, target: Graph) -> None:
        self.source, self.graph = source, target
        self._done: dict[int, int] = {}

    def __call__(self, roots: Iterable[int]) -> list[int]:
        roots = list(roots)
        source, done = self.source, self._done
        need, stack = set(), list(roots)
        while stack:
            r = stack.pop()
            if r not in need and r not in done:
                need.add(r)
                stack.extend(source.inputs(r))
        for r in sorted(need):
            done[r] = self._copy(r)
        return [done[r] for r in roots]

    def _copy(self, r: int) -> int:
        s, g = self.source, self.graph
        op, args = s.op[r], s.args[r]
        if op in _KEEP:
            leaf: Callable[..., int] = getattr(g, op)
            return leaf(args[0])
        if op == "red":
            return g.weighted(args[0], self._done[args[1]], self._done[args[2]])
        if op == "redmax":
            return g.redmax(args[0], self._done[args[1]])
        new = [self._done[a] for a in args]
        if op in ("neg", "add", "mul", "inv", "sel"):
            return getattr(g, op)(*new)
        if op in ("lt", "le", "eq", "ne", "and", "or"):
            return g.compare(op, *new)
        rule = None if s.constant[r] else getattr(self, "_" + op, None)
        return rule(*new) if rule else g.fn(op, *new)

    # the Gaussian tail
    def _parts(self, x: int) -> tuple[int, int, int, int]:
        """x > 0, e^(-x^2/2), tail(|x|), and H(x) e^(x^2/2) where x > 0, else H(x)."""
        g = self.graph
        base = g.args[x][0] if g.op[x] == "neg" else x
        decay = g.fn("exp", g.mul(g.const(Fraction(-1, 2)), g.mul(base, base)))
        tail = g.fn("tail", g.fn("abs", x))
        positive = g.compare("lt", g.zero, x)
        return positive, decay, tail, g.sel(positive, tail, g.sub(g.one, g.mul(decay, tail)))

    def _logh(self, x: int) -> int:
        _, decay, tail, lower = self._parts(x)
        return self.graph.fn("logh_", x, decay, tail, lower)

    def _hazard(self, x: int) -> int:
        g = self.graph
        positive, decay, _, lower = self._parts(x)
        norm = g.inv(g.fn("sqrt", g.mul(g.const(2), g.named("pi"))))
        return g.mul(g.mul(norm, g.sel(positive, g.one, decay)), g.inv(lower))

    def _gap(self, x: int) -> int:
        return self.graph.fn("gap_", x, self._hazard(x))

    def _tailp(self, x: int) -> int:
        g = self.graph
        positive, decay, tail, _ = self._parts(x)
        both = g.mul(decay, tail)
        return g.sel(positive, both, g.sub(g.one, both))

    def _erfc(self, x: int) -> int:
        g = self.graph
        return g.mul(g.const(2), self._tailp(g.mul(g.fn("sqrt", g.const(2)), x)))

    def _erf(self, x: int) -> int:
        g = self.graph
        decay = g.fn("exp", g.neg(g.mul(x, x)))
        tail = g.fn("tail", g.fn("abs", g.mul(g.fn("sqrt", g.const(2)), x)))
        return g.fn("erf_", x, g.mul(g.const(2), g.mul(decay, tail)))

    def _steady(self, x: int) -> int:
        return x

    # hyperbolic and logistic functions, all from e^(-|x|)
    def _decay(self, x: int) -> int:
        return self.graph.fn("exp", self.graph.neg(self.graph.fn("abs", x)))

    def _softplus(self, x: int) -> int:
        g = self.graph
        return g.add(g.maximum(g.zero, x), g.fn("log1p", self._decay(x)))

    def _sigmoid(self, x: int) -> int:
        g = self.graph
        decay = self._decay(x)
        share = g.inv(g.add(g.one, decay))
        return g.mul(g.sel(g.compare("lt", x, g.zero), decay, g.one), share)

    def _log2cosh(self, x: int) -> int:
        g = self.graph
        return g.add(g.fn("abs", x), g.fn("log1p", self._decay(g.mul(g.const(2), x))))

    def _tanh(self, x: int) -> int:
        return self.graph.fn("tanh_", x, self._decay(self.graph.mul(self.graph.const(2), x)))

    def _cosh(self, x: int) -> int:
        g = self.graph
        e = g.fn("exp", g.fn("abs", x))
        return g.mul(g.const(Fraction(1, 2)), g.add(e, g.inv(e)))

    def _sinh(self, x: int) -> int:
        return self.graph.mul(self._tanh(x), self._cosh(x))

    def _sign(self, x: int) -> int:
        g = self.graph
        return g.sel(g.compare("lt", g.zero, x), g.one, g.sel(g.compare("lt", x, g.zero), g.const(-1), x))
