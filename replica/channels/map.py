"""Channel written as a formula of the field and a standard normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.ingredients import Channel, FormulaText, parameter
from replica.labels import SIGNS, Labels, RealLabels
from replica.nodes import LogH


@dataclass(frozen=True)
class Map(Channel):
    """y = f(z, xi) with xi standard normal.

    Where f = a(z) + b(z) xi, or the sign of that, the law of y is known and given; otherwise there is only the map.

    Args:
        text: formula of z and xi; its key in a file is `map`.
    """

    form = "map"
    text: FormulaText = parameter(key="map", meaning="label as a formula of z and a standard normal xi")

    def labels(self) -> Labels:
        z, xi = sp.Dummy("z", real=True), sp.Dummy("xi", real=True)
        return RealLabels() if _signed(self.map(z, xi)) is None else SIGNS

    def map(self, z: sp.Expr, xi: sp.Expr) -> sp.Expr:
        return self.read(self.text, z=z, xi=xi)

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        xi = sp.Dummy("xi", real=True)
        rule = self.map(z, xi)
        inside = _signed(rule)
        signed = inside is not None
        inner = sp.expand(rule if inside is None else inside)
        noise, mean = inner.coeff(xi, 1), inner.coeff(xi, 0)
        if inner.has(xi) and sp.expand(inner - noise * xi - mean) != 0 or noise.has(xi) or mean.has(xi):
            return None
        if signed and noise == 0:
            return sp.Heaviside(y * mean, sp.Rational(1, 2))
        if signed:
            return sp.exp(LogH(-y * mean / sp.Abs(noise)))
        return None if noise == 0 else sp.exp(-((y - mean) ** 2) / (2 * noise**2)) / sp.sqrt(2 * sp.pi * noise**2)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("relu(z) + sqrt(0.1)*xi"), cls("-sign(z + 0.5*xi)"), cls("tanh(z)"), cls("xi"), cls("abs(z + xi)")


def _signed(rule: sp.Expr) -> sp.Expr | None:
    """What `rule` is the sign of, None where it is no sign; SymPy writes sign(-z) as -sign(z)."""
    factor, rest = rule.as_coeff_Mul()
    return factor * rest.args[0] if isinstance(rest, sp.sign) and factor in (-1, 1) else None
