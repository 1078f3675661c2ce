"""Nodes of flows: angles, minors and quotients that survive rounding, four signs, and a named Gaussian moment of fields."""

from __future__ import annotations

from itertools import combinations

import mpmath as mp
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


class FourSigns(sp.Function):
    """E sign(x1) sign(x2) sign(x3) sign(x4) of centered Gaussian fields: covariances c12, c13, c14, c23, c24, c34 and variances v1 ... v4.

    No elementary function; one integral over arcsines (R. L. Plackett, Biometrika 41, 351 (1954)): along covariances t c12, t c13, t c14
    it grows from zero at the rate 4/pi^2 sum_j r_1j/sqrt(1 - (t r_1j)^2) asin(correlation of the other two, given fields 1 and j).
    """

    nargs = 10
    is_real = True

    def _eval_evalf(self, prec):
        if not all(a.is_number for a in self.args):
            return None
        with mp.workprec(prec + 10):
            c, v = ([a._to_mpmath(prec + 10) for a in part] for part in (self.args[:6], self.args[6:]))
            r = [x / mp.sqrt(v[i] * v[j]) for x, (i, j) in zip(c, combinations(range(4), 2), strict=True)]

            def rate(u):
                t, found = 1 - u * u, mp.mpf(0)
                for own, two, k, l in ((r[0], r[5], (1, 3), (2, 4)), (r[1], r[4], (0, 3), (2, 5)), (r[2], r[3], (0, 4), (1, 5))):
                    p, (ak, jk), (al, jl) = t * own, (t * r[k[0]], r[k[1]]), (t * r[l[0]], r[l[1]])
                    cross = two * (1 - p * p) - ak * al - jk * jl + p * (ak * jl + al * jk)
                    sizes = [1 + 2 * p * a * b - p * p - a * a - b * b for a, b in ((ak, jk), (al, jl))]
                    found += own / mp.sqrt(1 - p * p) * mp.asin(cross / mp.sqrt(sizes[0] * sizes[1])).real
                return 2 * u * found

            value = 4 / mp.pi**2 * mp.quad(rate, [0, *(mp.mpf(10) ** -k for k in (6, 4, 2, 1)), 1])
        return sp.Float(value, precision=prec)

    def _latex(self, printer, exp=None):
        text = rf"S_4\left({', '.join(printer._print(a) for a in self.args)}\right)"
        return text if exp is None else rf"{text}^{{{exp}}}"

    def _sympystr(self, printer):
        return f"S_4({', '.join(printer._print(a) for a in self.args)})"


class GivenAngle(sp.Function):
    """asin of the correlation of two of four centered Gaussian fields where the other two are zero.

    Args are the number of the pair that is zero (0 ... 5 for 12, 13, 14, 23, 24, 34) and those of FourSigns.
    """

    nargs = 11
    is_real = True

    @property
    def places(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The two fields that are zero, the other two."""
        zero = tuple(combinations(range(4), 2))[int(self.args[0])]
        k, l = sorted(set(range(4)) - set(zero))
        return zero, (k, l)

    def _eval_evalf(self, prec):
        covariances, variances = self.args[1:7], self.args[7:]
        known = dict(zip(combinations(range(4), 2), covariances, strict=True))
        gram = sp.Matrix(4, 4, lambda i, j: variances[i] if i == j else known[min(i, j), max(i, j)])
        (i, j), (k, l) = self.places
        cross, one, other = (gram.extract([i, j, a], [i, j, b]).det() for a, b in ((k, l), (k, k), (l, l)))
        return sp.asin(cross / sp.sqrt(one * other))._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        (i, j), (k, l) = ((a + 1, b + 1) for a, b in self.places)
        text = rf"\arcsin\rho_{{{k}{l}|{i}{j}}}\left({', '.join(printer._print(a) for a in self.args[1:])}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _sympystr(self, printer):
        (i, j), (k, l) = ((a + 1, b + 1) for a, b in self.places)
        return f"asin(r_{k}{l}|{i}{j}({', '.join(printer._print(a) for a in self.args[1:])}))"


class Minor(sp.Function):
    """a b - c d, computed to the last digit: a variance given other fields, which vanishes where two of them are one."""

    nargs = 4
    is_real = True

    @classmethod
    def eval(cls, a, b, c, d):
        if (a, b) in ((c, d), (d, c)):
            return sp.S.Zero
        if c.is_zero or d.is_zero or all(x.is_number for x in (a, b, c, d)):
            return a * b - c * d
        return None

    def _eval_evalf(self, prec):
        a, b, c, d = self.args
        return (a * b - c * d)._eval_evalf(prec)

    def _written(self, printer):
        first, second = (sp.Mul(*pair) for pair in (self.args[:2], self.args[2:]))
        return printer._print(sp.Add(first, -second, evaluate=False))

    def _latex(self, printer, exp=None):
        text = rf"\left({self._written(printer)}\right)"
        return text if exp is None else rf"{text}^{{{exp}}}"

    def _sympystr(self, printer):
        return f"({self._written(printer)})"


class Over(sp.Function):
    """c/v; zero where v, the variance of a field that is fixed, vanishes (such a field adds nothing)."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, c, v):
        if c.is_zero:
            return sp.S.Zero
        return c / v if c.is_number and v.is_number and not v.is_zero else None

    def _eval_evalf(self, prec):
        c, v = self.args
        return (c / v)._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        c, v = (printer._print(a) for a in self.args)
        text = rf"\frac{{{c}}}{{{v}}}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _sympystr(self, printer):
        c, v = (printer._print(a) for a in self.args)
        return f"({c})/({v})"


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
