"""Numbers that papers read off trajectories: those of a linear student in closed form, and refusals in one line."""

import math

import numpy as np
import pytest

from replica.papers.record import Claim, Difference, Dots, Extreme, Figure, Origin, Paper, Ratio, Trial
from replica.papers.routes import Measured, Moment, Passage, Plateau, Rest, Route, Track
from simulate.finite_size import Verdict
from simulate.reproduce import reproduce
from simulate.reproduce.theories import NotComputable, Theories
from simulate.reproduce.values import number
from tests.properties.flows import committee

# y = nu + noise, z = lambda: R = 1 - 0.8 exp(-eta t), error e = Q - 2 R + 1 decays at 2 eta - eta^2 to eta^2 Delta/(2 eta - eta^2)
ETA, NOISE = 0.5, 0.3
AT = {"K": 1.0, "eta": ETA, "Delta": NOISE, "alpha": 10.0}
START = {"Q": (((1.3,),),), "R": (((0.2,),),), "T": (((1.0,),),)}
ROUTE = Route("linear", "0:10:21", AT, START)
SPECS = {
    "linear": committee("linear", "linear", m=1),
    "wild": committee("quadratic", "quadratic", m=1),
    "still": committee("linear", "linear", m=1).replace('{ kind = "online_sgd", rate = "eta", batch = "b" }', '"erm"'),
}


def paper(**changes) -> Paper:
    fields = {
        "name": "toy", "title": "Toy", "authors": "Nobody", "year": 2000, "arxiv": "", "story": "A story.", "specs": SPECS, "figures": {},
        "claims": (), "journal": "A Journal 1, 1",
    }  # fmt: skip
    return Paper(**(fields | changes))


def found(value) -> float:
    return number(Theories(paper()), value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Moment(ROUTE, "R[1,1]", 2.0), 1 - 0.8 * math.exp(-ETA * 2)),
        (Moment(ROUTE, "R[1,teacher]"), 1 - 0.8 * math.exp(-ETA * 10)),
        (Passage(ROUTE, "R[1,1]", 0.9, 1e-9), math.log(8) / ETA),
        (Rest("linear", "Q[1,1]", START, AT), 1 + ETA * NOISE / (2 - ETA)),
        (Rest("linear", "mse", START, AT), NOISE + ETA * NOISE / (2 - ETA)),
        (Rest("linear", "growth", START, AT), -ETA),
        (Ratio(1.0, Moment(ROUTE, "R[1,1]", 0.0)), 5.0),
        (Ratio(Difference(Moment(ROUTE, "R[1,1]", 0.0), Moment(ROUTE, "Q[1,1]", 0.0)), 2), -0.55),
    ],
)
def test_numbers_of_a_linear_student(value, expected):
    assert found(value) == pytest.approx(expected, abs=1e-7)


def test_the_best_learning_rate():
    # without noise and from w = 0 the error is exp(-(2 eta - eta^2) t): least at eta = 1, where it vanishes faster than any power
    start = {"Q": (((0.0,),),), "R": (((0.0,),),), "T": (((1.0,),),)}
    route = Route("linear", (1.0,), AT | {"Delta": 0.0, "alpha": 1.0}, start)
    assert found(Extreme(Moment(route, "mse"), "eta", (0.5, 1.5))) == pytest.approx(math.exp(-1), abs=1e-9)


def test_drawn_starts_are_averaged():
    many = Route("linear", (0.0,), AT, size=50, seeds=(0, 1, 2))
    each = [Route("linear", (0.0,), AT, size=50, seeds=(seed,)) for seed in many.seeds]
    assert found(Moment(many, "R[1,1]")) == pytest.approx(np.mean([found(Moment(one, "R[1,1]")) for one in each]), abs=1e-15)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (Moment(ROUTE, "S[1,1]"), "'S[1,1]' is not a result of this flow"),
        (Moment(ROUTE, "R[1,2]"), "no direction '2' (has: teacher)"),
        (Moment(ROUTE, "R[1]"), "R has the axes unit direction"),
        (Moment(ROUTE, "R[1,1]", 0.3), "alpha = 0.3 is not among the times of this route; the nearest is 0.5"),
        (Passage(ROUTE, "R[1,1]", 2.0), "does not cross 2 between alpha = 0 and 10"),
        (Plateau(ROUTE, "mse", "escape", 7), "plateaus between alpha = 0 and 10"),
        (Moment(Route("linear", (20.0,), AT), "mse"), "times must increase between 0 and 10"),
        (Moment(Route("wild", (10.0,), AT | {"eta": 2.0}, size=50), "mse"), "broke off at alpha = "),
        (Moment(Route("still", (10.0,)), "mse"), "refused: "),
    ],
)
def test_what_has_no_number_says_why(value, sentence):
    with pytest.raises(NotComputable, match=".") as caught:
        found(value)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_figures_in_time(tmp_path):
    dots = Dots("joined", ((1.0, Moment(ROUTE, "R[1,1]", 1.0)), (2.0, Moment(ROUTE, "R[1,1]", 2.0))), joined=True)
    figure = Figure("learning", "alpha", "R", (Track("flow", ROUTE, "R[1,1]"), Track("none", ROUTE, "R[9,9]"), dots), log="xy")
    claim = Claim("overlap", Moment(ROUTE, "R[1,1]", 2.0), 1 - 0.8 * math.exp(-ETA * 2), 1e-9, Origin.IDENTITY)
    outcome = reproduce(paper(figures={"r": figure}, claims=(claim,)), fast=True, folder=tmp_path)
    flow, none, joined = outcome.shown[0].drawn
    np.testing.assert_allclose(flow.y, 1 - 0.8 * np.exp(-ETA * flow.x), rtol=0, atol=1e-9)
    np.testing.assert_allclose(joined.y, flow.y[[2, 4]], rtol=0, atol=1e-9)
    assert "no unit '9'" in none.reason and not outcome.agrees
    assert outcome.checked[0].state.value == "holds"
    assert {"r.png", "report.md", "equations_linear.tex"} <= {path.name for path in outcome.write(tmp_path)}
    assert (tmp_path / "r-1.nc").is_file()
    assert outcome.paper.citation == "Nobody, Toy (2000), A Journal 1, 1"


@pytest.mark.slow
def test_runs_in_figures_and_trials(tmp_path):
    runs = Measured("runs", "linear", "R[1,1]", "1:4:4", AT, size=100, seeds=12, fast_seeds=6)
    none = Measured("none", "linear", "R[9,9]", "1:4:4", AT, size=100, seeds=2)
    trial = Trial("linear", {**AT, "alpha": 2.0}, (50, 100), 8, observables=("R[1,1]@2",))
    outcome = reproduce(paper(figures={"r": Figure("runs", "alpha", "R", (runs, none))}, trials=(trial,)), fast=True, folder=tmp_path)
    shown, missing = outcome.shown[0].drawn
    assert shown.data.sizes["seed"] == 6 and list(shown.x) == [1, 2, 3, 4] and (tmp_path / "r-1.nc").is_file()
    assert np.all(np.abs(shown.y - (1 - np.exp(-ETA * shown.x))) < 6 * shown.error)  # random starts have mean 0
    assert "'R[9,9]' is not measured" in missing.reason
    assert outcome.tried[0].verdict is Verdict.AGREES, outcome
