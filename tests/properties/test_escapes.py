"""Plateaus, and the statistics of leaving them."""

import math

import numpy as np
import pytest
from scipy.special import expit

from numerics.flow.landmarks import landmarks, passage, plateaus
from numerics.flow.trajectory import trajectory
from replica.spec import Spec
from simulate import escapes
from simulate.finite_size import Verdict
from simulate.report import validate
from tests.properties.flows import committee, flow_of

TIMES = np.geomspace(0.01, 1000, 400)


def curve(escape: float) -> np.ndarray:
    """Falls from 1 to a plateau at 0.2, which it leaves at a time for 0.01."""
    return 0.01 + 0.8 * np.exp(-TIMES) + 0.19 * expit(escape - TIMES)


def test_a_decay_begins_flat_and_is_no_plateau():
    assert plateaus(TIMES, np.exp(-TIMES / 100)) == ()
    (found,) = plateaus(TIMES, expit(100 - TIMES))  # on the saddle from the beginning
    assert found.begin == TIMES[0] and found.escape == pytest.approx(100, rel=1e-2)  # times are 3 % apart


def test_passage_is_straight_in_log_time():
    t = np.array([1.0, 10.0, 100.0])
    assert passage(t, 3 - np.log10(t), 1.5) == pytest.approx(10**1.5)
    assert passage(t, np.ones(3), 0.5) == np.inf and passage(t, np.ones(3), 2.0) == 1.0


def test_the_departure_is_found_half_way_down():
    left = escapes.departure(TIMES, {"loss": curve(100), "mse": curve(100)}, ("mse", "loss"))
    assert left.observable == "mse" and left.name == "escape[mse]"
    assert left.level == pytest.approx(0.105, abs=2e-3)
    assert left.time(TIMES, curve(100)) == pytest.approx(100, rel=1e-2)
    assert escapes.departure(TIMES, {"mse": 0.2 + np.exp(-TIMES)}, ("mse",)) is None


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, Verdict.AGREES), (30.0, Verdict.DISAGREES), (math.inf, Verdict.INCONCLUSIVE)])
def test_escape_times_are_compared_as_distributions(shift, verdict):
    rng = np.random.default_rng(0)
    left = escapes.Departure("mse", 0.1)
    times = {
        (d, seed): (100 + 5 * rng.standard_normal() + shift, 100 + 5 * rng.standard_normal()) for d in (100, 200) for seed in range(16)
    }
    found = escapes.compared(left, times, 1000.0)
    assert found.verdict is verdict and [mean.size for mean in found.means] == [100, 200]
    assert bool(found.reason) is (verdict is not Verdict.AGREES)
    assert escapes.compared(left, {key: (run, math.inf) for key, (run, _) in times.items()}, 1000.0) is None


def test_watched_times_are_whole_steps_apart():
    marks = np.array(escapes.watched([0.5, 1.0, 50.0], 100))
    assert {0.5, 1.0, 50.0} <= set(marks) and len(marks) > 20
    assert len(np.unique(np.round(marks * 100))) == len(marks)


def test_the_end_of_a_run_is_told():
    start = {"Q": np.eye(2)[None] * 0.9, "R": np.array([[[0.5, 0.1], [0.0, 0.4]]]), "T": np.eye(2)[None]}
    at = {"alpha": 2000.0, "eta": 0.2, "Delta": 0.01}
    marks = landmarks(flow_of(committee()), trajectory(flow_of(committee()), at, np.geomspace(0.1, 2000, 100), start=start))
    assert marks.rest is not None and marks.rest.stable and marks.distance < 1e-6


@pytest.mark.slow
def test_runs_leave_the_plateau_when_their_flows_do():
    report = validate(Spec.from_toml(committee() + '[run]\ntimes = "log:1:1500:8"\n'), {"alpha": 1500.0}, sizes=(200,), seeds=12)
    rows = {row.observable: row for row in report.comparisons}
    assert report.verdict is Verdict.AGREES, str(report)
    assert rows["escape[mse]"].stderr < 0.3 * rows["escape[mse]"].value
    assert "R[1,1]@1" in rows and "R[1,1]@1500" not in rows
