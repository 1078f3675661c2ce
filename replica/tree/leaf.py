"""The opaque leaf of a replica tree: F(h, A) of one species, its logarithm and its ratios.

    energetic   F(h, A) = E_u f(h + sqrt(A) u)
    entropic    F(h, A) = int dP(w) exp(A w^2 / 2 + h w)

Both solve dF/dA = F''/2, so one derivative rule serves both, and no law is ever differentiated.
"""

from __future__ import annotations

from enum import Enum

import sympy as sp


class Side(Enum):
    ENERGETIC = "energetic"
    ENTROPIC = "entropic"


class Leaf(sp.Expr):
    """order 0: log F(h, A);  order k > 0: R_k = F^(k)/F, derivatives in h.

    Args: species and side as tags, the field h, the variance A, the order, and what else the law reads (the label).
    """

    is_real = True

    def __new__(cls, species, side, h, A, order=0, extra=()):
        side = side if isinstance(side, sp.Symbol) else sp.Symbol(side.value)
        return sp.Expr.__new__(cls, sp.Symbol(str(species)), side, sp.sympify(h), sp.sympify(A), sp.Integer(order), sp.Tuple(*extra))

    @property
    def species(self) -> str:
        return self.args[0].name

    @property
    def side(self) -> Side:
        return Side(self.args[1].name)

    @property
    def h(self) -> sp.Expr:
        return self.args[2]

    @property
    def A(self) -> sp.Expr:
        return self.args[3]

    @property
    def order(self) -> int:
        return int(self.args[4])

    @property
    def extra(self) -> sp.Tuple:
        return self.args[5]

    @property
    def free_symbols(self):
        return self.h.free_symbols | self.A.free_symbols | self.extra.free_symbols

    def at_order(self, k: int) -> Leaf:
        """The leaf of another order at the same point."""
        return Leaf(self.args[0], self.args[1], self.h, self.A, k, self.extra)

    def ratio(self, k: int) -> sp.Expr:
        """R_k at the same point; R_0 = 1."""
        return sp.S.One if k == 0 else self.at_order(k)

    def _eval_derivative(self, x):
        dh, half_dA = self.h.diff(x), self.A.diff(x) / 2
        if self.order == 0:
            return dh * self.ratio(1) + half_dA * self.ratio(2)
        k = self.order
        first = self.ratio(k + 1) - self * self.ratio(1)
        second = self.ratio(k + 2) - self * self.ratio(2)
        return dh * first + half_dA * second

    def _latex(self, printer, exp=None):
        name = "f" if self.side is Side.ENERGETIC else "P"
        h = printer._print(self.h)
        A = printer._print(self.A)
        label = printer._print(self.args[0])
        inside = rf"F^{{{name}}}_{{\mathrm{{{label}}}}}\left({h};{A}\right)"
        text = rf"\log {inside}" if self.order == 0 else rf"R_{{{self.order}}}\left[{inside}\right]"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"
