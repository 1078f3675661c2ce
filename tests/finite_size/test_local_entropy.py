"""Local entropy around a solution: the theory beside the enumeration of every solution, extrapolated in the size."""

import pytest

from replica.papers.local_entropy import FRANZ_PARISI
from replica.spec import Spec
from simulate.finite_size import Verdict
from simulate.report import validate


@pytest.mark.slow
def test_theory_and_enumeration_agree():
    report = validate(Spec.from_toml(FRANZ_PARISI), {"alpha": 0.5, "distance": 0.25}, (8, 12, 16), 64, algorithm="enumeration")
    assert report.prediction.converged
    rows = {row.observable: row for row in report.comparisons}
    assert rows["local_entropy"].verdict is Verdict.AGREES, rows["local_entropy"]
