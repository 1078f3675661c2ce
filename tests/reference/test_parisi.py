"""Two and three steps of replica symmetry breaking in the ground state of coupled spins, against Parisi's functional by hand."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import log_ndtr

from numerics.solve import solve
from tests.properties.ensembles import compiled, disorder, rsb

Z = np.arange(-9, 9.01, 1 / 12)
W = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) / 12
H, EDGE = np.linspace(-40, 40, 8001), 38.0  # local fields; beyond the edge phi rises like |h|


def ground(q: np.ndarray, x: np.ndarray) -> float:
    """Energy per spin of q(x) = q[i] on steps that begin at x, in units of 1/beta: Parisi's equation on a grid of local fields.

    Source: A. Crisanti & T. Rizzo, Phys. Rev. E 65 (2002) 046137, as T -> 0.
    """
    gap, y = q[-1] - q[-2], x[-1]
    sides = [s * y * H + log_ndtr((s * H + y * gap) / np.sqrt(gap)) for s in (1, -1)]
    phi = np.logaddexp(*sides) / y + y * gap / 2
    for step, low, high in zip(x[-2::-1], q[-3::-1], q[-2:0:-1], strict=True):
        there = H[:, None] + np.sqrt(high - low) * Z
        spline = CubicSpline(H, phi)
        value = np.where(np.abs(there) < EDGE, spline(np.clip(there, -EDGE, EDGE)), np.abs(there) - EDGE + spline(EDGE))
        top = value.max(axis=1)
        phi = top + np.log(np.exp(step * (value - top[:, None])) @ W) / step
    return float((x * np.diff(q**2)).sum() / 4 - CubicSpline(H, phi)(np.sqrt(q[0]) * Z) @ W)


@pytest.mark.parametrize(("steps", "energy"), [(2, -0.76360801), pytest.param(3, -0.76331348, marks=pytest.mark.slow)])
def test_ground_state_of_sk(steps, energy):
    found = solve(compiled(disorder(ansatz=rsb(steps))), all_solutions=False)[0]
    assert found.converged, found.sentence
    q = np.array([float(found[f"q{i}"]) for i in range(steps)] + [1.0])
    x = np.array([float(found[f"x{i}"]) for i in range(1, steps + 1)])
    assert (np.diff(q) > 0).all() and q[0] > 0 and (np.diff(x) > 0).all() and x[0] > 0
    assert float(found["energy"]) == pytest.approx(energy, abs=1e-8)
    assert ground(q, x) == pytest.approx(float(found["energy"]), abs=1e-9)
    for k in range(steps):
        up, down = (x + s * (np.arange(steps) == k) for s in (1e-3, -1e-3))
        assert (ground(q, up) - ground(q, down)) / 2e-3 == pytest.approx(0, abs=1e-7)
        up, down = (q + s * (np.arange(steps + 1) == k) for s in (1e-4, -1e-4))
        assert (ground(up, x) - ground(down, x)) / 2e-4 == pytest.approx(0, abs=1e-7)
