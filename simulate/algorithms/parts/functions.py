"""Expressions of a theory as functions of arrays: its own kernels, and Newton's method for proximal points that no formula gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from numerics.compile import compile_theory
from numerics.rewrite.errors import RewriteError
from numerics.rows import Rows
from replica.convexity import is_convex
from replica.nodes import LogAverage, Moreau, Prox, ProxSlope, Tilted
from replica.symbols import Control
from replica.theory import Stationary, Theory
from simulate.instance import Unsupported
from simulate.learn.tape import Tape, numpy_operations

_ITERATIONS, _TOLERANCE = 200, 4e-15


class Functions:
    """Named expressions of some arguments, evaluated together.

    Args:
        named: name -> expression.
        arguments: everything that the expressions read, with domains and usual values.

    Raises:
        Unsupported: a proximal point that is neither explicit nor that of a smooth convex loss.
    """

    def __init__(self, named: Mapping[str, sp.Expr], arguments: Sequence[Control]) -> None:
        self._points: list[_Point] = []
        self._arguments = tuple(arguments)
        try:
            self._rows = self._compiled(named, arguments)
        except RewriteError:
            nodes = dict.fromkeys(node for e in named.values() for node in _alone(e))
            self._points = [_Point(node, arguments) for node in dict.fromkeys(Prox(*node.args) for node in nodes)]
            place = {node: point.value_of(node) for point in self._points for node in nodes if node.args == point.node.args}
            more = [Control(point.symbol, 0.5) for point in self._points]
            try:
                self._rows = self._compiled({name: e.xreplace(place) for name, e in named.items()}, (*arguments, *more))
            except RewriteError as error:
                raise Unsupported(f"message passing: {error}") from None

    @staticmethod
    def _compiled(named: Mapping[str, sp.Expr], arguments: Sequence[Control]) -> Rows:
        empty = Stationary((), ())
        return Rows(compile_theory(Theory("", "", tuple(arguments), empty, {}, {}, sp.S.Zero, dict(named))))

    def __call__(self, at: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Values by name, at numbers or arrays (N,) by name."""
        found = dict(at)
        for point in self._points:
            found[point.symbol.name] = point(found)
        return self._rows(found)


class _Point:
    """A proximal point of a smooth convex loss: the root of u + chi l'(u) - h."""

    def __init__(self, node: Prox, arguments: Sequence[Control]) -> None:
        self.node, self.symbol = node, sp.Symbol(f"point_{node.u.name}", real=True)
        slope = node.loss.diff(node.u)
        usual = {c.symbol: float(c.value) for c in arguments}
        labels = next(((c.symbol, c.domain.members or (c.value,)) for c in arguments if c.name == "y"), None)
        for label in labels[1] if labels is not None else (0.0,):
            at = {s: usual[s] for s in node.loss.free_symbols - {node.u}}
            if labels is not None and labels[0] in at:
                at[labels[0]] = float(label)
            if not is_convex(node.loss, node.u, at):
                raise Unsupported(f"message passing: the proximal point of {node.loss} has no formula, and the loss is not convex")
        self._curvature = slope.diff(node.u)
        self._symbols = sorted((node.loss.free_symbols | node.chi.free_symbols | node.h.free_symbols) - {node.u}, key=str)
        operations = numpy_operations()
        self._place = Tape((node.chi, node.h), self._symbols, operations)
        self._slopes = Tape((slope, self._curvature), (*self._symbols, node.u), operations)

    def value_of(self, node: sp.Expr) -> sp.Expr:
        """A proximal node of the same loss, at the point."""
        u = self.symbol
        if isinstance(node, Prox):
            return u
        if isinstance(node, ProxSlope):
            return 1 / (1 + node.chi * self._curvature.xreplace({node.u: u}))
        return (u - node.h) ** 2 / (2 * node.chi) + node.loss.xreplace({node.u: u})

    def __call__(self, at: Mapping[str, Any]) -> np.ndarray:
        given = np.broadcast_arrays(*(np.asarray(at[s.name], float) for s in self._symbols))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            chi, h = self._place(*given)
            first = self._slopes(*given, h)[0]
            low, high = h - chi * np.maximum(first, 0), h - chi * np.minimum(first, 0)  # the slope rises, so the root lies between
            u = np.where(np.isfinite(low) & np.isfinite(high), h, np.clip(0.0, low, high))
            moved = np.full(u.shape, np.inf)
            for _ in range(_ITERATIONS):
                slope, curvature = self._slopes(*given, u)
                excess = u + chi * slope - h
                low, high = np.where(excess < 0, u, low), np.where(excess > 0, u, high)
                newton, rounding = u - excess / (1 + chi * curvature), _TOLERANCE * (1 + np.abs(u))
                inside = (newton >= low - rounding) & (newton <= high + rounding) & (np.abs(newton - u) <= moved / 2 + rounding)
                following = np.where(inside, np.clip(newton, low, high), (low + high) / 2)
                moved, u = np.abs(following - u), following
                if np.all(moved <= rounding):
                    break
        return u


def _alone(e: sp.Expr) -> list[sp.Expr]:
    """Proximal nodes that stand in no average."""
    walk, found = sp.preorder_traversal(e), []
    for part in walk:
        if isinstance(part, LogAverage | Tilted):
            walk.skip()
        elif isinstance(part, Prox | ProxSlope | Moreau):
            found.append(part)
    return found
