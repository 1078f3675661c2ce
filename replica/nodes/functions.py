"""Scalar functions kept whole so that they can be evaluated without overflow or cancellation.

They evaluate at numbers through mpmath and differentiate into each other; nothing else is done here.
"""

from __future__ import annotations

import mpmath
import sympy as sp

from replica.nodes.written import Written


class _Scalar(Written):
    """A real function of one real argument."""

    nargs = 1

    def _eval_evalf(self, prec):
        (x,) = self.args
        value = x._eval_evalf(prec)
        if value is None or not value.is_Number:
            return None
        with mpmath.workprec(prec + 20):
            return sp.Float(self._mp(mpmath.mpf(value._to_mpmath(prec + 20))), precision=prec)


class LogH(_Scalar):
    """log of the Gaussian tail H(x) = P(N(0,1) > x) = erfc(x/sqrt 2)/2; H underflows, its logarithm does not."""

    form = r"\log H\left(%s\right)"

    @staticmethod
    def _mp(x):
        return mpmath.log(mpmath.erfc(x / mpmath.sqrt(2)) / 2)

    @classmethod
    def eval(cls, x):
        if x is sp.S.Zero:
            return -sp.log(2)
        if x is sp.S.NegativeInfinity:
            return sp.S.Zero
        return sp.S.NegativeInfinity if x is sp.S.Infinity else None

    def fdiff(self, argindex=1):
        return -Hazard(self.args[0])


class Hazard(_Scalar):
    """G(x)/H(x), Gaussian density over Gaussian tail: minus the slope of log H."""

    form = r"\mathcal{G}\left(%s\right)"
    tight = True

    @staticmethod
    def _mp(x):
        return mpmath.npdf(x) / (mpmath.erfc(x / mpmath.sqrt(2)) / 2)

    @classmethod
    def eval(cls, x):
        if x is sp.S.Zero:
            return sp.sqrt(2 / sp.pi)
        return sp.S.Zero if x is sp.S.NegativeInfinity else None

    def fdiff(self, argindex=1):
        (x,) = self.args
        return Hazard(x) * (Hazard(x) - x)


class Softplus(_Scalar):
    """log(1 + e^x)."""

    form = r"\log\left(1+e^{%s}\right)"

    @classmethod
    def eval(cls, x):
        return sp.log(2) if x is sp.S.Zero else None

    @staticmethod
    def _mp(x):
        return x + mpmath.log1p(mpmath.exp(-x)) if x > 0 else mpmath.log1p(mpmath.exp(x))

    def fdiff(self, argindex=1):
        return Sigmoid(self.args[0])


class Sigmoid(_Scalar):
    """1/(1 + e^-x)."""

    form = r"\sigma\left(%s\right)"
    tight = True

    @staticmethod
    def _mp(x):
        return 1 / (1 + mpmath.exp(-x))

    def fdiff(self, argindex=1):
        (x,) = self.args
        return Sigmoid(x) * Sigmoid(-x)


class Log2Cosh(_Scalar):
    """log(2 cosh x)."""

    form = r"\log 2\cosh\left(%s\right)"

    @classmethod
    def eval(cls, x):
        if x is sp.S.Zero:
            return sp.log(2)
        return cls(-x) if x.could_extract_minus_sign() else None

    @staticmethod
    def _mp(x):
        return abs(x) + mpmath.log1p(mpmath.exp(-2 * abs(x)))

    def fdiff(self, argindex=1):
        return sp.tanh(self.args[0])
