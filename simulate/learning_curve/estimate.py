"""What a data set says to the theory: the spectrum of its covariance, how the classes load on it, and which law of labels it obeys.

Two laws are known.  `clouds`: each class is Gaussian, with its own mean and a common covariance.  `teacher`: all inputs are
Gaussian, and the label is the sign of a linear field plus noise.  Both match the second moments E[x x'] and E[x y] of the data, which is
all that the square loss sees; they differ in how scores spread inside a class.  Real labels are a linear field plus noise (`linear`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

CLOUDS, TEACHER, LINEAR = "clouds", "teacher", "linear"
SMALL = 1e-10  # eigenvalues below this part of the largest are zero: constant features, and combinations of others
CERTAIN = 1e-3  # least part of the label's field that is noise


@dataclass(frozen=True)
class Modes:
    """Estimated population.

    Args:
        law: of labels.
        width: p, features.
        values: (k,) positive eigenvalues of the covariance (within classes for `clouds`, else of all inputs).
        power: (k,) squares of what separates the classes, in the eigenbasis, over the eigenvalues: of the difference of the means, or
            of the covariance with the label's field of unit variance; of that with real labels of unit variance.
        share: part of the samples with label 1; nothing where labels are real.
    """

    law: str
    width: int
    values: np.ndarray
    power: np.ndarray
    share: float

    @property
    def trace(self) -> float:
        return float(self.values.sum())

    @property
    def explained(self) -> float:
        """Part of the variance of the labels that is linear in the features."""
        if self.law == LINEAR:
            return float(self.power.sum())
        if self.law == TEACHER:
            return float(self.power.sum()) * _sensitivity(self.share) ** 2 / (self.share * (1 - self.share))
        apart = self.share * (1 - self.share) * float(self.power.sum())
        return apart / (1 + apart)


def _sensitivity(share: float) -> float:
    """Slope of the probability of label 1 in the field's mean, at a field of unit variance."""
    return float(norm.pdf(norm.ppf(share)))


def modes(X: np.ndarray, y: np.ndarray, law: str) -> Modes:
    """Eigenvalues and powers, less what the noise of the estimated means adds to the powers.

    Args:
        X: (n, p) features.
        y: (n,) labels -1 or 1, both present; or real ones.
    """
    n, p = X.shape
    if law == LINEAR:
        return _linear(X, y)
    plus = y > 0
    share = float(plus.mean())
    apart = X[plus].mean(0) - X[~plus].mean(0)
    inside = X - np.where(plus[:, None], X[plus].mean(0), X[~plus].mean(0))
    covariance = inside.T @ inside / (n - 2)
    if law == TEACHER:
        covariance = covariance + share * (1 - share) * np.outer(apart, apart)
    values, axes = np.linalg.eigh(covariance)
    kept = values > SMALL * values[-1]
    values, along = values[kept], (axes[:, kept].T @ apart) ** 2
    if law == CLOUDS:
        return Modes(law, p, values, pooled(along / values, np.full(len(values), 1 / (n * share * (1 - share)))), share)
    raw = along * (share * (1 - share)) ** 2 / values  # squares of Cov(x, label in 0 and 1), over the eigenvalues
    total = share * (1 - share)
    left = max(total - float(raw.sum()), 0.0) * n / max(n - len(values) - 1, 1)
    slope = _sensitivity(share) ** 2
    power = pooled(raw, np.full(len(values), left / n)) / slope
    return Modes(law, p, values, power * min(1.0, (1 - CERTAIN) / max(float(power.sum()), 1e-300)), share)


def _linear(X: np.ndarray, y: np.ndarray) -> Modes:
    n, p = X.shape
    centered = X - X.mean(0)
    values, axes = np.linalg.eigh(centered.T @ centered / (n - 1))
    kept = values > SMALL * values[-1]
    values = values[kept]
    raw = (axes[:, kept].T @ centered.T @ y / (n - 1)) ** 2 / values
    total = float(y.var())
    left = max(total - float(raw.sum()), 0.0) * n / max(n - len(values) - 1, 1)
    power = pooled(raw, np.full(len(values), left / n)) / total
    return Modes(LINEAR, p, values, power * min(1.0, (1 - CERTAIN) / max(float(power.sum()), 1e-300)), 0.5)


def pooled(found: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Squares less their noise, never negative: neighbors in the spectrum lend to each other until what they have together is positive."""
    result = np.zeros_like(found)
    start = 0
    for end in range(1, len(found) + 1):
        left = float((found[start:end] - noise[start:end]).sum())
        if left > 0:
            result[start:end] = found[start:end] * (left / float(found[start:end].sum()))
            start = end
    debt = float((found[start:] - noise[start:]).sum()) if start < len(found) else 0.0
    total = float(result.sum())
    return result * max(1 + debt / total, 0.0) if total > 0 else result


def law_of_labels(X: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> str:
    """Which law gives the scores of a linear rule and their labels the higher likelihood; the rule comes from the other half of the data.

    Both laws have four parameters: two means, a variance and a share, or a mean, a variance, a slope and a threshold.
    """
    clouds = teacher = 0.0
    one, two = halves(y, rng)
    for learn, test in ((one, two), (two, one)):
        plus = y[learn] > 0
        first, second = X[learn][plus].mean(0), X[learn][~plus].mean(0)
        inside = X[learn] - np.where(plus[:, None], first, second)
        covariance = inside.T @ inside / len(learn)
        covariance[np.diag_indices_from(covariance)] += 1e-3 * np.trace(covariance) / len(covariance)
        score = X[test] @ np.linalg.solve(covariance, first - second)
        score, sign = (score - score.mean()) / max(float(score.std()), 1e-300), y[test]
        clouds += _clouds(score, sign)
        teacher += _teacher(score, sign)
    return CLOUDS if clouds >= teacher else TEACHER


def _clouds(score: np.ndarray, sign: np.ndarray) -> float:
    plus = sign > 0
    centers = np.where(plus, score[plus].mean(), score[~plus].mean())
    spread = max(float(np.sqrt(np.mean((score - centers) ** 2))), 1e-9)
    return float(norm.logpdf(score, centers, spread).sum() + np.log(np.where(plus, plus.mean(), 1 - plus.mean())).sum())


def _teacher(score: np.ndarray, sign: np.ndarray) -> float:
    best = minimize(lambda ab: -norm.logcdf(sign * (ab[0] * score + ab[1])).mean(), np.array([1.0, 0.0]), method="Nelder-Mead")
    return float(norm.logpdf(score).sum() - best.fun * len(score))


def halves(y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two random halves with the same shares of the classes, or of the signs of real labels, as indices."""
    first, second = [], []
    for sign in (False, True):
        rows = rng.permutation(np.flatnonzero((y > 0) == sign))
        first.append(rows[: len(rows) // 2])
        second.append(rows[len(rows) // 2 :])
    return np.concatenate(first), np.concatenate(second)
