"""What is known of the symbols: signs that follow from their domains, and sample points for tests by numbers."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from numerics.rewrite.sample import Array, evaluate
from numerics.rewrite.walk import substitute
from replica.symbols import Domain
from replica.theory import Theory

POINTS = 5  # sample points: an identity that holds at five generic points is taken to hold


class Facts:
    """Domains of a theory's symbols.  All others (fields, labels) are real and sampled from a wide normal law."""

    def __init__(self, theory: Theory) -> None:
        self.domains: dict[sp.Symbol, Domain] = {c.symbol: c.domain for c in theory.controls}
        self.domains |= {x.symbol: x.domain for x in theory.system.unknowns}
        self._defaults = {c.symbol: float(c.value) for c in theory.controls}
        self._signed = {
            s: sp.Dummy(s.name, positive=True) if d.lower > 0 or not d.closed_lower else sp.Dummy(s.name, nonnegative=True)
            for s, d in self.domains.items()
            if d.lower >= 0
        }
        self._draws: dict[sp.Symbol, Array] = {}
        self._rng = np.random.default_rng(2024)

    def bound(self, symbol: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> None:
        """Remember that a variable is of one sign."""
        if lower.is_number and lower >= 0:
            self.domains[symbol], self._signed[symbol] = Domain(0.0), sp.Dummy(symbol.name, positive=True)
        elif upper.is_number and upper <= 0:
            self.domains[symbol], self._signed[symbol] = Domain(-math.inf, 0.0), sp.Dummy(symbol.name, negative=True)

    def sign(self, expr: sp.Expr) -> int | None:
        """1 or -1 where `expr` is proven positive or negative, 0 where it is zero, None where nothing is known."""
        if expr.is_number:
            return int(sp.sign(expr))
        expr = substitute(expr, self._signed)
        if expr.is_positive:
            return 1
        return -1 if expr.is_negative else 0 if expr.is_zero else None

    def at_least(self, a: sp.Expr, b: sp.Expr) -> bool:
        """Is a >= b proven?"""
        if a == sp.oo or b == -sp.oo or a == b:
            return True
        if b == sp.oo or a == -sp.oo:
            return False
        return bool(substitute(a - b, self._signed).is_nonnegative)

    def draw(self, symbols: set[sp.Symbol]) -> dict[sp.Basic, Array]:
        """Sample points, shape (POINTS,), the first one at the controls' default values."""
        for s in sorted(symbols - set(self._draws), key=str):
            domain = self.domains.get(s, Domain())
            if domain.members:
                points = self._rng.choice(domain.members, POINTS)
            elif math.isfinite(domain.lower) and math.isfinite(domain.upper):
                points = self._rng.uniform(domain.lower, domain.upper, POINTS)
            elif math.isfinite(domain.lower):
                points = domain.lower + self._rng.lognormal(0.0, 1.0, POINTS)
            elif math.isfinite(domain.upper):
                points = domain.upper - self._rng.lognormal(0.0, 1.0, POINTS)
            else:
                points = self._rng.normal(0.0, 1.0, POINTS)
            if domain.integers:
                points = np.round(points)
            points[0] = self._defaults.get(s, points[0])
            self._draws[s] = np.asarray(points, float)
        return {s: self._draws[s] for s in symbols}

    def vanishes(self, expr: sp.Expr) -> bool:
        """Is `expr` zero, structurally or at every sample point to rounding?"""
        if expr.is_number or not expr.free_symbols:
            return abs(float(expr)) < 1e-14
        terms = expr.args if expr.is_Add else (expr,)
        at = self.draw(expr.free_symbols)
        values = np.array([np.broadcast_to(evaluate(t, at), (POINTS,)) for t in terms])
        fine = np.isfinite(values).all(axis=0)
        return bool(fine.any() and (np.abs(values.sum(axis=0)) <= 1e-13 * np.abs(values).sum(axis=0))[fine].all())
