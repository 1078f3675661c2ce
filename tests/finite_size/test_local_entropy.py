"""Local entropy around a solution: the theory beside the enumeration of every solution, extrapolated in the size."""

import pytest

from replica.spec import Spec
from simulate.finite_size import Verdict
from simulate.report import validate

SPEC = """
format = 1
name = "local entropy of the binary perceptron"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = "binary"
loss = { kind = "theta", margin = "kappa" }
ensemble = { kind = "franz_parisi", overlap = "1 - 2*distance" }

[controls]
alpha    = { value = 0.5, domain = "(0, inf)" }
kappa    = { value = 0.0, domain = "(-inf, inf)" }
distance = { value = 0.25, domain = "[0, 0.5]" }
"""


@pytest.mark.slow
def test_theory_and_enumeration_agree():
    report = validate(Spec.from_toml(SPEC), {"alpha": 0.5, "distance": 0.25}, (8, 12, 16), 64, algorithm="enumeration")
    assert report.prediction.converged
    rows = {row.observable: row for row in report.comparisons}
    assert rows["local_entropy"].verdict is Verdict.AGREES, rows["local_entropy"]
