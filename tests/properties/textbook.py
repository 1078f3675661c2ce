"""Replica-symmetric equations from the textbook, by plain sums over fine grids: what the engine must agree with.

Nothing here comes from the engine.  Responses are taken by integration by parts, E[ω f(ω)] = q E[f'(ω)], so that no curvature of
a loss is needed; proximal points are found by bisection of a monotone slope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Function = Callable[..., np.ndarray]
_X, _W = np.polynomial.legendre.leggauss(16)
REACH = 9.3  # standard deviations; what lies beyond is below 1e-19
WIDTH, SPREAD = 1.0, 1.5  # widest panel, absolute and in deviations of the normal law on it: 16 nodes resolve both to rounding


@dataclass(frozen=True)
class Channel:
    """P(y | z).

    Args:
        text: its table in a spec file.
        density: (y, z) -> probability or density.
        labels: the labels, or None for real ones.
        breaks: values of z (of y - z with `noise`) where the density is not smooth.
        noise: the density of y - z; then `density` is not used.
        reach: real labels lie this far from the field, at most.
    """

    text: str
    density: Function | None = None
    labels: tuple[float, ...] | None = None
    breaks: tuple[float, ...] = ()
    noise: Function | None = None
    reach: float = 0.0


@dataclass(frozen=True)
class Loss:
    """value and slope of l(y, z) in z; `kinks(y)`: values of z where the slope jumps or bends."""

    text: str
    value: Function
    slope: Function
    kinks: Callable[[float], Sequence[float]] = lambda y: ()


@dataclass(frozen=True)
class Penalty:
    """value and slope of r(w); `kinks`: where the slope jumps or bends."""

    text: str
    value: Function
    slope: Function
    kinks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Prior:
    """Atoms and density of a weight on [-reach, reach]."""

    text: str
    density: Function | None = None
    atoms: tuple[tuple[float, float], ...] = ()
    breaks: tuple[float, ...] = ()
    ends: tuple[float, float] = (-10.0, 10.0)

    def grid(self, width: float = WIDTH) -> tuple[np.ndarray, np.ndarray]:
        """Weights w and their probabilities."""
        places, masses = (np.array(column, float) for column in zip(*self.atoms, strict=True)) if self.atoms else (np.zeros(0), np.zeros(0))
        if self.density is None:
            return places, masses
        x, dx = panels(*self.ends, self.breaks, width)
        return np.concatenate([places, x]), np.concatenate([masses, dx * self.density(x)])


def panels(lower: float, upper: float, breaks: Sequence[float] = (), width: float = WIDTH) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on panels no wider than `width`, split at the breaks."""
    ends = sorted({lower, upper, *(b for b in breaks if lower < b < upper)})
    edges = [a + (b - a) * k / n for a, b in zip(ends, ends[1:], strict=False) for n in [int(np.ceil((b - a) / width))] for k in range(n)]
    left, right = np.array(edges), np.array([*edges[1:], upper])
    half = (right - left)[:, None] / 2
    return ((left + right)[:, None] / 2 + half * _X).ravel(), (half * _W).ravel()


def normal(x: np.ndarray, variance: float) -> np.ndarray:
    return np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def monotone_root(slope: Function, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Root of an increasing function, to rounding."""
    lower, upper = lower.copy(), upper.copy()
    for _ in range(200):
        if np.all(slope(lower) <= 0):
            break
        lower -= np.maximum(1, upper - lower) * (slope(lower) > 0)
    for _ in range(200):
        if np.all(slope(upper) >= 0):
            break
        upper += np.maximum(1, upper - lower) * (slope(upper) < 0)
    for _ in range(90):
        middle = (lower + upper) / 2
        above = slope(middle) > 0
        lower, upper = np.where(above, lower, middle), np.where(above, middle, upper)
    return (lower + upper) / 2


# ------------------------------------------------------------------ one sample


class Proximal:
    """The sample seen by an empirical risk minimiser: score (prox - ω)/χ, and minus the Moreau envelope."""

    def __init__(self, loss: Loss, chi: float) -> None:
        self.loss, self.chi = loss, chi

    def breaks(self, y: float) -> list[float]:
        """Fields whose proximal point enters or leaves a kink."""
        eps = 1e-12
        return [k + self.chi * float(self.loss.slope(y, np.array(k + side))) for k in self.loss.kinks(y) for side in (-eps, 0.0, eps)]

    def __call__(self, y: float, field: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(score, log weight, loss) at the fields."""
        point = monotone_root(lambda u: u - field + self.chi * self.loss.slope(y, u), field - 1, field + 1)
        value = self.loss.value(y, point)
        return (point - field) / self.chi, -((point - field) ** 2) / (2 * self.chi) - value, value


class Thermal:
    """The sample seen by a draw from exp(-energy): score and log of E exp(-βl) under N(ω, V)."""

    def __init__(self, log_weight: Function, V: float, kinks: Callable[[float], Sequence[float]], reach: float) -> None:
        self.log_weight, self.V, self.kinks, self.reach = log_weight, V, kinks, reach

    def breaks(self, y: float) -> list[float]:
        return []

    def __call__(self, y: float, field: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        z, dz = panels(-self.reach, self.reach, self.kinks(y), min(WIDTH, SPREAD * np.sqrt(self.V)))
        distance = z - field[:, None]
        log_density = self.log_weight(y, z) - distance**2 / (2 * self.V)
        top = log_density.max(axis=1, keepdims=True)
        weight = dz * np.exp(log_density - top)
        mass = weight.sum(axis=1)
        log_mass = top[:, 0] + np.log(mass) - np.log(2 * np.pi * self.V) / 2
        return (weight * distance).sum(axis=1) / (mass * self.V), log_mass, np.zeros_like(field)


@dataclass(frozen=True)
class Output:
    """Averages over one sample: of score times teacher's score, score squared, minus the slope of the score, log weight, loss."""

    m_hat: float
    q_hat: float
    chi_hat: float
    log_weight: float
    loss: float


def teacher_mass(channel: Channel, y: float, means: np.ndarray, variance: float, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """(Z, dZ/dmean) of the label y for teacher fields z ~ N(mean, variance)."""
    width, far = min(WIDTH, SPREAD * np.sqrt(variance)), REACH * np.sqrt(rho)
    if channel.noise is not None:
        e, de = panels(max(-channel.reach, y - far), min(channel.reach, y + far), channel.breaks, width)
        z, weight = y - e, de * channel.noise(e)
    else:
        z, dz = panels(-far, far, channel.breaks, width)
        weight = dz * channel.density(y, z)
    distance = z - means[:, None]
    law = weight * normal(distance, variance)
    return law.sum(axis=1), (law * distance).sum(axis=1) / variance


def output(channel: Channel, student, m: float, q: float, rho: float) -> Output:
    """One new sample, labelled by the teacher, seen by `student` (Proximal or Thermal)."""
    variance, reach = rho - m**2 / q, REACH * np.sqrt(q)
    width = min(WIDTH, SPREAD * np.sqrt(q))
    sums = np.zeros(5)
    for y, share in zip(*_labels(channel, rho), strict=True):
        fields, weights = panels(-reach, reach, (*student.breaks(y), 0.0), width)
        weights = share * weights * normal(fields, q)
        Z, slope = teacher_mass(channel, y, m * fields / q, variance, rho)
        score, log_weight, loss = student(y, fields)
        m_hat = weights @ (slope * score)
        chi_hat = -(weights @ (fields * Z * score)) / q + m / q * m_hat
        sums += [m_hat, weights @ (Z * score**2), chi_hat, weights @ (Z * log_weight), weights @ (Z * loss)]
    return Output(*(float(s) for s in sums))


def _labels(channel: Channel, rho: float) -> tuple[np.ndarray, np.ndarray]:
    if channel.labels is not None:
        return np.array(channel.labels), np.ones(len(channel.labels))
    reach = REACH * np.sqrt(rho) + channel.reach
    return panels(-reach, reach)


# ------------------------------------------------------------------ one weight


@dataclass(frozen=True)
class Input:
    """Averages over one weight: overlap with the truth, its square, response or variance, log of its normalisation."""

    m: float
    q: float
    chi: float
    log_weight: float


def weight_at_peak(penalty: Penalty, prior: Prior, m_hat: float, q_hat: float, chi_hat: float) -> Input:
    """The weight of an empirical risk minimiser: argmin r(w) + χ̂ w²/2 - B w with B = m̂ w* + sqrt(q̂) ξ."""
    steps = [chi_hat * k + float(penalty.slope(np.array(k + side))) for k in penalty.kinks for side in (-1e-12, 0.0, 1e-12)]
    B, law, truths, distance = _cavity(prior, m_hat, q_hat, steps)
    w = monotone_root(lambda u: penalty.slope(u) + chi_hat * u - B, B / chi_hat - 1, B / chi_hat + 1)
    peak = B * w - chi_hat * w**2 / 2 - penalty.value(w)
    return Input(float(truths @ law @ w), float((law @ w**2).sum()), float(((law * distance) @ w).sum() / q_hat), float((law @ peak).sum()))


def weight_in_posterior(prior: Prior, own: Prior, m_hat: float, q_hat: float, V_hat: float) -> Input:
    """A weight drawn from own(w) exp(B w - V̂ w²/2), B = m̂ w* + sqrt(q̂) ξ; chi is its mean variance."""
    B, law, truths, _ = _cavity(prior, m_hat, q_hat, ())
    w, p = own.grid()
    with np.errstate(divide="ignore"):
        exponent = np.log(p) + np.outer(B, w) - V_hat * w**2 / 2
    top = exponent.max(axis=1, keepdims=True)
    weight = np.exp(exponent - top)
    Z = weight.sum(axis=1)
    mean, square = weight @ w / Z, weight @ w**2 / Z
    variance = (weight * (w - mean[:, None]) ** 2).sum(axis=1) / Z
    assert np.all(variance <= square + 1e-12)
    log_Z = top[:, 0] + np.log(Z)
    return Input(float(truths @ law @ mean), float((law @ mean**2).sum()), float((law @ variance).sum()), float((law @ log_Z).sum()))


def _cavity(prior: Prior, m_hat: float, q_hat: float, breaks: Sequence[float]) -> tuple[np.ndarray, ...]:
    """Fields B, their joint law with the truth (truths by fields), the truths, and B less its mean."""
    truths, masses = prior.grid()
    sd = np.sqrt(q_hat)
    reach = abs(m_hat) * float(np.abs(truths[masses > 1e-18]).max()) + REACH * sd
    B, dB = panels(-reach, reach, breaks, min(WIDTH, SPREAD * sd))
    distance = B - m_hat * truths[:, None]
    return B, masses[:, None] * dB * normal(distance, q_hat), truths, distance


# ------------------------------------------------------------------ the three learners


def minimiser(x: Mapping[str, float], alpha: float, prior: Prior, channel: Channel, loss: Loss, penalty: Penalty) -> dict[str, float]:
    """G(x) for m, q, chi and their conjugates, and the free entropy, at the values x."""
    rho = second_moment(prior)
    sample = output(channel, Proximal(loss, x["chi"]), x["m"], x["q"], rho)
    weight = weight_at_peak(penalty, prior, x["m_hat"], x["q_hat"], x["chi_hat"])
    trace = (x["chi"] * x["q_hat"] - x["q"] * x["chi_hat"]) / 2 + x["m"] * x["m_hat"]
    return {
        "m": weight.m, "q": weight.q, "chi": weight.chi,
        "m_hat": alpha * sample.m_hat, "q_hat": alpha * sample.q_hat, "chi_hat": alpha * sample.chi_hat,
        "free_entropy": -trace + weight.log_weight + alpha * sample.log_weight, "training_loss": sample.loss,
    }


def posterior(x: Mapping[str, float], alpha: float, prior: Prior, channel: Channel) -> dict[str, float]:
    """The same of a Bayes learner: x has q and q_hat."""
    rho = second_moment(prior)
    V = rho - x["q"]
    student = Thermal(_log(channel), V, _in_field(channel), REACH * (np.sqrt(x["q"]) + np.sqrt(V)))
    sample = output(channel, student, x["q"], x["q"], rho)
    weight = weight_in_posterior(prior, prior, x["q_hat"], x["q_hat"], x["q_hat"])
    free = -x["q"] * x["q_hat"] / 2 + weight.log_weight + alpha * sample.log_weight
    return {"q": weight.q, "V": weight.chi, "q_hat": alpha * sample.q_hat, "free_entropy": free}


def gibbs(
    x: Mapping[str, float], alpha: float, beta: float, prior: Prior, channel: Channel, own: Prior, loss: Loss
) -> dict[str, float]:
    """The same of a Gibbs learner with reference measure `own`: x has m, q, V and m_hat, q_hat, V_hat."""
    rho = second_moment(prior)
    reach = REACH * (np.sqrt(x["q"]) + np.sqrt(x["V"]))
    student = Thermal(lambda y, z: -beta * loss.value(y, z), x["V"], loss.kinks, reach)
    sample = output(channel, student, x["m"], x["q"], rho)
    weight = weight_in_posterior(prior, own, x["m_hat"], x["q_hat"], x["V_hat"])
    V, V_hat, q, q_hat = x["V"], x["V_hat"], x["q"], x["q_hat"]
    trace = (V * q_hat - q * V_hat - V * V_hat) / 2 + x["m"] * x["m_hat"]
    return {
        "m": weight.m, "q": weight.q, "V": weight.chi,
        "m_hat": alpha * sample.m_hat, "q_hat": alpha * sample.q_hat, "V_hat": alpha * sample.chi_hat,
        "free_entropy": -trace + weight.log_weight + alpha * sample.log_weight,
    }


def generalization_error(channel: Channel, m: float, Q: float, rho: float) -> float:
    """P(y h < 0) for a predictor of variance Q and covariance m with the teacher."""
    h, dh = panels(-REACH * np.sqrt(Q), REACH * np.sqrt(Q), (0.0,), np.sqrt(Q) / 2)
    p = dh * normal(h, Q)
    error = 0.0
    for y in channel.labels or ():
        Z, _ = teacher_mass(channel, y, m * h / Q, rho - m**2 / Q, rho)
        error += float(p @ (Z * (y * h < 0)))
    return error


def second_moment(prior: Prior) -> float:
    w, p = prior.grid()
    return float(p @ w**2)


def _log(channel: Channel) -> Function:
    def log_density(y, z):
        with np.errstate(divide="ignore"):
            return np.log(channel.noise(y - z) if channel.noise is not None else channel.density(y, z))

    return log_density


def _in_field(channel: Channel) -> Callable[[float], Sequence[float]]:
    return (lambda y: [y - b for b in channel.breaks]) if channel.noise is not None else (lambda y: channel.breaks)
