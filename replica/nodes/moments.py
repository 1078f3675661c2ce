"""Nodes of flows: angles, minors and quotients that survive rounding, four signs, and a named Gaussian moment of fields."""

from __future__ import annotations

from itertools import combinations

import mpmath as mp
import sympy as sp

from replica.nodes.written import Written


class Angle(Written):
    """asin(c/sqrt(v w)): half the angle by which two Gaussian fields of covariance c and variances v, w agree in sign.

    A variance that rounding leaves at zero or below belongs to a field that is fixed; the angle is then zero.
    """

    nargs = 3
    form = r"\arcsin\frac{%s}{\sqrt{\left(%s\right)\left(%s\right)}}"
    plain = "asin((%s)/sqrt((%s)*(%s)))"

    def _eval_evalf(self, prec):
        c, v, w = self.args
        return sp.asin(c / sp.sqrt(v * w))._eval_evalf(prec)


class FourSigns(Written):
    """E sign(x1) sign(x2) sign(x3) sign(x4) of centered Gaussian fields: covariances c12, c13, c14, c23, c24, c34 and variances v1 ... v4.

    No elementary function; one integral over arcsines (R. L. Plackett, Biometrika 41, 351 (1954)): along covariances t c12, t c13, t c14
    it grows from zero at the rate 4/pi^2 sum_j r_1j/sqrt(1 - (t r_1j)^2) asin(correlation of the other two, given fields 1 and j).
    """

    nargs = 10
    form = r"S_4\left(%s\right)"
    plain = "S_4(%s)"
    tight = True

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

    def _parts(self, printer):
        return (", ".join(super()._parts(printer)),)


class GivenAngle(Written):
    """asin of the correlation of two of four centered Gaussian fields where the other two are zero.

    Args are the number of the pair that is zero (0 ... 5 for 12, 13, 14, 23, 24, 34) and those of FourSigns.
    """

    nargs = 11
    form = r"\arcsin\rho_{%s%s|%s%s}\left(%s\right)"
    plain = "asin(r_%s%s|%s%s(%s))"

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

    def _parts(self, printer):
        (i, j), (k, l) = self.places
        numbers = tuple(str(field + 1) for field in (k, l, i, j))
        return *numbers, ", ".join(super()._parts(printer)[1:])


class Minor(Written):
    """a b - c d, computed to the last digit: a variance given other fields, which vanishes where two of them are one."""

    nargs = 4
    form = r"\left(%s\right)"
    plain = "(%s)"
    tight = True

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

    def _parts(self, printer):
        first, second = (sp.Mul(*pair) for pair in (self.args[:2], self.args[2:]))
        return (printer._print(sp.Add(first, -second, evaluate=False)),)


class Over(Written):
    """c/v; zero where v, the variance of a field that is fixed, vanishes (such a field adds nothing)."""

    nargs = 2
    form = r"\frac{%s}{%s}"
    plain = "(%s)/(%s)"

    @classmethod
    def eval(cls, c, v):
        if c.is_zero:
            return sp.S.Zero
        return c / v if c.is_number and v.is_number and not v.is_zero else None

    def _eval_evalf(self, prec):
        c, v = self.args
        return (c / v)._eval_evalf(prec)


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
