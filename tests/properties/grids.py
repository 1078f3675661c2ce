"""Numbers of tree expressions on plain grids, with the laws of leaves typed in: averages are sums over tensor nodes, nothing is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp

from replica.nodes import Discrete, Flat, Gauss, LogAverage, Measure, Tilted
from replica.tree import Leaf

Law = Callable[..., np.ndarray]  # (species, k, h, A, *extra): the k-th derivative of F(h, A) in h


class Grid:
    """Values of nested averages.  Every measure adds an axis; coordinates without variance take no nodes.

    Args:
        numbers: of every overlap and conjugate.
        law: what leaves are.
        labels: values that a label runs over.
        nodes: per Gaussian coordinate.
    """

    def __init__(self, numbers: Mapping[sp.Symbol, float], law: Law, labels: tuple[float, ...] = (1.0, -1.0), nodes: int = 16) -> None:
        self.law, self.labels = law, labels
        self.known = {s: np.asarray(float(v)) for s, v in numbers.items()}
        x, w = np.polynomial.hermite_e.hermegauss(nodes)
        self.rule = x, w / w.sum()

    def __call__(self, e: sp.Basic) -> float:
        return float(self._value(sp.sympify(e), self.known))

    def _value(self, e: sp.Basic, env: Mapping[sp.Symbol, np.ndarray]) -> np.ndarray:
        if e.is_Symbol:
            return env[e]
        if e.is_number:
            return np.asarray(float(e))
        if isinstance(e, Leaf):
            inside = [self._value(part, env) for part in (e.h, e.A, *e.extra)]
            F = self.law(e.species, 0, *inside)
            return np.log(F) if e.order == 0 else self.law(e.species, e.order, *inside) / F
        if isinstance(e, (LogAverage, Tilted)):
            return self._average(e, env)
        args = [self._value(a, env) for a in e.args]
        if e.is_Pow:
            return args[0] ** args[1]
        total = args[0]
        for one in args[1:]:
            total = total + one if e.is_Add else total * one
        assert e.is_Add or e.is_Mul, e.func
        return total

    def _average(self, e: LogAverage | Tilted, env: Mapping[sp.Symbol, np.ndarray]) -> np.ndarray:
        weight, left, axes = np.ones(()), list(e.measures), tuple(range(-len(e.measures), 0))
        while left:
            bound = {v for m in left for v in m.variables}
            measure = next(m for m in left if not m.free_symbols & bound)  # others are centered on its variables
            left.remove(measure)
            points, share = self._points(measure, env)
            env = {s: value[..., None] for s, value in env.items()} | points
            weight = weight[..., None] * share
        odds = weight * np.exp(self._value(e.exponent, env))
        if isinstance(e, LogAverage):
            return np.log(odds.sum(axes))
        total = (odds * self._value(e.body, env)).sum(axes)
        return total if e.normalised else total / odds.sum(axes)

    def _points(self, measure: Measure, env: Mapping[sp.Symbol, np.ndarray]) -> tuple[dict[sp.Symbol, np.ndarray], np.ndarray]:
        """Variables along a new axis, and the weights of its points."""
        if isinstance(measure, Flat):
            return {measure.variables[0]: np.array(self.labels)}, np.ones(len(self.labels))
        if isinstance(measure, Discrete):
            atoms, logs = (np.array([float(one) for one in listed]) for listed in (measure.atoms_, measure.log_weights))
            return {measure.variables[0]: atoms}, np.exp(logs)
        assert isinstance(measure, Gauss)
        size = len(measure.variables)
        covariance = np.array([float(self._value(c, self.known)) for c in measure.covariance]).reshape(size, size)
        values, vectors = np.linalg.eigh(covariance)
        assert values.min() > -1e-9, f"{measure.variables} have no such covariance: {values}"
        root = (vectors * np.sqrt(values.clip(0)))[:, values > 1e-9]
        x, w = self.rule
        steps, weights = np.zeros((size, 1)), np.ones(1)
        for column in root.T:
            steps = (steps[:, :, None] + column[:, None, None] * x).reshape(size, -1)
            weights = np.outer(weights, w).reshape(-1)
        means = [self._value(m, env)[..., None] for m in measure.means]
        return {v: m + step for v, m, step in zip(measure.variables, means, steps, strict=True)}, weights
