"""Means, extrapolation, z-scores and verdicts on synthetic runs of known law."""

import math

import numpy as np
import pytest

from simulate.finite_size import Verdict, average, compare, extrapolate, verdict, z_score
from simulate.runs import Failure, Row, Runs


def runs(rng, limit=1.0, slope=0.0, sizes=(100, 200, 400), seeds=16, noise=0.5, failures=()):
    rows = [Row(d, s, "m", limit + slope / d + noise / math.sqrt(d) * rng.standard_normal()) for d in sizes for s in range(seeds)]
    return Runs(None, {}, tuple(rows), tuple(failures))


def test_extrapolation_is_exact_on_a_line():
    means = tuple(average(np.array([2 + 30 / d - e, 2 + 30 / d + e]), d) for d, e in ((100, 0.1), (200, 0.05), (400, 0.02)))
    limit = extrapolate(means)
    assert limit.value == pytest.approx(2, abs=1e-12) and limit.slope == pytest.approx(30, abs=1e-9)
    assert limit.chi2 < 1e-15 and limit.p == pytest.approx(1)


@pytest.mark.parametrize("seeds", [5, 16])
def test_z_scores_are_normal_for_any_number_of_seeds(seeds):
    rng = np.random.default_rng(1)
    means = [average(rng.standard_normal(seeds), 100) for _ in range(1500)]
    z = np.array([z_score(m.value, m.stderr, m.freedom, 0.0) for m in means])
    for level, odds in ((1.0, 0.3173), (2.0, 0.0455)):
        assert abs(np.mean(np.abs(z) > level) - odds) < 5 * math.sqrt(odds / 1500)


def test_extrapolated_z_is_normal():
    rng = np.random.default_rng(2)
    z = np.array([compare(runs(rng, slope=20.0), "m", 1.0).z for _ in range(300)])
    assert abs(z.mean()) < 0.25 and abs(z.std() - 1) < 0.2


def test_verdicts():
    rng = np.random.default_rng(3)
    sound = runs(rng, slope=40.0)
    assert compare(sound, "m", 1.0).verdict is Verdict.AGREES
    assert compare(sound, "m", 1.3).verdict is Verdict.DISAGREES
    failed = [Failure(100, 100 + s, "not at the optimum") for s in range(40)]
    assert compare(runs(rng, failures=failed), "m", 1.0).verdict is Verdict.INCONCLUSIVE
    assert compare(runs(rng, seeds=3), "m", 1.0).verdict is Verdict.INCONCLUSIVE
    assert compare(sound, "m", math.nan).verdict is Verdict.INCONCLUSIVE
    assert verdict(()) is Verdict.INCONCLUSIVE
    assert verdict((compare(sound, "m", 1.0), compare(sound, "m", 1.3))) is Verdict.DISAGREES


def test_equal_numbers_without_noise_agree_and_others_do_not():
    same = Runs(None, {}, tuple(Row(100, s, "Q", 1.0) for s in range(8)))
    assert compare(same, "Q", 1.0).z == 0.0
    assert compare(same, "Q", 1.1).verdict is Verdict.DISAGREES
