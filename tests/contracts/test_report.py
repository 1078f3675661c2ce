"""What a report says where there is nothing to compare, and a figure shows where nothing moves."""

import numpy as np
import xarray as xr

from numerics.compile import compile_theory
from numerics.continuation import follow
from numerics.solution import Solution
from numerics.status import Status
from replica.derive import derive
from replica.spec import load
from simulate.finite_size import Verdict
from simulate.plot import plot
from simulate.report import Report
from simulate.runs import Failure, Runs


def test_a_report_says_why_runs_failed_and_what_the_solution_is():
    runs = Runs(load("sk"), {"beta": 1.0}, (), (Failure(15, 0, "no two weight vectors of d = 15 have this overlap"),) * 2, "enumeration")
    report = Report(Solution({"beta": 1.0}, Status.AT_END, note="levels of the ansatz are one"), runs, (), Verdict.INCONCLUSIVE)
    text = str(report)
    assert "2 failed, the first: no two weight vectors" in text and "levels of the ansatz are one" in text
    assert "levels of the ansatz are one" in report.to_json()["status"]


def test_a_figure_leaves_out_what_never_changes():
    """Of its own accord: asked for, a norm that is imposed is drawn."""
    c = np.linspace(0, 1, 5)
    data = xr.Dataset({"q": ("c", c**2), "Q": ("c", np.ones(5)), "training_loss": ("c", np.zeros(5))}, coords={"c": c})
    assert [panel.get_ylabel() for panel in plot(data).axes] == ["q"]
    assert [panel.get_ylabel() for panel in plot(data, observables=["Q"]).axes] == ["Q"]
    assert len(plot(data[["Q"]]).axes) == 1


def test_what_a_notebook_shows_of_theories_and_branches_is_short():
    theory = derive(load("spiked_wigner"))
    module = compile_theory(theory)
    found = follow(module, {"snr": (1.5, 2.0)}, points=5)
    shown = [repr(thing) for thing in (theory, module, found, found.branches[0], derive(load("perceptron_online")))]
    assert all(len(text) < 400 for text in shown), shown
    assert "b1" in shown[2] and "snr = 1.5 is the end of the range" in shown[2] and "unknowns V q_hat" in shown[0]
