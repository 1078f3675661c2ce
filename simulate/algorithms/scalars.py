"""A theory's scalar functions over NumPy arrays, averages that stayed open included.

An open average becomes a sum over nodes on a new last axis.  The rules are fixed (accurate to about 1e-8 for the integrands of
message passing); precision beyond that is the business of numerics, not of an algorithm on noisy data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import sympy as sp

from replica.nodes import Counting, Discrete, Flat, Gauss, LogAverage, Measure, Tilted
from simulate.learn.tape import Tape, numpy_operations

Environment = Mapping[sp.Symbol, np.ndarray]

_LINE, _LINE_WEIGHT = np.linspace(-8.5, 8.5, 52), 17 / 51 / np.sqrt(2 * np.pi)
_LEGENDRE, _LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(48)
_STEPS, _STEP = np.linspace(-5.5, 5.5, 221, retstep=True)
_COUNTS = 400


class Scalars:
    """Expressions as functions of arrays of one symbol each; programs are kept between calls."""

    def __init__(self) -> None:
        self._operations = numpy_operations()
        self._known: dict[sp.Basic, tuple[tuple[sp.Expr, ...], tuple[sp.Symbol, ...], Tape]] = {}

    def __call__(self, expression: sp.Expr, at: Environment) -> np.ndarray:
        """Value of `expression`, of the common shape of the arrays."""
        if expression not in self._known:
            nodes = tuple(_averages(expression))
            stand_in = {node: sp.Dummy(real=True) for node in nodes}
            closed = expression.xreplace(stand_in)
            symbols = tuple(sorted(closed.free_symbols - set(stand_in.values()), key=str))
            self._known[expression] = nodes, symbols, Tape((closed,), (*symbols, *stand_in.values()), self._operations)
        nodes, symbols, tape = self._known[expression]
        absent = [s for s in symbols if s not in at]
        if absent:
            raise ValueError(f"{absent[0]} has no value")
        inner = [self._average(node, at) for node in nodes]
        arrays = [at[s] for s in symbols] + inner
        shape = np.broadcast_shapes(*(np.shape(a) for a in at.values()))
        if not arrays:
            return np.full(shape, float(expression))
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return np.broadcast_to(tape(*arrays)[0], shape)

    def _average(self, node: LogAverage | Tilted, at: Environment) -> np.ndarray:
        inner = dict(at)
        log_weight: np.ndarray | float = 0.0
        axes = 0
        for measure in _outermost_first(node.measures):
            inner = {s: np.asarray(a)[..., None] for s, a in inner.items()}
            log_weight = np.asarray(log_weight)[..., None]
            axes += 1
            nodes, weights = self._nodes(measure, inner)
            inner[measure.variables[0]] = nodes
            log_weight = log_weight + weights
        over = tuple(range(-axes, 0))
        exponent = self(node.exponent, inner) + log_weight
        top = np.max(exponent, axis=over, keepdims=True)
        weight = np.exp(exponent - top)
        total = weight.sum(axis=over)
        if isinstance(node, LogAverage):
            return np.log(total) + np.reshape(top, total.shape)
        body = self(node.body, inner)
        return (weight * np.where(weight > 0, body, 0.0)).sum(axis=over) / total

    def _nodes(self, measure: Measure, at: Environment) -> tuple[np.ndarray, np.ndarray]:
        """(nodes, log weights) of a measure of one variable, on the last axis."""
        if len(measure.variables) > 1:
            raise ValueError("an average over several fields at once cannot be evaluated here")
        if isinstance(measure, Gauss):
            mean, width = self(measure.means[0], at), np.sqrt(self(measure.covariance[0, 0], at))
            return mean + width * _LINE, np.log(_LINE_WEIGHT) - _LINE**2 / 2
        if isinstance(measure, Discrete):
            atoms = np.concatenate([self(a, at) for a in measure.atoms_], axis=-1)
            return atoms, np.concatenate([self(w, at) for w in measure.log_weights], axis=-1)
        if isinstance(measure, Counting):
            return np.arange(float(_COUNTS)), np.zeros(_COUNTS)
        if isinstance(measure, Flat):
            return self._flat(measure, at)
        raise ValueError(f"an average over {type(measure).__name__} cannot be evaluated here")

    def _flat(self, measure: Flat, at: Environment) -> tuple[np.ndarray, np.ndarray]:
        ends = [measure.lower, *measure.breaks, measure.upper]
        pieces = [self._piece(a, b, at) for a, b in zip(ends, ends[1:], strict=False)]
        return np.concatenate([x for x, _ in pieces], axis=-1), np.concatenate([w for _, w in pieces], axis=-1)

    def _piece(self, lower: sp.Expr, upper: sp.Expr, at: Environment) -> tuple[np.ndarray, np.ndarray]:
        if lower is sp.S.NegativeInfinity and upper is sp.S.Infinity:
            x, density = np.sinh(_STEPS), np.log(np.cosh(_STEPS) * _STEP)
            return x, density
        if upper is sp.S.Infinity or lower is sp.S.NegativeInfinity:
            end, sign = (self(lower, at), 1.0) if upper is sp.S.Infinity else (self(upper, at), -1.0)
            way = _STEPS - np.exp(-_STEPS)
            return end + sign * np.exp(way), (way + np.log1p(np.exp(-_STEPS)) + np.log(_STEP)) + 0 * end
        a, b = self(lower, at), self(upper, at)
        half = (b - a) / 2
        return a + half * (1 + _LEGENDRE), np.log(half) + np.log(_LEGENDRE_WEIGHTS)


def _averages(e: sp.Basic) -> Iterator[LogAverage | Tilted]:
    """The averages of an expression that stand in no other."""
    walk = sp.preorder_traversal(e)
    found = set()
    for part in walk:
        if isinstance(part, LogAverage | Tilted):
            walk.skip()
            if part not in found:
                found.add(part)
                yield part


def _outermost_first(measures: tuple[Measure, ...]) -> Iterator[Measure]:
    """Measures ordered so that parameters of a later one may contain variables of an earlier one."""
    waiting = list(measures)
    while waiting:
        bound = {v for m in waiting for v in m.variables}
        ready = [m for m in waiting if not m.parameters.free_symbols & bound]
        if not ready:
            raise ValueError("the averages depend on each other in a circle")
        yield ready[0]
        waiting.remove(ready[0])
