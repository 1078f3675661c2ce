"""Probes around a solution of a learnable rule, beside the count of students at an overlap with the teacher."""

import numpy as np
import pytest
from scipy.optimize import root
from scipy.special import log_ndtr, ndtr

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import derive
from replica.spec import Spec

TEXT = """
format = 1
name = "local entropy around a typical solution of a learnable rule"

[teacher]
prior = "{prior}"
channel = "sign"

[student]
protocol = {{ kind = "gibbs", beta = inf }}
prior = "{prior}"
loss = "theta"
ensemble = {{ kind = "franz_parisi", overlap = 0.6 }}

[controls]
alpha = {{ value = 0.5, domain = "(0, inf)" }}
"""


def textbook(overlap, alpha):
    """(log number of binary students at an overlap with the teacher, mutual overlap of two of them), replica symmetric.

    A typical solution of a rule is like the teacher, since both are drawn from the same posterior.
    """
    z = np.arange(-12, 12.001, 0.01)
    weight = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * 0.01

    def entropy(q, q_hat, m_hat):
        field = np.sqrt(q_hat) * z + m_hat
        labels = ndtr(overlap * z / np.sqrt(q - overlap**2)) * log_ndtr(np.sqrt(q / (1 - q)) * z)
        return -overlap * m_hat - q_hat * (1 - q) / 2 + weight @ np.logaddexp(field, -field) + 2 * alpha * weight @ labels

    def gradient(x, step=1e-5):
        moves = step * np.eye(3)
        return [(entropy(*(x + move)) - entropy(*(x - move))) / (2 * step) for move in moves]

    found = root(gradient, [0.46, 0.3, 0.85], tol=1e-12)
    return entropy(*found.x), found.x[0]


@pytest.mark.slow
@pytest.mark.parametrize("prior", ["binary", "spherical"])
def test_a_typical_solution_stands_for_the_teacher(prior):
    found = solve(compile_theory(derive(Spec.from_toml(TEXT.format(prior=prior)))), {})[0]
    assert found.status.ok
    assert found["m[reference]"] == pytest.approx(found["q[reference,reference]"], abs=1e-10)
    assert found["m[probe]"] == pytest.approx(found["q0[reference,probe]"], abs=1e-10)  # no law of the engine says so
    if prior == "binary":
        entropy, mutual = textbook(0.6, 0.5)
        assert found["local_entropy"] == pytest.approx(entropy, abs=1e-9)
        assert found["q1[probe,probe]"] == pytest.approx(mutual, abs=1e-7)  # of a gradient by differences
