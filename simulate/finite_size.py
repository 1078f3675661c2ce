"""From finite systems to infinite ones: means, standard errors, extrapolation in 1/d, z-scores and a verdict.

z-scores are normal quantiles of Student's t: with 16 seeds a t of 4 is a z of 3.2, so that |z| < 4 means the same for any number of seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from scipy import stats

from simulate.runs import Runs

LIMIT = 4.0
"""A larger |z| is a disagreement."""
_POOR_FIT = 1e-3  # a fit with a smaller chi-square probability says nothing about the limit
_FEW_SEEDS = 4
_MANY_FAILURES = 0.2


class Verdict(Enum):
    """Whether theory and simulation agree."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Mean:
    """Mean over seeds at one size, its standard error, and the degrees of freedom of that error."""

    size: int
    value: float
    stderr: float
    freedom: float
    seeds: int


@dataclass(frozen=True)
class Limit:
    """value + slope/d^power fitted to the means.

    Args:
        value, stderr: intercept, at 1/d = 0.
        chi2, p: misfit and its probability; p = 1 where two sizes leave nothing to misfit.
        freedom: of the standard error, by Welch and Satterthwaite.
    """

    value: float
    stderr: float
    slope: float
    chi2: float
    p: float
    freedom: float


@dataclass(frozen=True)
class Comparison:
    """One observable: theory beside the largest size and the extrapolation.

    Args:
        z: of the extrapolation where there is one that fits, else of the largest size.
        z_largest: of the largest size.
    """

    observable: str
    theory: float
    means: tuple[Mean, ...]
    limit: Limit | None
    value: float
    stderr: float
    z: float
    z_largest: float
    verdict: Verdict
    reason: str = field(default="")


def average(values: np.ndarray, size: int) -> Mean:
    """Mean and standard error of independent runs at one size."""
    n = len(values)
    if n < 2:
        return Mean(size, float(values[0]) if n else math.nan, math.inf, 0.0, n)
    return Mean(size, float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(n)), n - 1.0, n)


def extrapolate(means: tuple[Mean, ...], power: float = 1.0) -> Limit | None:
    """Weighted straight line in 1/d^power; None with fewer than two sizes or a mean without error bar."""
    usable = [m for m in means if 0 < m.stderr < math.inf]
    if len(usable) < 2 or len(usable) < len(means):
        return None
    x = np.array([float(m.size) ** -power for m in usable])
    y = np.array([m.value for m in usable])
    e = np.array([m.stderr for m in usable])
    design = np.stack([np.ones_like(x), x], axis=1) / e[:, None]
    covariance = np.linalg.inv(design.T @ design)
    estimator = covariance @ (design / e[:, None]).T
    a, b = estimator @ y
    chi2 = float(np.sum(((y - a - b * x) / e) ** 2))
    rest = len(usable) - 2
    parts = (estimator[0] * e) ** 2
    freedom = float(parts.sum() ** 2 / np.sum(parts**2 / np.array([m.freedom for m in usable])))
    return Limit(float(a), float(math.sqrt(covariance[0, 0])), float(b), chi2, float(stats.chi2.sf(chi2, rest)) if rest else 1.0, freedom)


def z_score(value: float, stderr: float, freedom: float, theory: float) -> float:
    """Normal quantile of Student's t of value - theory; keeps its sign and grows without bound."""
    if not (math.isfinite(value) and math.isfinite(theory)) or not stderr < math.inf or freedom <= 0:
        return math.nan
    difference = value - theory
    if stderr <= 1e-9 * (abs(theory) + abs(value)):
        return 0.0 if abs(difference) <= 1e-8 * (abs(theory) + abs(value)) + 1e-12 else math.copysign(math.inf, difference)
    t = difference / stderr
    tail = stats.t.logsf(abs(t), freedom)
    if tail < -700:
        return math.copysign(math.sqrt(-2 * tail), t)
    return math.copysign(float(stats.norm.isf(math.exp(tail))), t)


def compare(runs: Runs, observable: str, theory: float) -> Comparison:
    """One observable of the runs against its value in the infinite system."""
    means = tuple(average(runs.values(observable, d), d) for d in runs.sizes if len(runs.values(observable, d)))
    last = means[-1]
    z_largest = z_score(last.value, last.stderr, last.freedom, theory)
    limit = extrapolate(means, runs.power)
    fits = limit is not None and limit.p > _POOR_FIT
    if limit is not None and fits:
        value, stderr, z = limit.value, limit.stderr, z_score(limit.value, limit.stderr, limit.freedom, theory)
    else:
        value, stderr, z = last.value, last.stderr, z_largest
    verdict, reason = _judge(runs, means, z, z_largest, limit if not fits else None)
    return Comparison(observable, theory, means, limit, value, stderr, z, z_largest, verdict, reason)


def _judge(runs: Runs, means: tuple[Mean, ...], z: float, z_largest: float, misfit: Limit | None) -> tuple[Verdict, str]:
    lost = {(one.size, one.seed) for one in runs.failures}
    failed, made = len(lost), len({(row.size, row.seed) for row in runs.rows} - lost)
    if failed > _MANY_FAILURES * (failed + made):
        return Verdict.INCONCLUSIVE, f"{failed} of {failed + made} runs failed: {runs.failures[0].sentence}"
    if min(m.seeds for m in means) < _FEW_SEEDS:
        return Verdict.INCONCLUSIVE, f"fewer than {_FEW_SEEDS} seeds at a size"
    if math.isnan(z) or math.isnan(z_largest):
        return Verdict.INCONCLUSIVE, "a value is not finite"
    if abs(z) < LIMIT:
        return Verdict.AGREES, ""
    if misfit is not None:
        scale = "1/d" if runs.power == 1 else f"1/d^{runs.power:.2g}"
        return Verdict.DISAGREES, f"z = {z:.1f} at d = {means[-1].size}; the sizes do not lie on a line in {scale} (p = {misfit.p:.1e})"
    return Verdict.DISAGREES, f"z = {z:.1f}"


def compare_all(runs: Runs, theory: Mapping[str, float]) -> tuple[Comparison, ...]:
    """Every observable that both sides have."""
    return tuple(compare(runs, name, float(theory[name])) for name in runs.observables if name in theory)


def verdict(comparisons: tuple[Comparison, ...]) -> Verdict:
    """Disagrees if any observable does; agrees if all do; inconclusive otherwise, and where there was nothing to compare."""
    found = {c.verdict for c in comparisons}
    if Verdict.DISAGREES in found:
        return Verdict.DISAGREES
    return Verdict.AGREES if found == {Verdict.AGREES} else Verdict.INCONCLUSIVE
