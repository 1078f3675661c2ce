"""What papers ask of algorithms: histories with errors in figures, and sentences where there is nothing to draw."""

import dataclasses

import numpy as np
import pytest

from replica.papers.ran import Classified, Course, Ran
from replica.papers.record import Claim, Dots, Figure, Origin
from simulate.reproduce import reproduce
from simulate.reproduce.claims import State
from tests.contracts.test_papers import toy

RAN = Ran("storage", "violated", "sbpi", 41, 3)


def drawn(what):
    (shown,) = reproduce(toy(figures={"one": Figure("one", "x", "y", (what,))}), "one").shown
    return shown, shown.drawn[0]


def test_histories_are_drawn_with_their_errors(tmp_path):
    shown, steps = drawn(Course("sbpi", RAN, points=4))
    assert shown.complete and 1 < len(steps.x) <= 4 and steps.x[0] == 0
    assert steps.error.shape == steps.y.shape and (steps.error > 0).any()
    kept = steps.data["violated"].values
    np.testing.assert_allclose(steps.y, kept.mean(axis=0))
    np.testing.assert_allclose(steps.error, kept.std(axis=0, ddof=1) / np.sqrt(3))
    _, along = drawn(Course("sbpi", RAN, "hidden_length"))
    assert along.x[0] == pytest.approx(1 / 11)  # hidden states of one among eleven
    shown.canvas().savefig(tmp_path / "one.png")


def test_means_over_runs_have_errors_and_computed_numbers_none():
    _, one = drawn(Dots("steps", ((0.5, dataclasses.replace(RAN, quantity="steps")),)))
    assert one.error.shape == (1,) and one.error[0] > 0
    _, alone = drawn(Dots("one run", ((0.5, dataclasses.replace(RAN, quantity="success")),)))
    assert alone.error is None and alone.y.tolist() == [1.0]  # all succeed: no scatter


def test_what_cannot_be_drawn_says_why():
    for course, sentence in (
        (Course("x", RAN, "time"), "'time' is not in the history of sbpi"),
        (Course("x", dataclasses.replace(RAN, quantity="nothing")), "'nothing' is not in the history of sbpi"),
        (Course("x", dataclasses.replace(RAN, algorithm="gradient_ascent")), "has no slope to follow|have values of their own"),
    ):
        shown, one = drawn(course)
        assert not shown.complete and any(part in one.reason for part in sentence.split("|"))


def test_networks_that_cannot_be_trained_are_not_computable():
    claim = Claim("letters", Classified("letters", "straight_through", (4,), 1, 2), 0.5, 5e-3, Origin.PAPER)
    outcome = reproduce(toy(claims=(claim,), figures={}))
    assert outcome.checked[0].state is State.NOT_COMPUTABLE and "no bundled table 'letters'" in outcome.checked[0].reason
