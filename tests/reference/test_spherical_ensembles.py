"""Ensembles of spherical weights: around references with one step of symmetry breaking, and around a center that is constrained itself.

Numbers of the first come from a script of a hundred lines that shares no code with the project: the functional of Franz and Parisi, Phys.
Rev. Lett. 79 (1997) 2486, with the entropy of a probe from the inverse of the overlap matrix of references, on 50 x 60 x 56 x 36 nodes,
and SciPy's root.  The functional of the second is typed in here.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr, logsumexp

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import derive
from tests.properties.ensembles import RS, rsb, storage

PROBE = 'ensemble = { kind = "franz_parisi", overlap = "S" }'
CENTER = 'ensemble = { kind = "robust", y = "copies", overlap = 0.5, constrained = true }'
OVERLAP = 'S = { value = 0.8, domain = "(0, 1)" }'
STEP = 'x = { value = 0.5, domain = "(0, 1)" }'
AROUND_BROKEN = {  # kappa = -1, alpha = 9, S = 0.8, x = 0.5
    "q0[reference,reference]": 0.71271988,
    "q1[reference,reference]": 0.85772638,
    "q0[reference,probe]": 0.70306675,
    "q1[reference,probe]": 0.80586983,
    "q2[probe,probe]": 0.8312018,
    "local_entropy": -1.9637368436,
}


def probed(ansatz: str, controls: str):
    return compile_theory(
        derive(storage(prior="spherical", margin="-1", student=PROBE, ansatz=ansatz, alpha="value = 9", controls=controls))
    )


@pytest.mark.slow
def test_local_entropy_around_spherical_references_with_two_levels():
    module = probed(rsb(1, '"x"'), f"{OVERLAP}\n{STEP}")
    (found,) = solve(module, all_solutions=False)
    assert found.converged, found.sentence
    np.testing.assert_allclose([float(found[name]) for name in AROUND_BROKEN], list(AROUND_BROKEN.values()), atol=2e-8, equal_nan=False)
    symmetric = probed(RS, OVERLAP)
    for at, bound in (({"x": 0.999999}, 1e-8), ({"alpha": 0.5}, 1e-9)):  # x -> 1, and levels that are one
        (broken,), (one,) = (
            solve(module, at, all_solutions=False),
            solve(symmetric, {k: v for k, v in at.items() if k != "x"}, all_solutions=False),
        )
        assert broken["local_entropy"] == pytest.approx(one["local_entropy"], abs=bound)


def volume(q: tuple[float, ...], copies: int, alpha: float, overlap: float, nodes: int) -> float:
    """Free entropy of centers with `copies` solutions each, all right on every sample; q: of centers, of solutions in and across groups,
    of centers and solutions across groups."""
    center, inside, across, mixed = q
    common = np.array([[center, mixed], [mixed, across]])
    own = np.array([[1, overlap], [overlap, (1 - inside) / copies + inside]]) - common
    entropic = (copies - 1) * np.log(1 - inside) + np.log(copies) + np.linalg.slogdet(own)[1] + np.trace(np.linalg.solve(own, common))
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    w = w / w.sum()
    at_center = (np.sqrt(center) * z)[:, None]
    at_solution = mixed / np.sqrt(center) * z[:, None] + np.sqrt(max(across - mixed**2 / center, 0)) * z
    spread = np.sqrt(1 - center)
    slope = (overlap - mixed) / spread
    least = -at_center / spread
    length = np.maximum(9, least + 6) - least
    u, m = np.polynomial.legendre.leggauss(60)
    t = least[..., None] + length[..., None] * (u + 1) / 2
    logs = np.log(m / 2) + np.log(length)[..., None] - t**2 / 2 - np.log(2 * np.pi) / 2
    field = at_solution[:, :, None, None] + slope * t[..., None] + np.sqrt(inside - across - slope**2) * z
    each = logsumexp(copies * log_ndtr(field / np.sqrt(1 - inside)) + np.log(w), axis=-1)
    return float(entropic / 2 + alpha * w @ (logsumexp(each + logs, axis=-1) @ w))


@pytest.mark.slow
def test_solutions_around_a_spherical_center_that_is_one():
    spec = storage(prior="spherical", student=CENTER, controls='copies = { value = 2, domain = "[1, inf)" }')
    (found,) = solve(compile_theory(derive(spec)), all_solutions=False)
    assert found.converged, found.sentence
    names = ("q[centre,centre]", "q1[solution,solution]", "q0[solution,solution]", "q0[centre,solution]")
    q = np.array([float(found[name]) for name in names])
    assert float(found.free_entropy) == pytest.approx(volume(tuple(q), 2, 0.4, 0.5, 30), abs=1e-12)
    for way in (
        np.array([0, 1, 0, 0]),
        q * np.array([1, 0, 1, 1]),
        q * np.array([2, 0, 0, 1]),
    ):  # ways on which the overlaps across are possible
        slope = (volume(tuple(q + 1e-4 * way), 2, 0.4, 0.5, 24) - volume(tuple(q - 1e-4 * way), 2, 0.4, 0.5, 24)) / 2e-4
        assert abs(slope) < 1e-7
