"""`replica follow` as a user meets it: JSON of the interface, a file that can be drawn."""

from __future__ import annotations

import json

import pytest

from numerics.store import load
from simulate.cli.app import main
from simulate.plot import plot


def test_json_is_that_of_the_interface(capsys):
    assert main(["follow", "bayes_binary", "--along", "alpha=0.8:1.6", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert {"name", "fingerprint", "points", "special", "branches", "notes", "lines"} <= set(answer)
    for point in answer["points"]:
        entropies = [one["free_entropy"] for one in point["solutions"]]
        assert entropies == sorted(entropies, reverse=True)
        for one in point["solutions"]:
            numbers = {"free_entropy", "order_parameters", "conjugates", "observables", "residual", "quadrature_error"}
            assert set(one) == numbers | {"status", "stable", "branch"}
    special = {one["kind"]: one for one in answer["special"]}
    assert special["fold"]["at"]["alpha"] == pytest.approx(1.49263181823, abs=1e-10)
    assert special["transition"]["at"]["alpha"] == pytest.approx(1.24468398985, abs=1e-10)
    assert all(one["error"] < 1e-10 for one in answer["special"])


def test_a_phase_diagram_goes_to_a_file_and_to_a_figure(capsys, tmp_path):
    words = ["follow", "binary_storage", "--along", "alpha=0.5:1.1", "--and", "kappa=0:0.2", "-o", str(tmp_path / "b.nc")]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "entropy_zero" in shown and "line of the entropy_zero" in shown
    data = load(tmp_path / "b.nc")
    assert data.sizes["branch"] == 1 and "line_kappa" in data and "spec" in data.attrs
    assert main(["plot", str(tmp_path / "b.nc"), "-o", str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "b.png").stat().st_size > 10_000
    panels = plot(data, observables=["q"]).axes
    assert len(panels) == 2 and panels[1].get_xlabel() == "kappa" and panels[1].get_ylabel() == "alpha"
    styles = {line.get_linestyle() for line in panels[0].get_lines()}
    assert {"-", "--"} <= styles  # stable up to the replicon's zero, unstable beyond
