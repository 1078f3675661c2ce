"""What sweep promises: every branch, the same numbers as single solves, and nothing finished is ever lost."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from numerics.solve import solve
from numerics.store import StoreError
from numerics.sweep import serpentine, sweep
from tests.contracts import toys

FIELDS = np.linspace(-1.0, 1.0, 21)


def test_both_branches_are_kept_where_they_coexist():
    data = sweep(toys.curie_weiss(), {"h": FIELDS}, {"b": 2.0})
    # folds of m = tanh(2 m + h): m = -+ 1/sqrt 2, h = +-(sqrt 2 - atanh(1/sqrt 2)) = +-0.5328
    for h, m in zip(FIELDS, data["m"].values, strict=True):
        found = m[np.isfinite(m)]
        assert (found.max() > 0.7) == (h > -0.5328) and (found.min() < -0.7) == (h < 0.5328)
    assert set(np.unique(data["status"])) <= {"converged", ""}
    entropy = data["free_entropy"].values
    assert (np.diff(np.where(np.isnan(entropy), -np.inf, entropy)[:, :2], axis=1)[np.isfinite(entropy[:, 1])] <= 1e-12).all()


def test_a_grid_equals_single_solves():
    data = sweep(toys.curie_weiss(), {"b": [0.5, 0.8], "h": [0.1, 0.4, 0.9]})
    assert data["m"].dims == ("b", "h", "solution") and data.sizes["solution"] == 1
    for b in data["b"].values:
        for h in data["h"].values:
            (one,) = solve(toys.curie_weiss(), {"b": float(b), "h": float(h)})
            assert float(data["m"].sel(b=b, h=h).item()) == pytest.approx(one["m"], abs=1e-13)


def test_failure_is_data():
    data = sweep(toys.hopeless(toys.rootless_residual), {"c": [1.0, 2.0]})
    assert np.isnan(data["q"].values).all() and not (data["status"].values == "converged").any() and (data["status"].values != "").all()


def test_neighbours_differ_in_one_control():
    path = serpentine([np.arange(3.0), np.arange(4.0)])
    assert len(set(path)) == 12 and all(sum(a != b for a, b in zip(p, q, strict=True)) == 1 for p, q in zip(path, path[1:], strict=False))


@pytest.mark.parametrize(("over", "message"), [
    ({"h": []}, "sweep over h: no values given"), ({"b": [1.0, -2.0]}, r"control b = -2 is outside its domain \(0, inf\)"),
    ({"g": [1.0]}, "'g' is not a control of this theory"),
])
def test_bad_grids_are_named(over, message):
    with pytest.raises(ValueError, match=message):
        sweep(toys.curie_weiss(), over)


class _Stop(KeyboardInterrupt):
    pass


def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path):
    module, book, fields = toys.curie_weiss(), tmp_path / "sweep.journal", np.linspace(-1, 1, 150)

    def stop(done, total):
        raise _Stop

    with pytest.raises(_Stop):
        sweep(module, {"h": fields}, {"b": 0.9}, journal=book, progress=stop)
    seen: list[int] = []
    resumed = sweep(module, {"h": fields}, {"b": 0.9}, journal=book, progress=lambda done, total: seen.append(done))
    assert seen == [128, 150]  # the first batch of 64 came from the journal
    again = sweep(module, {"h": fields}, {"b": 0.9}, journal=book, progress=lambda done, total: seen.append(done))
    assert len(seen) == 2 and resumed.identical(again)
    np.testing.assert_allclose(resumed["m"], sweep(module, {"h": fields}, {"b": 0.9})["m"], atol=1e-12, equal_nan=False)


def test_a_damaged_or_foreign_journal_is_refused(tmp_path):
    module, book = toys.curie_weiss(), tmp_path / "sweep.journal"
    sweep(module, {"h": [0.1, 0.2]}, journal=book)
    with pytest.raises(StoreError, match="journal of another theory"):
        sweep(toys.shrink(), {"c": [2.0]}, journal=book)
    database = sqlite3.connect(book)
    database.execute("UPDATE points SET row = replace(row, '9', '8')")
    database.commit()
    database.close()
    with pytest.raises(StoreError, match="a row of the journal is damaged"):
        sweep(module, {"h": [0.1, 0.2]}, journal=book)
    (tmp_path / "text").write_text("not a database, but long enough to be mistaken for the header of one" * 40)
    with pytest.raises(StoreError, match="journal cannot be used"):
        sweep(module, {"h": [0.1]}, journal=tmp_path / "text")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE birds (name TEXT)")
    other.close()
    with pytest.raises(StoreError, match="not a journal of this program"):
        sweep(module, {"h": [0.1]}, journal=tmp_path / "other.db")
