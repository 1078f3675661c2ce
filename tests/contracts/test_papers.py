"""Papers are sound declarations, and the runner tells apart what holds, what fails and what cannot be computed."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

import replica.papers
from replica.papers import papers
from replica.papers.ran import Classified, Course
from replica.papers.record import (
    At,
    Claim,
    Crossing,
    Curve,
    Difference,
    Dots,
    Event,
    Extreme,
    Figure,
    Origin,
    Paper,
    Ratio,
    Relation,
    Unchecked,
)
from replica.papers.routes import Measured, Moment, Passage, Plateau, Reading, Track
from replica.spec import Spec, grid, load
from simulate.cli import main
from simulate.reproduce import reproduce
from simulate.reproduce.claims import State

EIGHT = (
    "active_learning",
    "few_bits",
    "gasp",
    "local_entropy",
    "robust_ensemble",
    "star_shaped",
    "stochastic_synapses",
    "subdominant_dense_clusters",
)
PAPERS = papers()
ROOT = Path(__file__).parents[2]
TEXT = """
format = 1
name = "storage, binary perceptron"

[student]
protocol = { kind = "gibbs", beta = inf }
loss = "theta"
prior = "binary"

[controls]
alpha = { value = 0.5, domain = "(0, inf)" }
"""
REFUSED = TEXT.replace('"gibbs", beta = inf', '"amp", steps = 10, start = 0.001').replace('prior = "binary"\n', "")
CAPACITY = 0.8330785997395792337


def leaves(value):
    """The values that ask a spec for something."""
    match value:
        case Difference() | Ratio():
            return leaves(value.first) + leaves(value.second)
        case float() | int():
            return []
        case Moment() | Passage() | Plateau() | Track():
            return [value.route]
        case Reading() | Course():
            return [value.of]
        case Classified():
            return []
        case Extreme():
            return leaves(value.of)
    return [value]


def spec_of(paper, name) -> Spec:
    text = paper.specs[name]
    return Spec.from_toml(text) if "\n" in text else load(text)


def test_all_eight_are_found_and_each_is_a_file_of_its_name():
    assert set(EIGHT) <= set(PAPERS)
    folder = Path(replica.papers.__path__[0])
    for name in PAPERS:
        assert (folder / f"{name}.py").is_file()
        assert (ROOT / "notebooks" / f"{name}.py").is_file()


@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
def test_what_a_paper_asks_for_exists(paper):
    asked = [leaf for claim in paper.claims for leaf in leaves(claim.value)]
    for figure in paper.figures.values():
        for drawn in figure.drawn:
            asked += [leaf for _, value in drawn.values for leaf in leaves(value)] if isinstance(drawn, Dots) else leaves(drawn)
            if isinstance(drawn, Curve):
                assert all(math.isfinite(point) for point in grid(drawn.points))
            elif isinstance(drawn, Measured):
                assert all(time >= 0 for time in grid(drawn.times))
    asked += list(paper.trials)
    for one in asked:
        spec = spec_of(paper, one.spec)
        spec.at({**one.at, **getattr(one, "reach", {})})
        if isinstance(one, (Curve, Crossing, Event)):
            assert one.along in spec.controls


@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
def test_claims_are_sharp(paper):
    """A number comes with an origin and a tolerance that could fail; a bound has none; nothing is left without a reason."""
    for claim in paper.claims:
        assert math.isfinite(claim.expected)
        if claim.relation is Relation.EQUAL:
            assert 0 < claim.tolerance <= 5e-3
        else:
            assert claim.tolerance == 0
    assert paper.claims or paper.unchecked
    assert all(one.reason for one in paper.unchecked)


def toy(**changes) -> Paper:
    found = Paper(
        name="toy",
        title="Toy",
        authors="Nobody",
        year=2000,
        arxiv="0000.00000",
        story="A story.",
        specs={"storage": TEXT, "refused": REFUSED},
        figures={
            "entropy": Figure("entropy", "alpha", "entropy", (Curve("rs", "storage", "entropy", "alpha", "0.1:0.8:30"),)),
            "capacity": Figure("capacity", "margin", "alpha", (Dots("rs", ((0.0, Crossing("storage", "entropy", "alpha", (0.7, 0.9))),)),)),
        },
        claims=(
            Claim("capacity", Crossing("storage", "entropy", "alpha", (0.7, 0.9)), CAPACITY, 1e-10, Origin.INDEPENDENT),
            Claim(
                "the same, continued",
                Crossing("storage", "entropy", "alpha", (0.7, 0.9), reach={"alpha": 0.2}),
                CAPACITY,
                1e-10,
                Origin.INDEPENDENT,
            ),
            Claim(
                "entropy falls",
                Difference(At("storage", "entropy", {"alpha": 0.6}), At("storage", "entropy", {"alpha": 0.5}, {"alpha": 0.1})),
                0.0,
                0.0,
                Origin.IDENTITY,
                Relation.BELOW,
            ),
        ),
        unchecked=(Unchecked("something", "too hard"),),
    )
    return dataclasses.replace(found, **changes)


def test_a_paper_that_holds(tmp_path):
    outcome = reproduce(toy(), fast=True, folder=tmp_path)
    assert [one.state for one in outcome.checked] == [State.HOLDS] * 3, outcome
    assert outcome.agrees
    assert len(outcome.shown[0].drawn[0].x) == 9  # fast: few points, both ends
    written = {path.name for path in outcome.write(tmp_path)}
    assert written == {"entropy.png", "capacity.png", "equations_storage.tex", "report.md", "report.json"}
    assert (tmp_path / "entropy-1.nc").is_file()
    report = json.loads((tmp_path / "report.json").read_text())
    assert (
        report["agrees"]
        and report["claims"][0]["state"] == "holds"
        and report["unchecked"] == [{"claim": "something", "reason": "too hard"}]
    )
    assert "\\begin{document}" in (tmp_path / "equations_storage.tex").read_text()


@pytest.mark.parametrize(
    ("claim", "state", "says"),
    [
        (Claim("wrong", Crossing("storage", "entropy", "alpha", (0.7, 0.9)), 0.8331, 1e-10, Origin.PAPER), State.FAILS, ""),
        (Claim("refused", At("refused", "entropy"), 0.0, 1e-3, Origin.PAPER), State.NOT_COMPUTABLE, "refused: protocol 'amp'"),
        (Claim("unknown", At("storage", "no_such"), 0.0, 1e-3, Origin.PAPER), State.NOT_COMPUTABLE, "'no_such' is not a result"),
        (
            Claim("no crossing", Crossing("storage", "entropy", "alpha", (0.2, 0.4)), 0.3, 1e-3, Origin.PAPER),
            State.NOT_COMPUTABLE,
            "does not cross 0 between alpha = 0.2 and 0.4",
        ),
        (
            Claim("no extreme", Extreme(At("storage", "entropy"), "alpha", (0.2, 0.4)), 0.3, 1e-3, Origin.PAPER),
            State.NOT_COMPUTABLE,
            "the range ends first",
        ),
    ],
    ids=lambda part: part.sentence if isinstance(part, Claim) else None,
)
def test_a_claim_that_does_not_hold_says_why(claim, state, says):
    outcome = reproduce(toy(claims=(claim,), figures={}))
    (found,) = outcome.checked
    assert found.state is state and says in found.reason
    assert not outcome.agrees
    assert says in outcome.markdown()


def test_an_incomplete_curve_is_no_agreement():
    curve = Curve("none", "refused", "entropy", "alpha", "0.1:0.8:3")
    outcome = reproduce(toy(claims=(), figures={"entropy": Figure("entropy", "alpha", "entropy", (curve,))}))
    assert not outcome.agrees
    assert "## Missing in the figures" in outcome.markdown()


def refused(capsys, *words):
    assert main(list(words)) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and len(shown.err.splitlines()) == 1
    return shown.err


def test_wrong_names_are_one_line(capsys):
    assert "did you mean 'few_bits'?" in refused(capsys, "reproduce", "few_bit")
    assert "did you mean 'capacity'?" in refused(capsys, "reproduce", "few_bits", "--figure", "capacty")


def test_papers_are_listed(capsys):
    assert main(["list", "papers"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in EIGHT)
