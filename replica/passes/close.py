"""Closed forms first: leaves become their laws' integrals, quadratics move into the measures, polynomials are integrated.

What is left is an average that needs a grid, with the measures centred on the mass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.law import Atom, Density, Law, Quadratic, log_leaf
from replica.nodes import Flat, Gauss, LogAverage, Measure, Moreau, Peak, Prox, ProxSlope, Sigmoid, Tilted
from replica.passes.alike import alike
from replica.passes.between import Between
from replica.passes.edge import EdgeLeaf
from replica.passes.gaussian import absorb, integrate_polynomials, orthant, rotate, translate, without_large_parts
from replica.passes.nested import nested
from replica.passes.proximal import closed_prox
from replica.passes.quadratic import closed_average, closed_inside
from replica.passes.walk import bottom_up, rebuilt
from replica.tree import Leaf, Side

OPEN = (Leaf, EdgeLeaf, Prox, Moreau, ProxSlope, Peak)  # what has no closed form yet


@dataclass
class Ratios:
    """log F and R_k of laws, differentiated once per law and side."""

    _known: dict = field(default_factory=dict)

    def __call__(self, law: Law, leaf: Leaf) -> sp.Expr:
        key = (law, leaf.side)
        if key not in self._known:
            h, A = sp.Dummy("h", real=True), sp.Dummy("A", real=True)
            self._known[key] = (h, A, [log_leaf(law, h, A, leaf.side)])
        h, A, orders = self._known[key]
        while len(orders) <= leaf.order:
            if len(orders) == 1:
                orders.append(orders[0].diff(h))
            else:  # R_{k+1} = R_k' + R_k R_1
                orders.append(orders[-1].diff(h) + orders[-1] * orders[1])
        return orders[leaf.order].xreplace({h: leaf.h, A: leaf.A})


@dataclass(frozen=True)
class Branch:
    """One way in which the tilting leaf contributes: a label, a piece of its law."""

    label: sp.Expr
    measures: tuple[Measure, ...]
    exponent: sp.Expr
    ratio: Callable[[int], sp.Expr]  # R_k of the tilting leaf in this branch
    indicator: sp.Expr = sp.S.One


def piece_branches(law: Law, tilt: Leaf, ratios: Ratios, label=sp.S.Zero, measures=(), indicator=sp.S.One) -> list[Branch]:
    """Split the tilting leaf where its pieces carry mass to different places."""

    def whole(part: Law) -> Branch:
        return Branch(label, tuple(measures), ratios(part, tilt), lambda k: ratios(part, tilt.at_order(k)), indicator)

    if tilt.side is Side.ENERGETIC:
        spread = any(isinstance(p, Atom) or (isinstance(p, Quadratic) and p.c2 != 0) for p in law)
        return [whole((p,)) for p in law] if spread else [whole(law)]
    found = []
    for piece in law:
        if isinstance(piece, Atom) or (
            isinstance(piece, Quadratic) and piece.tail is None and (piece.lower, piece.upper) == (-sp.oo, sp.oo)
        ):
            found.append(whole((piece,)))
            continue
        # a truncated or general density is integrated as the weight itself: its field is then a shifted Gaussian
        w = sp.Dummy("w", real=True)
        if isinstance(piece, Density):
            log_density, ends = piece.log_density.xreplace({piece.variable: w}), (piece.lower, piece.upper, piece.breaks)
        else:
            log_density, ends = piece.c0 + piece.c1 * w + piece.c2 * w**2 / 2, (piece.lower, piece.upper, ())
        exponent = log_density + tilt.A * w**2 / 2 + tilt.h * w
        found.append(Branch(label, (*measures, Flat(w, *ends)), exponent, _power_of(w), indicator))
    return found


def _power_of(w: sp.Symbol) -> Callable[[int], sp.Expr]:
    return lambda k: w**k


@dataclass
class Closer:
    """Lowers the averages of one side.

    Args:
        branches: the ways in which the tilting leaf (None: no teacher) contributes.
        law: law of a leaf that is not the tilting one, given the label.
        label: the symbol that stands for the label in bodies.
        tilting: species of the tilting leaf.
    """

    branches: Callable[[Leaf | None], list[Branch]]
    law: Callable[[Leaf, Branch], Law]
    label: sp.Symbol
    tilting: str
    ratios: Ratios

    def __call__(self, expression: sp.Expr) -> sp.Expr:
        if self._inner(expression):
            return _merge_mirrored([self._branch(expression, b, (), sp.S.Zero) for b in self.branches(None)])
        if isinstance(expression, Tilted):  # averages inside are closed with it, given its label
            open_inside = expression.atoms(*OPEN) or expression.body.atoms(Tilted, LogAverage)
            return self.average(expression) if open_inside or self.label in expression.body.free_symbols else expression
        if not expression.args or not expression.atoms(Tilted, LogAverage):
            return expression
        return expression.func(*(self(a) for a in expression.args))

    def _inner(self, e: sp.Expr) -> bool:
        """Whether an average is one of an inner node, alone because no field of the root moves."""
        inside = isinstance(e, LogAverage) or (isinstance(e, Tilted) and not e.normalised)
        return inside and bool(e.atoms(*OPEN))

    def average(self, node: Tilted) -> sp.Expr:
        tilt = node.exponent if isinstance(node.exponent, Leaf) else None
        gauss = tuple(m for m in node.measures if not (isinstance(m, Flat) and m.variables == (self.label,)))
        results = [self._branch(node.body, b, gauss, sp.S.Zero if tilt is not None else node.exponent) for b in self.branches(tilt)]
        return _merge_mirrored(results)

    def _branch(self, body: sp.Expr, branch: Branch, measures: tuple[Measure, ...], density: sp.Expr) -> tuple[sp.Expr, ...]:
        def open_leaf(e):
            if isinstance(e, EdgeLeaf):
                return e.opened(self.law(e.leaf, branch))
            if isinstance(e, Between):
                return e.opened(lambda leaf: self.law(leaf, branch), (self.label, branch.label))
            if not isinstance(e, Leaf):
                return e
            if e.species == self.tilting:
                return branch.ratio(e.order)
            return self.ratios(self.law(e, branch), e)

        body = _top_down(body, open_leaf).xreplace({self.label: branch.label}) * branch.indicator
        exponent = (branch.exponent + _top_down(density, open_leaf)).xreplace({self.label: branch.label})
        measures = measures + branch.measures
        if body.has(Tilted, LogAverage):
            at_once = closed_average(body, exponent, measures)
            if at_once is not None:
                return at_once.mean, sp.S.Zero, (), at_once.log
            body = closed_inside(body)
        body, exponent = nested(closed_prox(without_cancellation(body))), closed_prox(exponent)
        exponent, measures, weight = absorb(exponent, measures)
        y = branch.label
        if isinstance(y, sp.Symbol) and body.has(Prox, ProxSlope, Moreau):
            body = closed_prox(translate(body, y))
            body, measures = rotate(body, exponent, measures, y)
        body, measures = integrate_polynomials(without_kink(body, exponent, measures), exponent, measures)
        return body, exponent, measures, weight


def _top_down(expression: sp.Basic, visit: Callable[[sp.Basic], sp.Basic]) -> sp.Basic:
    """`visit` on every node before its arguments, and again on what it puts in a node's place."""
    seen: dict[sp.Basic, sp.Basic] = {}

    def walk(e: sp.Basic) -> sp.Basic:
        if e not in seen:
            changed = visit(e)
            if changed is not e:
                changed = walk(changed)
            elif e.args:
                changed = rebuilt(e, [walk(a) for a in e.args])
            seen[e] = changed
        return seen[e]

    return walk(expression)


def _merge_mirrored(results: list[tuple]) -> sp.Expr:
    """Sum of branches; two that are mirror images of each other count once, twice."""
    total, pending = sp.S.Zero, list(results)
    while pending:
        body, exponent, measures, weight = pending.pop(0)
        count = sp.S.One
        for other in pending:
            if _same(_mirror(*other), (body, exponent, measures, weight)):
                pending.remove(other)
                count = sp.Integer(2)
                break
        body, exact = without_large_parts(body, exponent, measures)
        total += count * sp.exp(weight) * exact
        constant, body = body.as_independent(*(v for m in measures for v in m.variables), as_Add=False)
        closed = orthant(body, exponent, measures)
        value = closed if closed is not None else Tilted(body, exponent, measures, normalised=True) if measures else body * sp.exp(exponent)
        total += count * sp.exp(weight) * constant * value
    return total


def _same(one, other) -> bool:
    """Equal, up to how it is written and the names of variables inside."""
    if one is None or one[2:] != other[2:]:
        return False
    if one[:2] == other[:2]:
        return True
    return alike(list(zip(one[:2], other[:2], strict=True)))


def _mirror(body, exponent, measures, weight):
    """The same average in the negatives of all variables, also of averages inside; for one-dimensional Gaussians and intervals."""
    inside = [m for e in body.atoms(Tilted, LogAverage) for m in e.measures]
    if not all(isinstance(m, (Gauss, Flat)) and len(m.variables) == 1 for m in (*measures, *inside)):
        return None
    flip = {m.variables[0]: -m.variables[0] for m in (*measures, *inside)}

    def turned(m: Measure) -> Measure:
        if isinstance(m, Flat):
            return Flat(m.variables[0], -m.upper, -m.lower, [-b for b in m.breaks[::-1]])
        return Gauss(m.variables, [-m.means[0].xreplace(flip)], m.covariance)

    def walk(e: sp.Basic) -> sp.Basic:
        if isinstance(e, LogAverage):
            return LogAverage(walk(e.exponent), [turned(m) for m in e.measures])
        if isinstance(e, Tilted):
            return Tilted(walk(e.body), walk(e.exponent), [turned(m) for m in e.measures], e.normalised)
        if isinstance(e, (Prox, ProxSlope, Moreau)):
            mirrored = e.func(e.loss.xreplace({e.u: -e.u}), e.u, e.chi, -walk(e.h))
            return -mirrored if isinstance(e, Prox) else mirrored
        if e in flip:
            return flip[e]
        return rebuilt(e, [walk(a) for a in e.args])

    return walk(body), walk(exponent), tuple(turned(m) for m in measures), weight


def without_cancellation(body: sp.Expr) -> sp.Expr:
    """1 - tanh(x)^2 as a product, which keeps its digits where tanh saturates."""

    def visit(e):
        if e.is_Add and sp.S.One in e.args and len(e.args) == 2:
            (other,) = (a for a in e.args if a is not sp.S.One)
            (squared,) = (-other).args[:1] if (-other).is_Pow and (-other).exp == 2 else (None,)
            if isinstance(squared, sp.tanh):
                (x,) = squared.args
                return 4 * Sigmoid(2 * x) * Sigmoid(-2 * x)
        return e

    return bottom_up(body, visit)


def without_kink(body: sp.Expr, exponent: sp.Expr, measures: tuple[Measure, ...]) -> sp.Expr:
    """abs(v) as v where the integrand is even in abs(v), so that no grid is split there."""
    bound = {v for m in measures for v in m.variables}
    for node in body.atoms(sp.Abs):
        (v,) = node.args
        a = sp.Dummy("a", real=True)
        if v in bound and v not in exponent.free_symbols:
            opened = body.xreplace({node: a})
            odd = opened - opened.xreplace({a: -a})
            if odd == 0 or (not _shows(odd) and sp.expand(odd) == 0):
                body = opened.xreplace({a: v})
    return body


def _shows(expression: sp.Expr) -> bool:
    """Whether an expression is seen not to vanish at a point, which is quicker than to expand it."""
    try:
        at = {s: np.array(0.4 + 0.17 * k) for k, s in enumerate(sorted(expression.free_symbols, key=sp.default_sort_key))}
        return bool(abs(evaluate(expression, at)) > 1e-6)
    except ValueError:
        return False  # something has no value without a grid
