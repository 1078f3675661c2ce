"""Belief propagation on all edges between samples and weights of signs; the field of a sample is Gaussian given its messages."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit
from scipy.special import log_ndtr

from numerics.special.library import sel, vexp, vlog, vlogh, vtail, vtanh
from simulate.algorithms.parts.signs import SignConstraints, found, refuse_levels, sign_constraints
from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Outcome

SMALLEST = 1e-12  # variance of a field whose weights are all but known
LARGEST = 100.0  # field of a message


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def _log_right(z):
    """log of the normal distribution function."""
    x = -z
    density, tail = vexp(-0.5 * x * x), vtail(abs(x))
    return vlogh(x, density, tail, sel(x > 0.0, tail, 1.0 - density * tail))


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def sweep(patterns, order, margin, leak, extra, h, u, damping):
    """All messages once, sample by sample, in place; returns the largest move.

    Args:
        patterns: (n, d); order: (n,) of samples.
        extra: (d,) fields that are added to those of the samples, fixed during a sweep.
        h: (d,) sum over samples of u, the (n, d) fields that samples send to weights.
    """
    d = patterns.shape[1]
    m, v, new = np.empty(d), np.empty(d), np.empty(d)
    largest = 0.0
    for row in order:
        a, old = patterns[row], u[row]
        for i in range(d):
            new[i] = h[i] + extra[i] - old[i]  # few arrays a loop: the compiler gives up on loops with many that might overlap
        for i in range(d):
            field = new[i]
            decay = vexp(-2.0 * abs(field))
            m[i] = a[i] * vtanh(field, decay)
            v[i] = a[i] * a[i] * 4.0 * decay / ((1.0 + decay) * (1.0 + decay))
        mean, variance = -margin, 0.0
        for i in range(d):
            mean += m[i]
            variance += v[i]
        for i in range(d):
            rest = variance - v[i]
            scale = 1.0 / np.sqrt(sel(rest > SMALLEST, rest, SMALLEST))
            center = mean - m[i]
            new[i] = _log_right((center + a[i]) * scale)
            m[i] = _log_right((center - a[i]) * scale)
        if leak > 0.0:
            for i in range(d):
                new[i] = vlog(leak + (1.0 - leak) * vexp(new[i]))
                m[i] = vlog(leak + (1.0 - leak) * vexp(m[i]))
        for i in range(d):
            field = 0.5 * (new[i] - m[i])
            field = sel(field > LARGEST, LARGEST, sel(field < -LARGEST, -LARGEST, field))
            move = (1.0 - damping) * (field - old[i])
            old[i] += move
            h[i] += move
            largest = sel(abs(move) <= largest, largest, abs(move))
    return largest


class Edges(Algorithm):
    """Messages on edges; a subclass says which fields join those of the samples, and when the run ends well."""

    def prepare(self) -> None:
        self.constraints = sign_constraints(self.instance)
        refuse_levels(self.constraints, "belief propagation")

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        n, d = self.constraints.patterns.shape
        u = 0.1 * rng.standard_normal((n, d)) / np.sqrt(max(n, 1))
        h = u.sum(axis=0)
        return {"u": u, "h": h, "extra": np.zeros(d), "residual": np.inf, "violated": n, "strength": 0.0}

    def pull(self, state: State) -> np.ndarray:
        """(d,) fields that are added to those of the samples."""
        return np.zeros(len(state["h"]))

    def step(self, state: State, rng: np.random.Generator) -> None:
        state["extra"] = self.pull(state)
        state["residual"] = float(self.messages(state, rng.permutation(len(self.constraints.patterns))))
        state["violated"] = self.constraints.violated(self.weights(state))

    def messages(self, state: State, order: np.ndarray) -> float:
        """All messages once, in place; returns the largest move."""
        problem, damping = self.constraints, self.options["damping"]
        return sweep(problem.patterns, order, problem.margin, problem.leak, state["extra"], state["h"], state["u"], damping)

    def weights(self, state: State) -> np.ndarray:
        """The likelier sign of every weight."""
        return np.where(state["h"] + state["extra"] >= 0, 1.0, -1.0)

    def marginals(self, state: State) -> np.ndarray:
        return np.tanh(state["h"] + state["extra"])

    def stop(self, state: State) -> Status | None:
        if not np.isfinite(state["h"]).all():
            return Status.DIVERGED
        return None

    def observe(self, state: State) -> dict[str, float]:
        q = float(np.mean(self.marginals(state) ** 2))
        return {"violated": state["violated"], "q": q, "strength": state["strength"], "residual": state["residual"]}


class Growing(Edges):
    """A search: the pull grows by `rate` a sweep until the likelier signs meet every sample."""

    strongest: ClassVar[float] = 1 - 1e-6

    def step(self, state: State, rng: np.random.Generator) -> None:
        super().step(state, rng)
        state["strength"] = min(state["strength"] + self.options["rate"], self.strongest)

    def stop(self, state: State) -> Status | None:
        return super().stop(state) or (Status.SOLVED if state["violated"] == 0 else None)

    def outcome(self, state: State) -> Outcome:
        return found(self, self.constraints, self.weights(state))


def bethe(problem: SignConstraints, u: np.ndarray, h: np.ndarray) -> tuple[float, float]:
    """(log of the number of weights, or of the partition function; mean number of violated samples), both per weight."""
    n, d = problem.patterns.shape
    cavity = h - u
    means = np.tanh(cavity)
    center = np.einsum("ij,ij->i", problem.patterns, means) - problem.margin
    variance = np.einsum("ij,ij->i", problem.patterns**2, 1 - means**2)
    met = log_ndtr(center / np.sqrt(np.maximum(variance, SMALLEST)))
    samples = np.logaddexp(np.log(problem.leak), np.log1p(-problem.leak) + met) if problem.leak > 0 else met
    total = samples.sum() + (1 - n) * _log_two_cosh(h).sum() + _log_two_cosh(cavity).sum()
    violated = problem.leak * -np.expm1(met) / np.exp(samples)
    return float(total / d), float(violated.sum() / d)


def _log_two_cosh(x: np.ndarray) -> np.ndarray:
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))
