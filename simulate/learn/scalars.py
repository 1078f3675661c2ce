"""The scalar functions of an energy, evaluated over arrays: value, slope and curvature of a loss or a penalty.

A function with kinks is also offered smoothed by its own proximal point (method of multipliers), with the kinks found
by bisection on the slope, so that no loss needs to tell where it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np
import sympy as sp

from simulate.learn.tape import Array, Tape, numpy_operations, stable

_OTHERS = (-1.7, 0.4, 2.1)  # where further data are probed
_GRID = np.concatenate([-np.geomspace(12, 1e-3, 400), [0.0], np.geomspace(1e-3, 12, 400)])


@dataclass(frozen=True)
class Scalar:
    """A function f(y, t), convex in t, and its first two derivatives in t (almost everywhere).

    Args:
        formula: expression with no free symbols but y and t.
        y: a datum the function also depends on (a dummy for penalties).
        t: the variable it is minimised in.
        more: further data, such as the field or the weight of an earlier learner.
    """

    formula: sp.Expr
    y: sp.Symbol
    t: sp.Symbol
    more: tuple[sp.Symbol, ...] = ()

    @property
    def data(self) -> tuple[sp.Symbol, ...]:
        """Everything but t."""
        return (self.y, *self.more)

    def tape(self, operations: Mapping[str, Callable]) -> Tape:
        """(value, slope, curvature) as functions of the arrays (*data, t)."""
        f = stable(self.formula)
        slope = f.diff(self.t)
        return Tape((f, slope, slope.diff(self.t)), (*self.data, self.t), operations)

    def _probes(self) -> np.ndarray:
        """(K, data) values at which the function is looked at."""
        labels = (-2.3, -1.0, -0.4, 0.0, 0.7, 1.0, 3.0) if self.formula.has(self.y) else (0.0,)
        return np.array(list(product(labels, *(_OTHERS for _ in self.more))))

    @cached_property
    def _scan(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(t, values, slopes) on a grid of t, one row per probe."""
        probes = self._probes()
        t = np.unique(np.concatenate([_GRID, np.add.outer(probes, [-1.0, 0.0, 1.0]).ravel()]))
        with np.errstate(all="ignore"):
            values, slopes, _ = self.tape(numpy_operations())(*(column[:, None] + 0 * t for column in probes.T), t + 0 * probes[:, :1])
        return t, values, slopes

    @property
    def convex(self) -> bool:
        """Whether every value lies below the chord of its neighbours, on a grid of t for several values of the data."""
        t, values, _ = self._scan
        left = (t[2:] - t[1:-1]) / (t[2:] - t[:-2])
        chord = left * values[:, :-2] + (1 - left) * values[:, 2:]
        return bool(np.all((values[:, 1:-1] <= chord + 1e-9 * (1 + np.abs(chord))) | ~np.isfinite(chord)))

    @cached_property
    def kinks(self) -> tuple[sp.Expr, ...]:
        """Points t(data) where the slope jumps.

        Raises:
            ValueError: a switch of the formula that cannot be solved for its place.
        """
        places: set[sp.Expr] = set()
        for switch in _switches(self.formula):
            if switch.has(self.t):
                try:
                    places |= set(sp.solve(switch, self.t))
                except NotImplementedError as error:
                    raise ValueError(f"{self.formula}: cannot find where {switch} = 0 in {self.t}") from error
        return tuple(sorted((k for k in places if self._jump(k)), key=sp.default_sort_key))

    def _jump(self, place: sp.Expr) -> bool:
        """Whether the slope differs on the two sides of a place, for some data."""
        slope = self.tape(numpy_operations())
        for probe in self._probes():
            k = complex(place.subs(dict(zip(self.data, probe, strict=True))))
            if abs(k.imag) < 1e-12:
                near = 1e-9 * (1 + abs(k.real))
                left, right = slope(*(np.full(2, value) for value in probe), np.array([k.real - near, k.real + near]))[1]
                if abs(right - left) > 1e-6 * (1 + abs(left)):
                    return True
        return False


def _switches(formula: sp.Expr) -> set[sp.Expr]:
    """Expressions at whose zeros some part of the formula changes its form."""
    found = {e.args[0] for e in formula.atoms(sp.Abs, sp.sign, sp.Heaviside)}
    found |= {a - b for e in formula.atoms(sp.Max, sp.Min) for a, b in combinations(e.args, 2)}
    conditions = {r for e in formula.atoms(sp.Piecewise) for _, c in e.args for r in c.atoms(sp.core.relational.Relational)}
    return found | {r.lhs - r.rhs for r in conditions}


@dataclass
class Smooth:
    """A term used as it stands.  Every call takes t of shape (B, k) and gives (value, slope, curvature) of that shape."""

    tape: Tape
    data: tuple[Array, ...]

    def __call__(self, t: Array) -> tuple[Array, Array, Array]:
        return self.tape(*self.data, t)

    def violation(self, t: Array) -> Array:
        return 0.0 * t

    def advance(self, t: Array, stiffness: float) -> None:
        """Nothing to update."""

    def exact(self, t: Array) -> Array:
        return self.tape(*self.data, t)[0]


@dataclass
class Multiplied:
    """A kinked term f(t) as min_p f(p) + mu (t - p) + s (t - p)^2/2, mu being updated until p = t (method of multipliers).

    The slope s (t - p) + mu is an exact subgradient of f at p, so p = t with a vanishing total slope certifies the optimum.
    """

    tape: Tape
    data: tuple[Array, ...]
    mu: Array
    kinks: tuple[Array, ...]
    stiffness: float = 1.0

    def __post_init__(self) -> None:
        near = [1e-10 * (1 + abs(k)) for k in self.kinks]
        self._left = [self.tape(*self.data, k - e)[1] for k, e in zip(self.kinks, near, strict=True)]
        self._right = [self.tape(*self.data, k + e)[1] for k, e in zip(self.kinks, near, strict=True)]

    def proximal(self, t: Array) -> tuple[Array, Array]:
        """(p, whether p rests on a kink), p = argmin f(p) + s (h - p)^2 / 2 with h = t + mu/s.

        The kinks narrow the bracket [h, h - f'(h)/s] to one smooth piece, on which Newton is safe inside the bracket.
        """
        s, h = self.stiffness, t + self.mu / self.stiffness
        other = h - self.tape(*self.data, h)[1] / s
        low, high = _minimum(h, other), _maximum(h, other)
        resting, rest = abs(t) < 0, 0.0 * t
        for k, left, right in zip(self.kinks, self._left, self._right, strict=True):
            pull = s * (k - h)
            here = (pull + left <= 0) & (pull + right >= 0)
            resting, rest = resting | here, _where(here, k, rest)
            low, high = _where(pull + right < 0, _maximum(low, k), low), _where(pull + left > 0, _minimum(high, k), high)
        p = (low + high) / 2
        for _ in range(80):
            _, slope, curvature = self.tape(*self.data, p)
            force = s * (p - h) + slope
            low, high = _where(force <= 0, p, low), _where(force <= 0, high, p)
            trial = p - force / (s + curvature)
            trial = _where((trial >= low) & (trial <= high), trial, (low + high) / 2)
            settled = resting | (abs(trial - p) <= 4e-16 * (abs(p) + abs(h)))
            p = trial
            if bool(settled.all()):
                break
        return _where(resting, rest, p), resting

    def __call__(self, t: Array) -> tuple[Array, Array, Array]:
        s, (p, resting) = self.stiffness, self.proximal(t)
        value, _, curvature = self.tape(*self.data, p)
        slope = s * (t - p) + self.mu
        return value + self.mu * (t - p) + s * (t - p) ** 2 / 2, slope, _where(resting, s + 0 * p, curvature * s / (curvature + s))

    def violation(self, t: Array) -> Array:
        return t - self.proximal(t)[0]

    def advance(self, t: Array, stiffness: float) -> None:
        self.mu = self.stiffness * (t - self.proximal(t)[0]) + self.mu
        self.stiffness = stiffness

    def exact(self, t: Array) -> Array:
        return self.tape(*self.data, t)[0]


def _where(condition: Array, a: Array, b: Array) -> Array:
    import torch

    return torch.where(condition, a, b)


def _minimum(a: Array, b: Array) -> Array:
    return _where(a < b, a, b)


def _maximum(a: Array, b: Array) -> Array:
    return _where(a < b, b, a)
