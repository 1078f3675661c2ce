"""How many solutions lie near given weights: the local entropy at a distance, by belief propagation in a field along the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.algorithms.parts.problems import Problem, problem_of
from simulate.algorithms.parts.settling import Settling
from simulate.draw import generator
from simulate.instance import Instance

_TOLERANCE, _SWEEPS, _DAMPINGS = 1e-4, 1000, (0.0, 0.5, 0.8)
_ROUNDS, _CLOSE = 40, 1e-3
"""Most values of the field for one distance, and how near to the distance is near enough."""


def local_entropy(instance: Instance, weights: np.ndarray, distances: Sequence[float]) -> np.ndarray:
    """Per weight, log of the number of solutions at a Hamming distance per weight from weights (d,) of signs.

    Messages rest in the field gamma w, with gamma such that the mean distance is the one asked for: F - gamma w.<w'> is the entropy there,
    in the approximation of Bethe (exact on trees, up to finite-size terms on perceptrons).  At a finite temperature it is the log of the
    partition function.  Distances are taken from the smallest on, so that messages stay with the solutions around the weights.

    Args:
        distances: in (0, 1/2).

    Returns:
        One value per distance; NaN where messages do not come to rest, or no field gives the distance.

    Raises:
        ValueError: a distance outside (0, 1/2), or weights that are no signs.
        Unsupported: no messages are known for the instance.
    """
    return _counted(instance, weights, distances)[1]


@dataclass(frozen=True)
class Stability:
    """What surrounds weights that an algorithm found.

    Args:
        free: (d,) weights that may be turned, each alone, and every constraint that was met still is.
        distances: (k,) Hamming distances per weight; entropy: (k,) as of `local_entropy`.
        centers: (k, d) mean weights of the solutions at each distance, their barycenter; NaN where messages do not come to rest.
        violated: (k,) constraints that the signs of a barycenter do not meet, NaN where there is none.
    """

    free: np.ndarray
    distances: np.ndarray
    entropy: np.ndarray
    centers: np.ndarray
    violated: np.ndarray


def stability(instance: Instance, weights: np.ndarray, distances: Sequence[float]) -> Stability:
    """Entropies, barycenters and free weights around weights (d,) of signs, as `local_entropy` finds them; it raises the same."""
    problem, entropy, centers = _counted(instance, weights, distances)
    known = np.isfinite(entropy)
    violated = np.full(entropy.shape, np.nan)
    violated[known] = [problem.violated(np.where(center >= 0, 1.0, -1.0)) for center in centers[known]]
    return Stability(_free(problem, np.asarray(weights, float)), np.asarray(distances, float), entropy, centers, violated)


def _counted(instance: Instance, weights: np.ndarray, distances: Sequence[float]) -> tuple[Problem, np.ndarray, np.ndarray]:
    """(the constraints, entropies (k,), barycenters (k, d)) around weights."""
    wanted = np.asarray(distances, float)
    if not ((wanted > 0) & (wanted < 0.5)).all():
        raise ValueError(f"distances = {wanted.tolist()}: each must lie in (0, 0.5)")
    if np.shape(weights) != (instance.size,) or not np.isin(weights, (-1, 1)).all():
        raise ValueError(f"weights: {instance.size} values -1 or 1 are needed")
    rng = generator(instance.spec.fingerprint, instance.at, instance.size, instance.seed, "local entropy")
    problem = problem_of(instance)
    around = _Around(problem, np.asarray(weights, float), rng)
    entropy, centers = np.full(wanted.shape, np.nan), np.full((*wanted.shape, instance.size), np.nan)
    for place in np.argsort(wanted):
        entropy[place] = around.entropy(wanted[place])
        if np.isfinite(entropy[place]):
            centers[place] = around.means
    return problem, entropy, centers


def _free(problem: Problem, weights: np.ndarray) -> np.ndarray:
    """(d,) whether turning a weight alone violates no further constraint."""
    turned, before, found = weights.copy(), problem.violated(weights), np.zeros(len(weights), bool)
    for i in range(len(weights)):
        turned[i] = -weights[i]
        found[i] = problem.violated(turned) <= before
        turned[i] = weights[i]
    return found


class _Around:
    """Messages in a field along weights, which are kept from distance to distance."""

    def __init__(self, problem: Problem, weights: np.ndarray, rng: np.random.Generator) -> None:
        self.problem, self.weights, self.rng = problem, weights, rng
        self.state = Settling(problem, 0.0, _TOLERANCE, _SWEEPS).start(rng)
        self.means = np.full(problem.size, np.nan)
        """(d,) mean weights of the solutions that were counted last, their barycenter."""

    def entropy(self, distance: float) -> float:
        """By secants in gamma, held between fields that are too weak and too strong."""
        gamma = 0.5 * np.log((1 - distance) / distance)  # what it takes without constraints
        low, high, last = -np.inf, np.inf, None
        for _ in range(_ROUNDS):
            met, value = self._at(gamma)
            if not np.isfinite(value) or abs(met - distance) < _CLOSE:
                return value + 2 * gamma * (distance - met)  # dS = 2 gamma d(distance)
            low, high = (gamma, high) if met > distance else (low, gamma)
            excess = float(np.log(met / (1 - met)) - np.log(distance / (1 - distance)))
            slope = -2.0 if last is None else (excess - last[1]) / (gamma - last[0])
            last, following = (gamma, excess), gamma - excess / slope if slope < 0 else np.nan
            inside = low < following < high
            if not inside:
                following = (low + high) / 2 if np.isfinite([low, high]).all() else gamma + np.sign(excess)
            gamma = float(following)
        return float("nan")

    def _at(self, gamma: float) -> tuple[float, float]:
        """(mean distance, entropy per weight); NaN where messages do not rest."""
        extra = gamma * self.weights
        for damping in _DAMPINGS:
            free, rests = Settling(self.problem, damping, _TOLERANCE, _SWEEPS).settle(self.state, extra, self.rng)
            if rests and np.isfinite(free):
                self.means = np.tanh(self.state["h"] + extra)
                near = float(self.weights @ self.means)
                return (1 - near / self.problem.size) / 2, (free - gamma * near) / self.problem.size
        return float("nan"), float("nan")
