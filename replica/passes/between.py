"""The energy of a point between two independent solutions, given what their copies know of a sample: an average over both fields.

Opened once the label is known, when the laws of both fields are.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from replica.law import Atom, Density, Law, Quadratic, log_leaf
from replica.nodes import Flat, Gauss, Measure, Tilted
from replica.nodes.piecewise import Undecided, pieces
from replica.tree import Leaf


class Between(sp.Expr):
    """E loss(y, a h_one + b h_other) over two fields that are drawn from the laws of their leaves.

    Args: both leaves, the loss as a function of the label and of `u`, `u`, and the two factors.
    """

    is_real = True

    def __new__(cls, one, other, loss, u, a, b):
        return sp.Expr.__new__(cls, one, other, sp.sympify(loss), u, sp.sympify(a), sp.sympify(b))

    @property
    def free_symbols(self):
        one, other, loss, u, a, b = self.args
        return one.free_symbols | other.free_symbols | (loss.free_symbols - {u}) | a.free_symbols | b.free_symbols

    def opened(self, law: Callable[[Leaf], Law], label: tuple[sp.Symbol, sp.Expr]) -> sp.Expr:
        """The average, given the laws of the leaves and (symbol, value) of the label."""
        one, other, loss, u, a, b = self.args
        loss = loss.xreplace(dict([label]))
        v = sp.Dummy("v", real=True)
        inner = _steps(law(other), other, loss, u, a * v, b)
        return mean(law(one), one, v, inner)


def mean(law: Law, leaf: Leaf, v: sp.Symbol, body: sp.Expr) -> sp.Expr:
    """The average of a function of v, drawn from a law times the Gaussian factor of its leaf."""
    whole = log_leaf(law, leaf.h, leaf.A, leaf.side)
    total = sp.S.Zero
    for piece in law:
        share = sp.exp(piece.log_leaf(leaf.h, leaf.A, leaf.side) - whole) if len(law) > 1 else sp.S.One
        if isinstance(piece, Atom):
            total += share * body.xreplace({v: piece.location})
        else:
            exponent, measure = _density(piece, leaf, v)
            total += share * Tilted(body, exponent, (measure,))
    return total


def _density(piece: Quadratic | Density, leaf: Leaf, v: sp.Symbol) -> tuple[sp.Expr, Measure]:
    """(exponent, measure) of one piece of a law under the Gaussian factor of its leaf."""
    if isinstance(piece, Density):
        log_density, breaks = piece.log_density.xreplace({piece.variable: v}), piece.breaks
    else:
        log_density, breaks = piece.c0 + piece.c1 * v + piece.c2 * v**2 / 2, ()
        if piece.tail is not None:
            raise ValueError("a law with a tail has no energy between solutions yet")
    if (piece.lower, piece.upper) == (-sp.oo, sp.oo):
        return log_density, Gauss([v], [leaf.h], [[leaf.A]])
    return log_density - (v - leaf.h) ** 2 / (2 * leaf.A), Flat(v, piece.lower, piece.upper, breaks)


def _steps(law: Law, leaf: Leaf, loss: sp.Expr, u: sp.Symbol, shift: sp.Expr, factor: sp.Expr) -> sp.Expr:
    """E loss(shift + factor h) over the field h of a leaf; in closed form where the loss is a staircase and the law has half-lines."""
    try:
        parts = pieces(loss, u)
    except Undecided:
        parts = [(-sp.oo, sp.oo, loss)]
    closed = all(isinstance(p, Quadratic) and p.tail is None and -sp.oo in (p.lower, -p.upper) for p in law)
    if not closed or any(u in value.free_symbols for _, _, value in parts):
        v = sp.Dummy("v", real=True)
        return mean(law, leaf, v, loss.xreplace({u: shift + factor * v}))
    total = parts[0][2]
    for (_, end, below), (_, _, above) in zip(parts, parts[1:], strict=False):
        total += (above - below) * _beyond(law, leaf, (end - shift) / factor)
    return total


def _beyond(law: Law, leaf: Leaf, place: sp.Expr) -> sp.Expr:
    """Probability that the field of a leaf lies above a place."""
    whole = log_leaf(law, leaf.h, leaf.A, leaf.side)

    def mass(piece: Quadratic, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
        return sp.exp(Quadratic(piece.c0, piece.c1, piece.c2, lower, upper).log_leaf(leaf.h, leaf.A, leaf.side) - whole)

    total = sp.S.Zero
    for piece in law:
        assert isinstance(piece, Quadratic)
        if piece.upper == sp.oo:
            total += mass(piece, place if piece.lower == -sp.oo else sp.Max(piece.lower, place, evaluate=False), sp.oo)
        else:
            lower = -sp.Max(-piece.upper, -place, evaluate=False)  # Max, as of the mirror image
            total += mass(piece, -sp.oo, piece.upper) - mass(piece, -sp.oo, lower)
    return total
