"""The limit of a large parameter B, taken on the nested averages before anything is differentiated or integrated.

Every term has a leading power of B.  A leaf whose variance shrinks like 1/B concentrates on its minimum; everything
else is bookkeeping of powers.  A leading coefficient that vanishes is refused: the true limit would be of lower order
and is not seen by this pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy as sp

from replica.nodes import Gauss, Tilted
from replica.tree import Leaf


class LimitError(ValueError):
    """The powers of the large parameter do not match, or a leading coefficient vanishes."""


@dataclass(frozen=True)
class Limit:
    """B -> infinity.

    Args:
        B: the large parameter.
        scalings: overlaps and conjugates in terms of their limits, e.g. Q -> q + chi/B.
        fields: power of B carried by an integrated field (entropic student fields grow like B).
        leaf: leading coefficient (power 1) of log F of a leaf that concentrates, or None for a leaf of order one.
    """

    B: sp.Symbol
    scalings: Mapping[sp.Symbol, sp.Expr]
    fields: Mapping[sp.Symbol, int]
    leaf: Callable[[Leaf], sp.Expr | None]

    def polynomial(self, expression: sp.Expr) -> tuple[int, sp.Expr]:
        """(power, coefficient) of a polynomial in overlaps."""
        expanded = sp.expand(expression.xreplace(dict(self.scalings)))
        terms = sp.collect(expanded, self.B, evaluate=False)
        powers = {int(sp.degree(k, self.B)) if k.is_polynomial(self.B) else -int(sp.degree(1 / k, self.B)): v for k, v in terms.items()}
        top = max(powers)
        return top, powers[top]

    def leading(self, expression: sp.Expr) -> tuple[int, sp.Expr]:
        """(power, coefficient) of a nested average."""
        power, coefficient = self._leading(expression)
        if coefficient == 0:
            raise LimitError("the leading coefficient vanishes, so the limit is of lower order than its terms")
        return power, coefficient

    def _leading(self, e: sp.Expr) -> tuple[int, sp.Expr]:
        if isinstance(e, Leaf):
            limit = self.leaf(e)
            if limit is not None:
                return 1, limit
            return 0, e.xreplace(dict(self.scalings))
        if isinstance(e, Tilted):
            return self._tilted(e)
        if e.is_Add:
            parts = [self.leading(a) for a in e.args]
            top = max(p for p, _ in parts)
            return top, sp.Add(*(c for p, c in parts if p == top))
        if e.is_Mul:
            parts = [self.leading(a) for a in e.args]
            return sum(p for p, _ in parts), sp.Mul(*(c for _, c in parts))
        if not e.free_symbols & (set(self.scalings) | {self.B}):
            return 0, e
        raise LimitError(f"no rule for the limit of {type(e).__name__}")

    def _tilted(self, e: Tilted) -> tuple[int, sp.Expr]:
        measures = []
        for m in e.measures:
            if isinstance(m, Gauss):
                m = self._gauss(m)
            measures.append(m)
        tilt_power, exponent = (0, e.exponent) if e.exponent == 0 else self.leading(e.exponent)
        if tilt_power != 0:
            raise LimitError("the tilt grows with the large parameter; its fields would have to concentrate")
        power, body = self.leading(e.body)
        return power, Tilted(body, exponent, measures, normalised=e.normalised)

    def _gauss(self, m: Gauss) -> Gauss:
        """The law of the fields divided by their powers of B."""
        powers = [self.fields.get(v, 0) for v in m.variables]
        entries = m.covariance.xreplace(dict(self.scalings))
        scaled = [[sp.expand(entries[i, j] / self.B ** (p + r)) for j, r in enumerate(powers)] for i, p in enumerate(powers)]
        if sp.Matrix(scaled).has(self.B):
            raise LimitError(f"the covariance of {', '.join(v.name for v in m.variables)} does not settle as {self.B} grows")
        return Gauss(m.variables, m.means, scaled)
