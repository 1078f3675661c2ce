"""Whether two expressions are equal as rational functions of what else stands in them: by their values modulo a prime."""

from __future__ import annotations

import random

import sympy as sp

from replica.nodes import LogAverage, Tilted
from replica.passes.walk import rebuilt, replaced

_PRIMES = (2**127 - 1, 2**521 - 1, 2**607 - 1)  # one point each, tried in turn where a denominator vanishes


def alike(pairs: list[tuple[sp.Expr, sp.Expr]]) -> bool:
    """Whether the two of each pair agree at one random point, symbols and functions of equal arguments being independent numbers there.

    Variables of averages count by their place, not by their name.  Two rational functions of degree n that differ agree there with
    probability n / 10^38.  Nothing is alike with a denominator that vanishes at every point.
    """
    for prime in _PRIMES:
        residue = _Residues(prime)
        try:
            return all(a == b or residue(_by_place(a)) == residue(_by_place(b)) for a, b in pairs)
        except ZeroDivisionError:
            continue
    return False


def _by_place(e: sp.Basic, depth: int = 0) -> sp.Basic:
    """Variables of averages named after their depth."""
    inside = depth + isinstance(e, (Tilted, LogAverage))
    args = [_by_place(a, inside) for a in e.args]
    if inside > depth:
        names = {v: sp.Symbol(f"_{depth}_{k}", real=True) for k, v in enumerate(v for m in e.measures for v in m.variables)}
        return e.func(*(replaced(a, names) for a in args))
    return rebuilt(e, args)


class _Residues:
    """Values modulo a prime: rational operations are done, anything else is a number of its own for each list of arguments."""

    def __init__(self, prime: int) -> None:
        self._prime = prime
        self._draws = random.Random(0)
        self._opaque: dict[object, int] = {}
        self._known: dict[sp.Basic, int] = {}

    def __call__(self, e: sp.Basic) -> int:
        if e not in self._known:
            self._known[e] = self._value(e)
        return self._known[e]

    def _value(self, e: sp.Basic) -> int:
        if e.is_Rational:
            return int(e.p) * self._power(int(e.q), -1) % self._prime
        if not e.args:
            return self._number(e)
        if e.is_Pow and e.exp.is_Rational:
            base = self(e.base) if e.exp.is_Integer else self._number(("root", self(e.base), e.exp.q))
            return self._power(base, int(e.exp.p))
        args = [self(a) for a in e.args]
        if e.is_Add:
            return sum(args) % self._prime
        if e.is_Mul:
            product = 1
            for a in args:
                product = product * a % self._prime
            return product
        return self._number((e.func, *args))

    def _power(self, base: int, exponent: int) -> int:
        if exponent < 0 and base % self._prime == 0:
            raise ZeroDivisionError("a denominator vanishes at this point")
        return pow(base, exponent, self._prime)

    def _number(self, key: object) -> int:
        if key not in self._opaque:
            self._opaque[key] = self._draws.randrange(1, self._prime)
        return self._opaque[key]
