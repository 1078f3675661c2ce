"""Zero-temperature leaves: the proximal point of a loss and its Moreau envelope.

    Prox(loss, u, chi, h)   = argmin_u [ (u - h)^2 / (2 chi) + loss(u) ]
    Moreau(loss, u, chi, h) = min_u    [ (u - h)^2 / (2 chi) + loss(u) ]

    Peak(loss, u, V, h)     = max_u    [ h u - V u^2 / 2 - loss(u) ],  reached at Prox(loss, u, 1/V, h/V)

`u` is bound (a Dummy standing in `loss`); chi > 0.  Derivatives follow the envelope theorem and the implicit
function theorem, so no minimisation is ever differentiated.
"""

from __future__ import annotations

import sympy as sp


class _Proximal(sp.Expr):
    is_real = True

    def __new__(cls, loss, u, chi, h):
        return sp.Expr.__new__(cls, sp.sympify(loss), u, sp.sympify(chi), sp.sympify(h))

    @property
    def loss(self) -> sp.Expr:
        return self.args[0]

    @property
    def u(self) -> sp.Symbol:
        return self.args[1]

    @property
    def chi(self) -> sp.Expr:
        return self.args[2]

    @property
    def h(self) -> sp.Expr:
        return self.args[3]

    @property
    def free_symbols(self):
        return (self.loss.free_symbols - {self.u}) | self.chi.free_symbols | self.h.free_symbols

    def _eval_subs(self, old, new):
        return self if old == self.u else None

    def at(self, expression: sp.Expr) -> sp.Expr:
        """`expression` of `u` at the proximal point."""
        return expression.xreplace({self.u: Prox(*self.args)})


class Prox(_Proximal):
    def _eval_derivative(self, x):
        pull = (self.h - self) / self.chi  # the slope of the loss at the proximal point, also at a kink
        moved = self.h.diff(x) - pull * self.chi.diff(x) - self.chi * self.at(self.loss.diff(self.u).diff(x))
        return ProxSlope(*self.args) * moved

    def _latex(self, printer):
        return rf"\operatorname{{prox}}_{{{printer._print(self.chi)}\,\ell}}\left({printer._print(self.h)}\right)"


class ProxSlope(_Proximal):
    """d Prox / d h = 1 / (1 + chi loss''), and 0 where the proximal point rests on a kink."""

    def _latex(self, printer):
        return rf"\operatorname{{prox}}'_{{{printer._print(self.chi)}\,\ell}}\left({printer._print(self.h)}\right)"


class Moreau(_Proximal):
    def _eval_derivative(self, x):
        pull = (self.h - Prox(*self.args)) / self.chi
        return pull * self.h.diff(x) - pull**2 * self.chi.diff(x) / 2 + self.at(self.loss.diff(x))

    def _latex(self, printer):
        return rf"\mathcal{{M}}_{{{printer._print(self.chi)}\,\ell}}\left({printer._print(self.h)}\right)"


class Peak(_Proximal):
    """The zero-temperature entropic leaf; its third argument is the curvature V > 0, not a variance."""

    @property
    def V(self) -> sp.Expr:
        return self.chi

    def point(self) -> sp.Expr:
        """Where the maximum is reached."""
        return Prox(self.loss, self.u, 1 / self.V, self.h / self.V)

    def envelope(self) -> sp.Expr:
        """The same through the Moreau envelope."""
        return self.h**2 / (2 * self.V) - Moreau(self.loss, self.u, 1 / self.V, self.h / self.V)

    def _eval_derivative(self, x):
        w = self.point()
        moved = self.loss.diff(x)
        return w * self.h.diff(x) - w**2 * self.V.diff(x) / 2 - (moved.xreplace({self.u: w}) if moved != 0 else 0)

    def _latex(self, printer):
        u = printer._print(self.u)
        return (
            rf"\max_{{{u}}}\left[{printer._print(self.h)}\,{u} - \tfrac12 {printer._print(self.V)}\,{u}^2"
            rf" - {printer._print(self.loss)}\right]"
        )
