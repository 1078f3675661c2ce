"""Uniform samples of the weights on a sphere that obey every label: jumps along great circles, and billiard flights between them.

A direction of motion is drawn; on its great circle the arcs that obey all constraints are known exactly, and a jump goes to a
uniform point of them, over forbidden ground as well.  Then the point flies on and is reflected where a constraint is met.  Both moves
keep the uniform measure; the jumps alone diffuse with steps of one free path, and flights cross the set in about n reflections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate.draw import generator, number
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.target import Target, target_of

SAMPLES, CHAINS = 24, 2
"""Samples per chain; the first quarter of the time of a chain is not used."""
FLIGHT, FLIGHTS = 1.0, 6
"""Length of a flight in radians, and flights between two samples."""
APART = 0.1
"""Two chains agree where their means differ by less than this fraction of |w|^2/d, beyond what the number of samples explains."""
_STEPS = 4000  # of the search for a first solution


def solve(instances: Sequence[Instance], device: str = "cpu", options: Mapping[str, float] | None = None) -> list[Outcome]:
    """Samples of every learner of every instance, independently given the data.

    Raises:
        Unsupported: learners that are coupled, a prior that is no sphere, a finite temperature, or a loss that does not ask y z >= margin.
    """
    if device != "cpu":
        raise Unsupported(f"hit and run goes on the cpu, not on {device!r}")
    spec = instances[0].spec
    if len(spec.stages) > 1 or any(learner.couple for learner in spec.learners.values()):
        raise Unsupported("hit and run takes learners of one stage that are not coupled")
    outcomes = []
    targets = {name: target_of(instances[0], learner) for name, learner in spec.learners.items()}
    for instance in instances:
        found = {name: _sampled(instance, name, targets[name], margin_of(instance, learner)) for name, learner in spec.learners.items()}
        failure = next((f"{name}: {one.failure}" for name, one in found.items() if one.failure), "")
        outcomes.append(Outcome(found, failure=failure))
    return outcomes


def margin_of(instance: Instance, learner: Any) -> float:
    """What y z must reach at zero temperature.

    Raises:
        Unsupported: as for `solve`.
    """
    if learner.protocol.kind != "gibbs" or np.isfinite(number(learner.protocol.beta, instance.at)):
        raise Unsupported("hit and run samples solutions, so it needs protocol 'gibbs' with beta = inf")
    if learner.loss is None or learner.loss.kind != "theta" or set(np.unique(instance.arrays["y"])) - {-1.0, 1.0}:
        raise Unsupported("hit and run needs the loss 'theta', which asks that y*z reach a margin, and labels -1 and 1")
    return number(learner.loss.margin, instance.at)


def _sampled(instance: Instance, name: str, target: Target, margin: float) -> Estimate:
    if target.pinned is None or target.prior.pinned_norm() is None:
        raise Unsupported(f"hit and run needs a spherical prior, not '{target.prior.kind}'")
    d = instance.size
    rng = generator(instance.spec.fingerprint, instance.at, d, instance.seed, f"hit_and_run {name}")
    rows = instance.arrays["y"][:, None] * instance.arrays["x"] / np.sqrt(d)
    gram = rows @ rows.T
    draws = np.empty((CHAINS, SAMPLES, d))
    for chain in range(CHAINS):
        w = find(rows, margin, target.prior.sample(rng, (d,)))
        if w is None:
            return Estimate(np.zeros(d), failure=f"no weights with all margins above {margin:g} were found")
        move(rows, gram, margin, w, FLIGHTS * SAMPLES // 3, rng)
        for sample in draws[chain]:
            move(rows, gram, margin, w, FLIGHTS, rng)
            sample[:] = w
    if np.min(np.einsum("cd,nd->cn", draws[:, -1], rows)) < margin - 1e-8:
        return Estimate(np.zeros(d), failure="a chain left the solutions by rounding")
    means = draws.mean(axis=1)
    Q, q = float(target.pinned), float(means[0] @ means[1]) / d
    apart = float(np.sum((means[0] - means[1]) ** 2)) / d / Q
    failure = f"two chains differ by {apart:.2f} of |w|^2/d" if apart > APART + 4 * (1 - q / Q) / SAMPLES else ""
    extras = {"q": q, "Q": Q, "energy": 0.0}
    return Estimate(means.mean(axis=0), max(Q - q, 0.0), residual=apart, failure=failure, extras=extras, samples=draws.reshape(-1, d))


def move(rows: np.ndarray, gram: np.ndarray, margin: float, w: np.ndarray, flights: int, rng: np.random.Generator) -> None:
    """Jumps and flights of w (d,), in place, uniform where rows w >= margin on its sphere.

    Args:
        rows: (n, d) samples times their labels, over sqrt(d).
        gram: rows rows^T.
    """
    from simulate.learn import billiard  # numba takes a second

    norm = np.linalg.norm(w)
    for _ in range(flights):
        v = rng.standard_normal(len(w))
        v -= w * (v @ w) / norm**2
        v *= norm / np.linalg.norm(v)
        z, u = rows @ w, rows @ v
        angle = free_angle(z, u, margin, rng.random())
        c, s = np.cos(angle), np.sin(angle)
        w[:], v, z, u = c * w + s * v, c * v - s * w, c * z + s * u, c * u - s * z
        billiard.flight(rows, gram, margin, w, v, z, u, FLIGHT)
        w *= norm / np.linalg.norm(w)


def free_angle(z: np.ndarray, u: np.ndarray, margin: float, part: float) -> float:
    """The angle below which a `part` of the free arcs lies: those where z cos + u sin >= margin for all entries."""
    radius = np.hypot(z, u)
    bites = radius > -margin
    half = np.arccos(np.clip(margin / radius[bites], -1.0, 1.0))  # allowed: within `half` of the direction of the row
    start = (np.arctan2(u[bites], z[bites]) + half) % (2 * np.pi)
    end = start + 2 * (np.pi - half)
    over = end > 2 * np.pi  # forbidden arcs that run across angle 0 are cut there
    starts, ends = np.concatenate([start, np.zeros(over.sum())]), np.concatenate([np.minimum(end, 2 * np.pi), end[over] - 2 * np.pi])
    order = np.argsort(starts)
    reached = np.concatenate([[0.0], np.maximum.accumulate(ends[order])])
    opening = np.concatenate([starts[order], [2 * np.pi]])
    gaps = np.maximum(opening - reached, 0.0)
    left = np.concatenate([[0.0], np.cumsum(gaps)])
    which = int(np.searchsorted(left[1:], part * left[-1], side="right"))
    which = min(which, len(gaps) - 1)
    return float(reached[which] + part * left[-1] - left[which])


def find(rows: np.ndarray, margin: float, w: np.ndarray) -> np.ndarray | None:
    """A point of the sphere through w where rows w >= margin, by descent on the squared violations of a margin a little higher."""
    length = np.linalg.norm(w)
    bound = np.linalg.norm(rows, 2) ** 2
    for lift in (0.05, 0.01, 0.001):
        v, momentum = w.copy(), np.zeros_like(w)
        for _ in range(_STEPS):
            violation = np.maximum(margin + lift - rows @ v, 0.0)
            if not violation.any():
                return v
            momentum = 0.9 * momentum + rows.T @ violation / bound
            v = v + momentum
            v *= length / np.linalg.norm(v)
        if np.all(rows @ v >= margin):
            return v
    return None
