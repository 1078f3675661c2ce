"""Nodes of flows: an angle that survives rounding, and a named Gaussian moment of fields."""

from __future__ import annotations

import sympy as sp


class Angle(sp.Function):
    """asin(c/sqrt(v w)): half the angle by which two Gaussian fields of covariance c and variances v, w agree in sign.

    A variance that rounding leaves at zero or below belongs to a field that is fixed; the angle is then zero.
    """

    nargs = 3
    is_real = True

    def _eval_evalf(self, prec):
        c, v, w = self.args
        return sp.asin(c / sp.sqrt(v * w))._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        c, v, w = (printer._print(a) for a in self.args)
        text = rf"\arcsin\frac{{{c}}}{{\sqrt{{\left({v}\right)\left({w}\right)}}}}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _sympystr(self, printer):
        c, v, w = (printer._print(a) for a in self.args)
        return f"asin(({c})/sqrt(({v})*({w})))"


class Moment(sp.Expr):
    """The average named `name` over the law of some fields: args are the name, the fields as they are written, and what its value needs."""

    is_real = True
    is_commutative = True

    def __new__(cls, name, fields, arguments):
        name = sp.Symbol(name) if isinstance(name, str) else name
        return sp.Expr.__new__(cls, name, sp.Tuple(*fields), sp.Tuple(*arguments))

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def fields(self) -> sp.Tuple:
        return self.args[1]

    @property
    def arguments(self) -> sp.Tuple:
        return self.args[2]

    @property
    def free_symbols(self):
        return self.fields.free_symbols | self.arguments.free_symbols

    def _latex(self, printer):
        stem, _, number = self.name.partition("_")
        return rf"{stem}_{{{number}}}\left({','.join(printer._print(f) for f in self.fields)}\right)"

    def _sympystr(self, printer):
        return f"{self.name}({', '.join(printer._print(f) for f in self.fields)})"


class Rate(sp.Expr):
    """The derivative of an element of an array with respect to time."""

    is_real = True
    is_commutative = True

    def __new__(cls, element, time):
        return sp.Expr.__new__(cls, element, time)

    def _latex(self, printer):
        element, time = (printer._print(a) for a in self.args)
        return rf"\frac{{\mathrm{{d}}{element}}}{{\mathrm{{d}}{time}}}"

    def _sympystr(self, printer):
        element, time = (printer._print(a) for a in self.args)
        return f"d{element}/d{time}"
