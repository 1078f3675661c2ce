"""Averages to sums over loops, outermost measure first, so that inner measures are cut knowing the outer loops."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from numerics.program import LogSum, Rule, Sum, TiltSum
from numerics.reads import AVERAGES, PROXIMAL, free
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.flat import cut_flat
from numerics.rewrite.logs import log_add, mix
from numerics.rewrite.order import fields_first, outermost, scalars
from numerics.rewrite.pieces import Context, Piece, cut_gauss
from numerics.rewrite.prox import cut_prox, explicit, proximals
from numerics.rewrite.tilt import absorb
from numerics.rewrite.walk import rebuild, substitute
from replica.nodes import Counting, Discrete, Flat, Gauss, LogAverage, Measure, Tilted

Measures = tuple[Measure, ...]


class Rewriter:
    """Rewrites expressions of one theory; equal parts are rewritten once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._done: dict[sp.Basic, sp.Expr] = {}

    def expression(self, e: sp.Expr) -> sp.Expr:
        """`e` with every average and proximal node in loop form."""
        if not e.args:
            return e
        if e not in self._done:
            self._done[e] = self._rewrite(e)
        return self._done[e]

    def _rewrite(self, e: sp.Expr) -> sp.Expr:
        if isinstance(e, PROXIMAL):
            return self.expression(explicit(e, self.context))
        if isinstance(e, AVERAGES):
            body: tuple[sp.Expr, ...] = (e.body, e.exponent) if isinstance(e, Tilted) else (e.exponent,)
            measures, fixed = scalars(e.measures, body, self.context.facts)
            measures, body = fields_first(measures, tuple(substitute(b, fixed) for b in body), len(body) - 1)
            if isinstance(e, LogAverage):
                return self.log_average(body[0], tuple(measures))
            proper = all(isinstance(m, Gauss) for m in measures)
            if e.normalised or (body[1] == 0 and proper):
                return self.total(body[0], body[1], tuple(measures))
            return self.tilted(body[0], body[1], tuple(measures))
        args = tuple(self.expression(a) for a in e.args)
        return e if all(a is b for a, b in zip(args, e.args, strict=True)) else rebuild(e, args)

    def log_average(self, exponent: sp.Expr, measures: Measures) -> sp.Expr:
        """log E e^exponent."""
        outside, exponent = _outside(exponent, measures)
        measures = _read(measures, (exponent,))
        if not measures:
            return self.expression(outside) + self.expression(exponent)
        head, rest = _take(measures, (exponent,), discrete_inside=True)
        closed = absorb(head, exponent, rest) if isinstance(head, Gauss) else None
        if closed:
            head, mass, exponent = closed
            return self.expression(outside) + self.expression(mass) + self.log_average(exponent, (head, *rest))
        if isinstance(head, Discrete):
            atoms = [self.log_average(g + w, tuple(m)) for w, (g, *m) in _atoms(head, (exponent, *rest))]
            return self.expression(outside) + log_add(atoms)
        logs = []
        for p in self._pieces(head, (exponent, *rest), 0):
            g, *inner = p.contents
            if p.atom:
                continue
            logs.append(LogSum(self.log_average(g, tuple(inner)) + self.expression(p.log_weight), p.variable))
        return self.expression(outside) + log_add(logs)

    def tilted(self, body: sp.Expr, exponent: sp.Expr, measures: Measures) -> sp.Expr:
        """E[body e^exponent] / E[e^exponent]."""
        _, exponent = _outside(exponent, measures)
        measures = _read(measures, (body, exponent))
        if not measures:
            return self.expression(body)
        head, rest = _take(measures, (body, exponent), discrete_inside=True)
        if exponent == 0 and all(isinstance(m, Gauss) for m in measures):
            return self.total(body, exponent, measures)
        closed = absorb(head, exponent, rest) if isinstance(head, Gauss) else None
        if closed:
            head, _, exponent = closed
            return self.tilted(body, exponent, (head, *rest))
        logs, values, atoms = [], [], []
        if isinstance(head, Discrete):
            for w, (a, g, *m) in _atoms(head, (body, exponent, *rest)):
                logs.append(self.log_average(g + w, tuple(m)))
                values.append(self.tilted(a, g, tuple(m)))
            return mix(logs, values)
        for p in self._pieces(head, (body, exponent, *rest), 1):
            a, g, *inner = p.contents
            g = self.log_average(g, tuple(inner)) + self.expression(p.log_weight)
            value = TiltSum(self.tilted(a, p.contents[1], tuple(inner)), g, p.variable)
            if p.atom:
                atoms.append((LogSum(g, p.variable), value))
            else:
                logs.append(LogSum(g, p.variable))
                values.append(value)
        return mix(logs, values) + sp.Add(*(sp.exp(weight - log_add(logs)) * value for weight, value in atoms))

    def total(self, body: sp.Expr, exponent: sp.Expr, measures: Measures) -> sp.Expr:
        """E[body e^exponent]; the tilt is known to average to one, or absent."""
        if body == 0:
            return sp.S.Zero
        if exponent == 0:
            measures = _read(measures, (body,))
        if not measures:
            return self.expression(body) * sp.exp(self.expression(exponent))
        head, rest = _take(measures, (body, exponent), discrete_inside=False)
        closed = absorb(head, exponent, rest) if isinstance(head, Gauss) else None
        if closed:
            head, mass, exponent = closed
            return sp.exp(self.expression(mass)) * self.total(body, exponent, (head, *rest))
        if isinstance(head, Discrete):
            return sp.Add(*(self.total(a, g + w, tuple(m)) for w, (a, g, *m) in _atoms(head, (body, exponent, *rest))))
        sums = []
        for p in self._pieces(head, (body, exponent, *rest), 1, proper=True):
            a, g, *inner = p.contents
            if a == 0:
                continue
            last = not inner  # else the exponent stays whole: what grows with this variable may be held down by what is integrated inside
            weight = sp.exp(self.expression(g) + self.expression(p.exponent)) if last else sp.exp(self.expression(p.exponent))
            inside = self.expression(a) if last else self.total(a, g, tuple(inner))
            sums.append(Sum(self.expression(p.factor) * weight * inside, p.variable))
        return sp.Add(*sums)

    def _pieces(self, head: Measure, contents: tuple[sp.Basic, ...], tilt: int, proper: bool = False) -> list[Piece]:
        """Loops over `head`; contents[tilt] is the exponent, `proper` if its average over all measures is one."""
        v = head.variables[0]
        if isinstance(head, Counting):
            k = self.context.loops.variable(Rule.COUNT, (), contents)
            return [Piece(k, tuple(substitute(c, {v: k}) for c in contents))]
        nodes = proximals(contents, v)
        if isinstance(head, Gauss):
            mean, variance = head.means[0], head.covariance[0, 0]
            if nodes:
                pieces = cut_prox(self.context, v, mean, variance, contents, nodes)
                if pieces is not None:
                    return pieces
                contents = self._explicit(contents, nodes)
            return cut_gauss(self.context, v, mean, variance, contents, None if proper else tilt)
        if isinstance(head, Flat):
            return cut_flat(self.context, head, self._explicit(contents, nodes), tilt)
        raise RewriteError(f"no loop for a measure of type {type(head).__name__}; allowed are Gauss, Discrete, Flat and Counting")

    def _explicit(self, contents: tuple[sp.Basic, ...], nodes: Sequence[sp.Expr]) -> tuple[sp.Basic, ...]:
        place = {n: explicit(n, self.context) for n in nodes}
        return tuple(substitute(c, place) for c in contents)


def _read(measures: Measures, contents: tuple[sp.Basic, ...]) -> Measures:
    """Normalised measures that nothing reads integrate to one and are dropped."""
    kept = list(measures)
    while True:
        for i, m in enumerate(kept):
            others = set().union(*(free(c) for c in contents), *(free(o) for j, o in enumerate(kept) if j != i))
            if isinstance(m, Gauss) and not set(m.variables) & others:
                del kept[i]
                break
        else:
            return tuple(kept)


def _take(measures: Measures, contents: tuple[sp.Basic, ...], discrete_inside: bool) -> tuple[Measure, Measures]:
    i = outermost(measures, contents, discrete_inside)
    return measures[i], measures[:i] + measures[i + 1 :]


def _atoms(head: Discrete, contents: tuple[sp.Basic, ...]) -> list[tuple[sp.Expr, tuple[sp.Basic, ...]]]:
    """Log weight of every atom and the contents at it."""
    v = head.variables[0]
    return [
        (w, tuple(substitute(c, {v: a}) for c in contents))
        for a, w in zip(head.atoms_, head.log_weights, strict=True)
    ]


def _outside(exponent: sp.Expr, measures: Measures) -> tuple[sp.Expr, sp.Expr]:
    """Terms of an exponent that read no variable of `measures`, and the rest."""
    bound = {v for m in measures for v in m.variables}
    terms = exponent.args if exponent.is_Add else (exponent,)
    inside = [t for t in terms if free(t) & bound]
    if len(inside) == len(terms):
        return sp.S.Zero, exponent
    return sp.Add(*(t for t in terms if not free(t) & bound)), sp.Add(*inside)
