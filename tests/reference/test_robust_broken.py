"""Real replicas around a center that is no solution, with one step of symmetry breaking: spherical weights, beyond the line of instability.

Against the free entropy typed in by hand, with the center's part from the determinant of the overlaps around it, on plain nodes; against
the theory of one learner, which one replica, and replicas that are hardly pulled together, must give; and against replica symmetry.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr, logsumexp

from numerics.solve import solve
from tests.properties.ensembles import RS, compiled, rsb, storage

ALPHA, KAPPA, OVERLAP, COPIES = 9.0, -1.0, 0.6, 2
HELD = 'ensemble = { kind = "robust", y = "copies", overlap = "S", constrained = false }'
PULLED = 'ensemble = { kind = "robust", y = "copies", coupling = "gamma", constrained = false }'
MARGIN = f'kappa = {{ value = {KAPPA}, domain = "(-inf, inf)" }}'
PARISI = 'x = { value = 0.5, domain = "(0, 1)" }'
SEVERAL = f'copies = {{ value = {COPIES}, domain = "[1, inf)" }}'


def module(student: str, ansatz: str, *controls: str):
    more = "\n".join((MARGIN, *controls, *([PARISI] if '"x"' in ansatz else [])))
    return compiled(storage(prior="spherical", margin='"kappa"', student=student, ansatz=ansatz, alpha=f"value = {ALPHA}", controls=more))


def held(ansatz: str):
    return module(HELD, ansatz, SEVERAL, f'S = {{ value = {OVERLAP}, domain = "(0, 1)" }}')


def pulled(ansatz: str):
    return module(PULLED, ansatz, SEVERAL, 'gamma = { value = 0.3, domain = "[0, inf)" }')


def entropy(q: np.ndarray, x: float, nodes: int = 100) -> float:
    """Free entropy of replicas at an overlap with a center; q: overlaps between groups, between centers of a group, around a center."""
    y, inside = COPIES, 1 - q[2]
    near = inside + y * (q[2] - q[1])
    wide = near + y * x * (q[1] - q[0])
    weights = (y - 1) * np.log(inside) + np.log(near) * (1 - 1 / x) + np.log(wide) / x + y * q[0] / wide
    center = np.log(1 - OVERLAP**2 * y / (inside + y * q[2]))
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    log_w = np.log(w / w.sum())
    fields = np.sqrt(q[0]) * z[:, None, None] + np.sqrt(q[1] - q[0]) * z[:, None] + np.sqrt(q[2] - q[1]) * z
    around = logsumexp(y * log_ndtr((fields - KAPPA) / np.sqrt(inside)) + log_w, axis=2)
    return float((weights + center) / 2 + ALPHA * np.exp(log_w) @ logsumexp(x * around + log_w, axis=1) / x)


def overlaps(found) -> np.ndarray:
    return np.array([float(found[f"q{k}[solution,solution]"]) for k in range(3)])


@pytest.mark.parametrize("parisi", [0.5, pytest.param("free", marks=pytest.mark.slow)])
def test_free_entropy_of_replicas_around_a_center_with_one_step(parisi):
    (found,) = solve(held(rsb(1) if parisi == "free" else rsb(1, '"x"')), all_solutions=False)
    assert found.converged, found.sentence
    x = float(found["x"]) if parisi == "free" else parisi
    q = overlaps(found)
    assert (np.diff(q) > 0.01).all()
    assert float(found.free_entropy) == pytest.approx(entropy(q, x), abs=1e-10)
    for way in np.eye(3):
        assert (entropy(q + 1e-5 * way, x) - entropy(q - 1e-5 * way, x)) / 2e-5 == pytest.approx(0, abs=1e-6)
    if parisi == "free":
        assert (entropy(q, x + 1e-4) - entropy(q, x - 1e-4)) / 2e-4 == pytest.approx(0, abs=1e-7)


@pytest.mark.slow
def test_one_replica_is_the_learner_alone():
    """Pulled, it leaves the center less room on the sphere: the largest of pull r + log(1 - r^2)/2, and nothing else changes."""
    (one,) = solve(pulled(rsb(1)), {"copies": 1}, all_solutions=False)
    (alone,) = solve(module("", rsb(1)), all_solutions=False)
    r = (np.sqrt(1 + 4 * 0.3**2) - 1) / (2 * 0.3)
    assert float(one.free_entropy) == pytest.approx(float(alone.free_entropy) + 0.3 * r + np.log(1 - r**2) / 2, abs=1e-10)
    assert float(one["q2[centre,solution]"]) == pytest.approx(r, abs=1e-10)
    for name, own in (("x", "x"), ("q0[solution,solution]", "q0"), ("q1[solution,solution]", "q1")):
        assert float(one[name]) == pytest.approx(float(alone[own]), abs=1e-7)


@pytest.mark.slow
def test_replicas_hardly_pulled_are_so_many_learners():
    """Phi -> y Phi of one learner, whose Parisi parameter counts one by one; at first as the square of the pull."""
    (alone,) = solve(module("", rsb(1)), all_solutions=False)
    found = [solve(pulled(rsb(1)), {"gamma": gamma}, all_solutions=False)[0] for gamma in (1e-3, 2e-3)]
    near, far = (float(one.free_entropy) for one in found)
    assert (4 * near - far) / 3 == pytest.approx(COPIES * float(alone.free_entropy), abs=2e-7)
    assert COPIES * float(found[0]["x"]) == pytest.approx(float(alone["x"]), abs=1e-3)
    assert float(found[0]["q0[solution,solution]"]) == pytest.approx(float(alone["q0"]), abs=1e-3)


@pytest.mark.slow
def test_parisi_parameter_of_one_gives_replica_symmetry():
    (broken,) = solve(held(rsb(1, '"x"')), {"x": 0.999999}, all_solutions=False)
    (symmetric,) = solve(held(RS), all_solutions=False)
    assert float(broken.free_entropy) == pytest.approx(float(symmetric.free_entropy), abs=1e-7)
    assert float(broken["q0[solution,solution]"]) == pytest.approx(float(symmetric["q0[solution,solution]"]), abs=1e-4)
