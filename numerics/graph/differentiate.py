"""Forward derivatives on the graph, all seeds at once, zeros removed.

For a sum over a loop there are two exact ways: tangents of all seeds inside the loop (direct), or partials with respect
to the outer values that the body reads, chained outside the loop (local).  Local is taken where the outer values are
no more than the seeds.
"""

from __future__ import annotations

from fractions import Fraction

from numerics.graph.records import WEIGHTS, Graph

Tangent = dict[int, int]
STILL = ("lt", "le", "eq", "ne", "and", "or", "redmax", "steady")  # whose motion is none, or not looked at


class Derivatives:
    """Tangents of records with respect to `seeds`.

    Args:
        graph: receives the new records.
        seeds: records that are moved.
        frozen: mask of the loops outside; a record that depends on no other loop is a constant here unless it is a seed.
            None at the top, where only seeds are moved and nothing is frozen.
        local: None chooses by count; True and False force one way (for tests).
    """

    def __init__(self, graph: Graph, seeds: tuple[int, ...], frozen: int | None = None, local: bool | None = None) -> None:
        self.graph, self.seeds, self.frozen, self.local = graph, frozenset(seeds), frozen, local
        self._done: dict[int, Tangent] = {}
        self._inner: dict[tuple[frozenset[int], int], Derivatives] = {}

    def __call__(self, r: int) -> Tangent:
        """{seed: d r/d seed} without zeros.  Arguments are visited first by an explicit stack: trees may be deep."""
        stack = [r]
        while stack:
            top = stack[-1]
            if top in self._done:
                stack.pop()
                continue
            waiting = [a for a in self._reads(top) if a not in self._done]
            if waiting:
                stack.extend(waiting)
            else:
                self._done[top] = self._tangent(top)
                stack.pop()
        return self._done[r]

    def _fixed(self, r: int) -> bool:
        return self.graph.constant[r] or (self.frozen is not None and not self.graph.mask[r] & ~self.frozen)

    def _reads(self, r: int) -> tuple[int, ...]:
        if r in self.seeds or self._fixed(r) or self.graph.op[r] in STILL:
            return ()
        if self.graph.op[r] == "mul":
            return self._factors(r)
        return self._boundary(r) if self.graph.op[r] == "red" else self.graph.inputs(r)

    def _boundary(self, r: int) -> tuple[int, ...]:
        """Largest records in the body of sum `r` that are fixed while it runs."""
        g, outside = self.graph, self.graph.mask[r]
        found, seen, stack = set(), set(), list(g.inputs(r))
        while stack:
            a = stack.pop()
            if a in seen or g.constant[a]:
                continue
            seen.add(a)
            if not g.mask[a] & ~outside:
                if g.op[a] not in STILL:
                    found.add(a)
            else:
                stack.extend(g.inputs(a))
        return tuple(sorted(found))

    def _tangent(self, r: int) -> Tangent:
        g, op = self.graph, self.graph.op[r]
        if r in self.seeds:
            return {r: g.one}
        if self._fixed(r) or op in ("node", "param", *STILL):
            return {}
        if op == "red":
            return self._sum(r)
        args = g.args[r]
        if op == "mul":
            return self._product(self._factors(r))
        if op == "add":
            return self._merge([(None, self._done[args[0]]), (None, self._done[args[1]])])
        if op == "sel":
            yes, no = self._done[args[1]], self._done[args[2]]
            return self._clean({s: g.sel(args[0], yes.get(s, g.zero), no.get(s, g.zero)) for s in (*yes, *no)})
        return self._merge([(partial(g, r, i), self._done[a]) for i, a in enumerate(args) if self._done[a]])

    def _factors(self, r: int) -> tuple[int, ...]:
        """`r` as a product of seeds, fixed records and others that are no products."""
        found, stack = [], list(self.graph.args[r])
        while stack:
            a = stack.pop()
            if self.graph.op[a] == "mul" and a not in self.seeds and not self._fixed(a):
                stack.extend(self.graph.args[a])
            else:
                found.append(a)
        return tuple(sorted(found))

    def _product(self, factors: tuple[int, ...]) -> Tangent:
        """W Y -> W (Y dlog W + dY) with W the exponentials and tails: sums that share W share dlog W."""
        g = self.graph
        moving = [g.op[f] in WEIGHTS and f not in self.seeds and not self._fixed(f) for f in factors]
        weights = [f for f, m in zip(factors, moving, strict=True) if m]
        others = [f for f, m in zip(factors, moving, strict=True) if not m]
        rest = g.product(others)
        logarithm = self._merge([part for f in weights for part in self._log_slope(f)])
        parts: list[tuple[int | None, Tangent]] = [(rest, logarithm)]
        for f in dict.fromkeys(others):
            if self._done[f]:
                without = list(others)
                without.remove(f)
                parts.append((g.mul(g.const(others.count(f)), g.product(without)), self._done[f]))
        weight = g.product(weights)
        return self._clean({s: g.mul(weight, t) for s, t in self._merge(parts).items()})

    def _log_slope(self, f: int) -> list[tuple[int | None, Tangent]]:
        """d log f for an exponential or a tail, as factors of tangents that are known or follow from those of its argument."""
        g = self.graph
        x = g.args[f][0]
        moved = self(x)
        return [(None, moved)] if g.op[f] == "exp" else [(g.neg(g.fn("hazard", x)), moved)]

    def _merge(self, parts: list[tuple[int | None, Tangent]]) -> Tangent:
        g, total = self.graph, Tangent()
        for factor, tangent in parts:
            for s, t in tangent.items():
                term = t if factor is None else g.mul(factor, t)
                total[s] = g.add(total[s], term) if s in total else term
        return self._clean(total)

    def _clean(self, tangent: Tangent) -> Tangent:
        return {s: t for s, t in tangent.items() if t != self.graph.zero}

    def _sum(self, r: int) -> Tangent:
        g = self.graph
        loop, weight, inside = g.args[r]
        body = g.mul(weight, inside)
        moved = tuple(b for b in self._boundary(r) if self._done[b])
        active = {s for b in moved for s in self._done[b]}
        if not active:
            return {}
        local = len(moved) <= len(active) if self.local is None else self.local
        if not local:
            return self._clean({s: g.red(loop, t) for s, t in self(body).items()})
        partials = self._shared(frozenset(moved), g.mask[r])(body)
        return self._merge([(g.red(loop, partials[b]), self._done[b]) for b in moved if b in partials])

    def _shared(self, seeds: frozenset[int], frozen: int) -> Derivatives:
        """The calculation of tangents with these seeds, one for all sums that need it."""
        key = (seeds, frozen)
        if key not in self._inner:
            self._inner[key] = Derivatives(self.graph, tuple(seeds), frozen, self.local)
        return self._inner[key]


def partial(g: Graph, r: int, i: int) -> int:
    """Partial derivative of record `r` in its argument number `i`.

    Raises:
        ValueError: the function has no derivative rule.
    """
    op, args = g.op[r], g.args[r]
    x = args[0]
    if op == "neg":
        return g.const(-1)
    if op == "inv":
        return g.neg(g.mul(r, r))
    if op == "exp":
        return r
    if op == "log":
        return g.inv(x)
    if op == "sqrt":
        return g.mul(g.const(Fraction(1, 2)), g.inv(r))
    if op == "abs":
        return g.fn("sign", x)
    if op == "sign":
        return g.zero
    if op == "logh":
        return g.neg(g.fn("hazard", x))
    if op == "hazard":  # the exact form of hazard - x where it is computed anyway, else the cheap one: slopes need not be exact in the tail
        return g.mul(r, g.fn("gap", x) if g.has("gap", x) else g.sub(r, x))
    if op == "gap":
        return g.sub(g.mul(g.fn("hazard", x), r), g.one)
    if op == "tailp":
        return g.neg(g.mul(r, g.fn("hazard", x)))
    if op == "softplus":
        return g.fn("sigmoid", x)
    if op == "sigmoid":
        return g.mul(r, g.fn("sigmoid", g.neg(x)))
    if op == "log2cosh":
        return g.fn("tanh", x)
    if op == "tanh":
        twice = g.mul(g.const(2), x)
        return g.mul(g.const(4), g.mul(g.fn("sigmoid", twice), g.fn("sigmoid", g.neg(twice))))
    if op == "cosh":
        return g.fn("sinh", x)
    if op == "sinh":
        return g.fn("cosh", x)
    if op in ("erf", "erfc"):
        slope = g.mul(g.mul(g.const(2), g.inv(g.fn("sqrt", g.named("pi")))), g.fn("exp", g.neg(g.mul(x, x))))
        return slope if op == "erf" else g.neg(slope)
    if op == "sin":
        return g.fn("cos", x)
    if op == "cos":
        return g.neg(g.fn("sin", x))
    if op == "tan":
        return g.add(g.one, g.mul(r, r))
    if op in ("asin", "acos"):
        slope = g.inv(g.fn("sqrt", g.mul(g.sub(g.one, x), g.add(g.one, x))))
        return slope if op == "asin" else g.neg(slope)
    if op == "atan":
        return g.inv(g.add(g.one, g.mul(x, x)))
    if op == "lgamma":
        return g.fn("digamma", x)
    if op == "pow":
        if i == 0:
            return g.mul(args[1], g.fn("pow", x, g.sub(args[1], g.one)))
        return g.mul(r, g.fn("log", x))
    raise ValueError(f"no derivative rule for {op}")
