"""What follow promises: whole branches through folds, events to the last digits, ends that say why; on systems solved by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

from benchmarks.hand_kernels import HandModule, kernel
from numerics.continuation import follow
from numerics.lines import follow_event
from numerics.solve import solve
from numerics.status import Status
from replica.symbols import Control, Domain, OrderParameter, control_symbol
from replica.theory import Start, Stationary, Theory
from tests.contracts import toys

C, D = control_symbol("c"), control_symbol("d")


def fold_of_magnet(b: float, m_sign: int) -> float:
    """h where m = tanh(b m + h) turns: m^2 = 1 - 1/b."""
    m = m_sign * math.sqrt(1 - 1 / b)
    return math.atanh(m) - b * m


def toy(residual, values, starts, observables=(), more=()) -> HandModule:
    """One unknown x on the real line."""
    x = OrderParameter(sp.Symbol("x", real=True), "unknown", Domain())
    system = Stationary((x,), (x.symbol,), starts=tuple(Start(f"s{k}", {x.symbol: sp.Float(v)}) for k, v in enumerate(starts)))
    controls = (Control(C, 0.0), *more)
    theory = Theory("toy", "toy-follow", controls, system, {"x": x.symbol}, {}, sp.S.Zero, dict.fromkeys(observables, x.symbol))
    return HandModule(theory, (), residual, values, toys.nothing, toys.no_probe)


@kernel
def circle_residual(p, x, w, off, scr, out):
    out[0], out[1], out[2] = p[0] ** 2 + (p[1] - 1) ** 2 - 0.25, 2 * p[0], 2 * (p[1] - 1)
    return 3


@kernel
def plain_values(p, x, w, off, scr, out):
    out[0], out[1] = 0.0, p[0]
    return 2


@kernel
def pitchfork_residual(p, x, w, off, scr, out):
    out[0], out[1], out[2] = p[0] * (p[0] ** 2 - p[1]), 3 * p[0] ** 2 - p[1], -p[0]
    return 3


@kernel
def broken_residual(p, x, w, off, scr, out):
    out[0], out[1], out[2] = p[0] - 1 + p[1] / 2 + 0 * math.log(1.5 - p[1]), 1.0, 0.5
    return 3


@kernel
def line_residual(p, x, w, off, scr, out):
    out[0], out[1], out[2], out[3] = p[0] - p[1] - p[2], 1.0, -1.0, -1.0
    return 4


@kernel
def line_values(p, x, w, off, scr, out):
    out[0], out[1], out[2], out[3], out[4] = -p[0], p[0], 0.25 - p[0] ** 2, math.cos(p[0] + p[2]), math.exp(p[0]) - 2
    return 5


def zeros() -> HandModule:
    """x = c + d, with a replicon, an entropy and a complexity whose zeros are known."""
    return toy(line_residual, line_values, [0.0], ("replicon", "entropy", "complexity"), (Control(D, 0.0),))


def test_folds_of_the_magnet_are_the_closed_form():
    for b in (1.05, 1.3, 3.0):
        found = follow(toys.curie_weiss(), {"h": (-1.5, 1.5)}, {"b": b})
        folds = found.events("fold")
        assert len(found.branches) == 1 and len(folds) == 2
        expected = [fold_of_magnet(b, 1), fold_of_magnet(b, -1)]
        np.testing.assert_allclose([one.at["h"] for one in folds], expected, rtol=0, atol=1e-14, equal_nan=False)
        for one in folds:
            assert one.error < 1e-13 and abs(abs(one.solutions[0]["m"]) - math.sqrt(1 - 1 / b)) < 1e-7
        (crossing,) = found.events("transition")
        assert abs(crossing.at["h"]) < 1e-14 and [s.stable for s in crossing.solutions] == [True, True]


def test_events_do_not_depend_on_the_step():
    coarse, fine = (follow(toys.curie_weiss(), {"h": (-0.7, 0.9)}, {"b": 1.6}, points=points) for points in (13, 120))
    assert len(fine["b1"].points) > 3 * len(coarse["b1"].points)
    assert [s.kind for s in coarse.special] == [s.kind for s in fine.special] == ["fold", "transition", "fold"]
    for one, other in zip(coarse.special, fine.special, strict=True):
        assert one.at["h"] == pytest.approx(other.at["h"], abs=1e-14)


def test_forward_and_backward_find_the_same_branch_and_solve_agrees():
    up, down = (follow(toys.curie_weiss(), {"h": (-0.6, 0.55)}, {"b": 2.0}, starts=[start]) for start in ("up", "down"))
    assert len(up.branches) == len(down.branches) == 1
    for one, other in zip(up.grid, down.grid, strict=True):
        h = one[0].at["h"]
        everything = solve(toys.curie_weiss(), {"b": 2.0, "h": h})
        assert len(one) == len(other) == len(everything) == (3 if abs(h) < fold_of_magnet(2.0, -1) else 1)
        for a, b, c in zip(*(sorted(float(s["m"]) for s in row) for row in (one, other, everything)), strict=True):
            assert a == pytest.approx(b, abs=1e-12) and a == pytest.approx(c, abs=1e-12)


def test_stability_flips_exactly_at_folds():
    (branch,) = follow(toys.curie_weiss(), {"h": (-0.6, 0.6)}, {"b": 2.0}).branches
    flags = [one.stable for one in branch.points]
    folds = [k for k, flag in enumerate(flags) if flag is None]
    assert len(folds) == 2
    assert flags == [True] * folds[0] + [None] + [False] * (folds[1] - folds[0] - 1) + [None] + [True] * (len(flags) - folds[1] - 1)
    heights = [one.at["h"] for one in branch.points]
    for first, last in ((0, folds[0]), (folds[0], folds[1]), (folds[1], len(flags) - 1)):
        assert len(set(np.sign(np.diff(heights[first : last + 1])))) == 1


def test_every_point_of_a_branch_is_a_solution():
    (branch,) = follow(toys.curie_weiss(), {"h": (-0.6, 0.6)}, {"b": 2.0}).branches
    for one in branch.points:
        m = float(one["m"])
        assert abs(m - math.tanh(2 * m + one.at["h"])) < 1e-14 and one.status is Status.CONVERGED
    assert {one.at["h"] for one in (branch.points[0], branch.points[-1])} == {-0.6, 0.6}
    assert not branch.lost and all("end of the range" in sentence for sentence in branch.ends)


def test_a_branch_that_closes_is_followed_once():
    found = follow(toy(circle_residual, plain_values, [0.4, -0.4]), {"c": (0.0, 2.0)})
    (branch,) = found.branches
    assert all(sentence.startswith("closes") for sentence in branch.ends)
    assert [one.at["c"] for one in found.events("fold")] == pytest.approx([0.5, 1.5], abs=1e-14)
    assert any("no solution at c = 0" in note for note in found.notes)


def test_a_branch_that_runs_into_the_end_of_a_domain_says_where():
    found = follow(toys.shrink(), {"c": (0.5, 2.0)})
    inner = next(b for b in found.branches if not b.at_end)
    (outer,) = [b for b in found.branches if b.at_end]
    assert any("q ran to the end of the domain at c = 1" in sentence for sentence in inner.ends) and not inner.lost
    assert min(one.at["c"] for one in inner.points) == pytest.approx(1.0, abs=1e-12)
    assert outer.points[0].at["c"] == 0.5 and all(one.status is Status.AT_END for one in outer.points)
    assert any("leaves the end of the domain between" in sentence for sentence in outer.ends)


def test_a_lost_branch_says_where_and_keeps_its_last_good_point():
    (branch,) = follow(toy(broken_residual, plain_values, [1.0]), {"c": (0.0, 3.0)}).branches
    assert branch.lost and "lost at c = 1." in branch.ends[1] and "the last good point: an equation is not finite" in branch.ends[1]
    last = branch.points[-1]
    assert 1.49 < last.at["c"] <= 1.5 and float(last["x"]) == pytest.approx(1 - last.at["c"] / 2, abs=1e-14)


def test_a_pitchfork_is_said_and_not_switched_at():
    found = follow(toy(pitchfork_residual, plain_values, [0.0]), {"c": (-1.0, 0.9)})
    assert [one["x"] for one in found.branches[0].points] == pytest.approx([0.0] * len(found.branches[0].points), abs=1e-12)
    assert len(found.notes) == 1 and "another branch crosses b1 between" in found.notes[0]
    assert not found.special


def test_zeros_of_observables_are_located():
    found = follow(zeros(), {"c": (0.0, 2.0)})
    expected = {"replicon": 0.5, "entropy_zero": math.pi / 2, "complexity_zero": math.log(2)}
    assert {s.kind: s.at["c"] for s in found.special} == pytest.approx(expected, abs=1e-14)
    assert [s.kind for s in found.special] == ["replicon", "complexity_zero", "entropy_zero"]
    assert {one.stable for one in found["b1"].points if one.at["c"] > 0.5} == {False}  # where the replicon is negative


def test_a_fold_is_followed_through_the_cusp():
    module = toys.curie_weiss()
    fold = follow(module, {"h": (-0.6, 0.6)}, {"b": 2.0}).events("fold")[0]
    line = follow_event(module, fold, {"h": (-0.6, 0.6), "b": (0.5, 3.0)})
    assert len(line.points) > 20 and all("end of the range" in sentence for sentence in line.ends)
    sides = {1: 0, -1: 0}
    for point in line.points:
        gaps = {sign: abs(point["h"] - fold_of_magnet(point["b"], sign)) for sign in sides}
        sign = min(gaps, key=lambda s: gaps[s])
        sides[sign] += 1
        assert gaps[sign] < 1e-12
    assert min(sides.values()) > 5 and min(point["b"] for point in line.points) < 1.02


def test_a_transition_is_followed_to_its_critical_point():
    module = toys.curie_weiss()
    (crossing,) = follow(module, {"h": (-0.6, 0.6)}, {"b": 2.0}).events("transition")
    line = follow_event(module, crossing, {"h": (-0.6, 0.6), "b": (0.5, 3.0)})
    assert max(abs(point["h"]) for point in line.points) < 1e-12
    assert {"critical point" in end for end in line.ends} == {True, False}
    assert min(point["b"] for point in line.points) == pytest.approx(1.0, abs=1e-3)
    assert max(point["b"] for point in line.points) == pytest.approx(3.0, abs=1e-12)


def test_a_zero_is_followed_in_a_second_control():
    module = zeros()
    event = follow(module, {"c": (0.0, 2.0)}).events("entropy_zero")[0]
    line = follow_event(module, event, {"c": (0.0, 2.0), "d": (-0.2, 0.3)})
    assert sorted(point["d"] for point in (line.points[0], line.points[-1])) == pytest.approx([-0.2, 0.3], abs=1e-14)
    for point in line.points:
        assert point["c"] + 2 * point["d"] == pytest.approx(math.pi / 2, abs=1e-12)


@pytest.mark.parametrize(("along", "at", "message"), [
    ({}, {}, "one control, got none"), ({"h": (0, 1), "b": (1, 2)}, {}, "one control, got h, b"),
    ({"hh": (0, 1)}, {}, "'hh' is not a control of this theory"), ({"h": (1, 1)}, {}, "two different finite ends"),
    ({"h": (0, math.inf)}, {}, "two different finite ends"), ({"b": (-1, 1)}, {}, "b = -1 is outside its domain"),
    ({"h": (0, 1)}, {"h": 0.5}, "h is followed and cannot be fixed"),
])
def test_wrong_requests_are_one_line(along, at, message):
    with pytest.raises(ValueError, match=message) as refusal:
        follow(toys.curie_weiss(), along, at)
    assert "\n" not in str(refusal.value)


def test_an_event_outside_the_ranges_is_refused():
    module = toys.curie_weiss()
    fold = follow(module, {"h": (-0.6, 0.6)}, {"b": 2.0}).events("fold")[0]
    with pytest.raises(ValueError, match="the fold is not inside b = 2.5 to 3"):
        follow_event(module, fold, {"h": (-0.6, 0.6), "b": (2.5, 3.0)})


def test_branches_survive_the_disk(tmp_path):
    from numerics.store import load, save

    found = follow(toys.curie_weiss(), {"h": (-0.6, 0.6)}, {"b": 2.0})
    data = load(save(found.to_xarray(), tmp_path / "b.nc"))
    assert data.attrs["along"] == "h" and data.attrs["at_b"] == 2.0
    np.testing.assert_array_equal(data["m"].values[0], [float(s["m"]) for s in found["b1"].points])
    assert list(data["event_kind"].values) == [s.kind for s in found.special]
    np.testing.assert_array_equal(data["event_h"].values, [s.at["h"] for s in found.special])
