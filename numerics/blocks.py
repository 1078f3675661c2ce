"""Equations that can be solved in turn: a reference does not know of its probe, nor an earlier learner of a later one.

Unknowns that read one another make a block.  Blocks come in an order in which each reads none but itself and those before; to it the
unknowns of these are controls.  So a block is a theory of its own, with fewer unknowns and shallower integrals.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import sympy as sp
from sympy.utilities.iterables import strongly_connected_components

from replica.symbols import Control
from replica.theory import Start, Stationary, Theory


def blocks(system: Stationary) -> tuple[tuple[sp.Symbol, ...], ...]:
    """Unknowns block by block, each in the order of the system."""
    symbols = [u.symbol for u in system.unknowns]
    reads = [(u, v) for u, e in zip(symbols, system.equations, strict=True) for v in e.free_symbols.intersection(symbols)]
    place = {symbol: k for k, symbol in enumerate(symbols)}
    return tuple(tuple(sorted(block, key=place.__getitem__)) for block in strongly_connected_components((symbols, reads)))


def part(theory: Theory, block: tuple[sp.Symbol, ...], before: frozenset[sp.Symbol]) -> Theory:
    """The theory of one block: unknowns of those before are controls without a value of their own, results are what it fixes."""
    system, own = theory.system, frozenset(block)
    known = own | before | {control.symbol for control in theory.controls}

    def fixed(named: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        return {name: e for name, e in named.items() if e.free_symbols <= known}

    kept = [(u, e) for u, e in zip(system.unknowns, system.equations, strict=True) if u.symbol in own]
    earlier = tuple(Control(u.symbol, math.nan, u.domain, u.meaning) for u in system.unknowns if u.symbol in before)
    return dataclasses.replace(
        theory,
        fingerprint=f"{theory.fingerprint}: {', '.join(symbol.name for symbol in block)}",
        controls=(*theory.controls, *earlier),
        system=Stationary(
            tuple(u for u, _ in kept),
            tuple(e for _, e in kept),
            tuple(c for c in system.constraints if c.free_symbols & own and c.free_symbols <= known),
            tuple(Start(s.name, {k: v for k, v in s.values.items() if k in own}, s.easy) for s in system.starts),
            tuple(control for control in system.solved if control.symbol in own),
            tuple(step for step in system.minimal if step in own),
            tuple(e for e in system.ladder if e.free_symbols <= known),
        ),
        order_parameters=fixed(theory.order_parameters),
        conjugates=fixed(theory.conjugates),
        free_entropy=sp.S.Zero,
        observables={},
        terms={},
        coarser=None,
    )
