"""Numbers of a flow at a point of its controls: sizes, offsets, parameters of each phase, nodes, initial overlaps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from scipy.stats import norm, qmc

from numerics.flow.compile import shared
from numerics.flow.layout import Layout
from replica.theory import Array, Flow, Phase

TENSOR = (64, 48, 24)
"""Nodes along each of one, two and three dimensions."""
SOBOL = 4096
"""Nodes in more than three dimensions."""


class FlowValues:
    """A flow at a point.

    Args:
        at: value of every control.
        count: number of nodes in more than three dimensions, a power of two.

    Raises:
        ValueError: another number of nodes, or a size that is no integer.
    """

    def __init__(self, flow: Flow, plan: Layout, at: Mapping[str, float], count: int | None = None) -> None:
        self.flow, self.plan = flow, plan
        self.at = {sp.Symbol(name, real=True): sp.Float(value) if math.isfinite(value) else sp.oo for name, value in at.items()}
        self.controls = [float(at[symbol.name]) for symbol in plan.scalars if symbol.name in at and symbol in self.at]
        self.sizes: dict[sp.Basic, int] = {}
        self.sizes |= {axis.symbol: self._whole(axis.size) for axis in flow.axes}
        self.rules = [nodes(self._whole(rule.dimension), count) for rule in flow.nodes]
        self.sizes |= {rule.axis.symbol: len(weights) for rule, (_, weights) in zip(flow.nodes, self.rules, strict=True)}

    def number(self, expression: Any) -> float:
        """An expression of controls and sizes as a float."""
        known = self.at | {size: sp.Integer(value) for size, value in self.sizes.items()}
        return float(sp.sympify(expression, strict=True).xreplace(known))

    def _whole(self, expression: sp.Expr) -> int:
        value = self.number(expression)
        if value != int(value) or value < 0:
            raise ValueError(f"the number of {expression} must be an integer, found {value:g}")
        return int(value)

    def shape(self, array: Array) -> tuple[int, ...]:
        return tuple(self._whole(axis.symbol) for axis in array.axes)

    def length(self, arrays: tuple[Array, ...]) -> int:
        return sum(math.prod(self.shape(array)) for array in arrays)

    def integers(self) -> np.ndarray:
        """Sizes, offsets of every array, offset of the scalars, addresses of what factors a covariance."""
        found = [self.sizes[size] for size in self.plan.sizes]
        ends: dict[str, int] = {"x": 0, "p": 0, "w": 0}
        for memory, array in self.plan.places.values():
            found.append(ends[memory])
            ends[memory] += math.prod(self.shape(array))
        return np.array([*found, ends["p"], *shared()[1:]], np.int64)

    def parameters(self, phase: Phase) -> np.ndarray:
        """Parameter arrays of a phase, nodes, scalars."""
        parts = []
        for array in self.plan.parameters:
            parts.append(self.table(phase, array).ravel())
        for points, weights in self.rules:
            parts += [points.T.ravel(), weights]
        named = [self.number(phase.values[s]) if s in phase.values else float(self.at[s]) for s in self.plan.scalars]
        return np.concatenate([*parts, np.array(named, float)])

    def table(self, phase: Phase, array: Array) -> np.ndarray:
        """A parameter array of a phase."""
        return np.array(self._numbers(phase.values[array.base]), float).reshape(self.shape(array))

    def _numbers(self, nested: Any) -> Any:
        if isinstance(nested, tuple | list):
            return [self._numbers(part) for part in nested]
        return self.number(nested)

    def size(self, size: int | None) -> int | None:
        """Dimension in which initial vectors are drawn: the one that the flow declares, else `size`."""
        declared = self.flow.start.size
        found = size if declared is None else round(self.number(declared)) if self.number(declared) < math.inf else None
        if found is not None and found < 1:
            raise ValueError(f"start: the size must be at least 1, found {found}")
        return found

    def start(self, size: int | None, seed: int) -> dict[str, np.ndarray]:
        """Initial values: Gram matrix of drawn vectors in `size` dimensions, or its mean where `size` is None.

        Vectors of two sizes share what they can, so that one seed is the same ticket at every size.
        """
        gram, rng, size = self.flow.start, np.random.default_rng(seed), self.size(size)
        spread, fractions = self.number(gram.spread), [self.number(f) for f in gram.fractions]
        overlaps = np.array(self._numbers(gram.overlaps), float)
        arrays = {array.name: self.shape(array) for array in self.plan.state}
        units = arrays[gram.own][1]
        found: dict[str, list[np.ndarray]] = {gram.own: [], gram.cross: []}
        for fraction, fixed in zip(fractions, overlaps, strict=True):
            if size is None:
                found[gram.own].append(spread**2 * fraction * np.eye(units))
                found[gram.cross].append(np.zeros((units, len(fixed))))
                continue
            drawn = spread * rng.standard_normal((max(len(fixed), 1, round(fraction * size)), units)).T
            found[gram.own].append(drawn @ drawn.T / size)
            values, vectors = np.linalg.eigh(fixed) if len(fixed) else (np.zeros(0), np.zeros((0, 0)))
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            found[gram.cross].append(drawn[:, : len(fixed)] @ root.T / math.sqrt(size))
        start = {name: np.array(parts) for name, parts in found.items() if name in arrays}
        if gram.fixed in arrays:
            start[gram.fixed] = overlaps
        for name, (value, negative) in gram.others.items():
            signs = np.ones(units)
            signs[units - round(self.number(negative) * units) :] = -1.0
            start[name] = self.number(value) * signs
        return start

    def pack(self, start: Mapping[str, np.ndarray]) -> np.ndarray:
        """The state vector.

        Raises:
            ValueError: an array is missing or has another shape.
        """
        parts = []
        for array in self.plan.state:
            given, shape = np.asarray(start[array.name], float), self.shape(array)
            if given.shape != shape and given.shape != shape[1:]:
                raise ValueError(f"start: {array.name} must have shape {shape}, found {given.shape}")
            parts.append(given.ravel())
        return np.concatenate(parts)

    def unpack(self, states: np.ndarray) -> dict[str, np.ndarray]:
        """Arrays by name, time first."""
        found, place = {}, 0
        for array in self.plan.state:
            shape = self.shape(array)
            found[array.name] = states[:, place : place + math.prod(shape)].reshape(len(states), *shape)
            place += math.prod(shape)
        return found


@lru_cache(maxsize=16)
def nodes(dimension: int, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Points (S, dimension) of independent standard normals and their weights: Gauss-Hermite up to three dimensions, Sobol beyond.

    Args:
        count: number of points beyond three dimensions, a power of two.
    """
    if dimension <= len(TENSOR):
        points, weights = np.polynomial.hermite_e.hermegauss(TENSOR[dimension - 1])
        weights = weights / weights.sum()
        grids = np.meshgrid(*[points] * dimension, indexing="ij")
        product = np.prod(np.meshgrid(*[weights] * dimension, indexing="ij"), axis=0).ravel()
        kept = product > 1e-18
        return np.stack([g.ravel() for g in grids], axis=1)[kept], product[kept] / product[kept].sum()
    if count is not None and (count < 2 or count & (count - 1)):
        raise ValueError(f"nodes: their number must be a power of two, found {count}")
    power = (count or SOBOL).bit_length() - 2  # half of them are drawn
    half = norm.ppf(qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(0)).random_base2(power))
    points = np.concatenate([half, -half])  # odd moments vanish exactly
    return points, np.full(len(points), 1.0 / len(points))
