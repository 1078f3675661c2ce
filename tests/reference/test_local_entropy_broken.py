"""The local entropy of binary weights around 1RSB references, against its functional typed in by hand and integrated on plain nodes.

The functional is that of Franz and Parisi, Phys. Rev. Lett. 79 (1997) 2486, written for a reference with one step of replica symmetry
breaking and theta losses; its slopes are taken by differences.  Beyond the capacity of negative margins, where two levels differ.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr

from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.status import Status
from replica.derive import derive
from replica.spec import Spec

ALPHA, KAPPA, DISTANCE, X = 5.5, -1.0, 0.1, 0.2
SPEC = f"""
format = 1
name = "local entropy at 1RSB"
[student]
protocol = {{ kind = "gibbs", beta = inf }}
prior    = "binary"
loss     = {{ kind = "theta", margin = {KAPPA} }}
ensemble = {{ kind = "franz_parisi", overlap = "1 - 2*distance" }}
[ansatz]
kind = "rsb"
k    = 1
x    = "x"
[controls]
alpha    = {{ value = {ALPHA}, domain = "(0, inf)" }}
distance = {{ value = {DISTANCE}, domain = "(0, 1)" }}
x        = {{ value = {X}, domain = "(0, 1)" }}
"""


def normal(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    return x, w / w.sum()


def tilted(values: np.ndarray, logs: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Average of `values` over the last axis with weights w exp(logs)."""
    weight = w * np.exp(logs - logs.max(axis=-1, keepdims=True))
    return (weight * values).sum(axis=-1) / weight.sum(axis=-1)


def energetic(q: tuple[float, float], p: tuple[float, float, float], inside: float, nodes: int) -> float:
    """E log of the part of a probe's fields above the margin; q, p: overlaps of references, and of probe and reference, level by level."""
    z, w = normal(nodes)
    z0, z1 = z[:, None], z[None, :]
    rest = inside - p[0] ** 2 / q[0] - (p[1] - p[0]) ** 2 / (q[1] - q[0]) - (p[2] - p[1]) ** 2 / (1 - q[1])
    least = (KAPPA - np.sqrt(q[0]) * z0 - np.sqrt(q[1] - q[0]) * z1) / np.sqrt(1 - q[1])
    u, v = np.polynomial.legendre.leggauss(3 * nodes)
    begin, end = np.maximum(least, -9.0)[..., None], np.maximum(least + 3, 9.0)[..., None]
    t = begin + (end - begin) * (u + 1) / 2
    outer = p[0] / np.sqrt(q[0]) * z0 + (p[1] - p[0]) / np.sqrt(q[1] - q[0]) * z1
    mean = outer[..., None] + (p[2] - p[1]) / np.sqrt(1 - q[1]) * t
    value = sum(g * log_ndtr((mean + np.sqrt(rest) * y - KAPPA) / np.sqrt(1 - inside)) for y, g in zip(z, w, strict=True))
    own = tilted(value, -(t**2) / 2 + np.log(end - begin), v)
    return float(w @ tilted(own, X * log_ndtr(-least), w))


def entropic(q: tuple[float, float], p: tuple[float, float, float], inside: float, nodes: int) -> float:
    """E log 2 cosh of a probe's field, from the conjugates."""
    z, w = normal(nodes)
    z0, z1 = z[:, None], z[None, :]
    field = np.sqrt(q[0]) * z0 + np.sqrt(q[1] - q[0]) * z1
    rest = inside - p[0] ** 2 / q[0] - (p[1] - p[0]) ** 2 / (q[1] - q[0])
    mean = p[0] / np.sqrt(q[0]) * z0 + (p[1] - p[0]) / np.sqrt(q[1] - q[0]) * z1
    value = 0.0
    for sign in (1, -1):
        odds = 1 / (1 + np.exp(-2 * sign * field))
        for y, g in zip(z, w, strict=True):
            total = mean + np.sqrt(rest) * y + sign * (p[2] - p[1])
            value = value + g * odds * np.logaddexp(total, -total)
    return float(w @ tilted(value, X * np.logaddexp(field, -field), w))


def potential(v: np.ndarray, q: tuple[float, float], q_hat: tuple[float, float], nodes: int = 64) -> float:
    """The local entropy for v = (p0, p1, inside) and their conjugates, the last of which belongs to the imposed overlap."""
    p0, p1, inside, p0_hat, p1_hat, inside_hat, p2_hat = v
    p2 = 1 - 2 * DISTANCE
    trace = -p2 * p2_hat + (1 - X) * p1 * p1_hat + X * p0 * p0_hat - inside_hat * (1 - inside) / 2
    return (
        trace + entropic(q_hat, (p0_hat, p1_hat, p2_hat), inside_hat, nodes) + ALPHA * energetic(q, (p0, p1, p2), inside, nodes)
    )


@pytest.mark.slow
def test_local_entropy_around_references_with_two_levels():
    (found,) = solve(compile_theory(derive(Spec.from_toml(SPEC))), all_solutions=False)
    assert found.status is Status.CONVERGED
    o, c = found.order_parameters, found.conjugates
    assert o["q1[reference,reference]"] - o["q0[reference,reference]"] > 0.1
    names = ("q0[reference,probe]", "q1[reference,probe]", "q2[probe,probe]")
    v = np.array([*(o[name] for name in names), *(c[f"{name}_hat"] for name in names), c["q2[reference,probe]_hat"]])
    q = o["q0[reference,reference]"], o["q1[reference,reference]"]
    q_hat = c["q0[reference,reference]_hat"], c["q1[reference,reference]_hat"]
    assert found["local_entropy"] == pytest.approx(potential(v, q, q_hat), abs=1e-8)
    for k in range(len(v)):
        step = np.zeros(len(v))
        step[k] = 1e-4
        slope = (potential(v + step, q, q_hat, 32) - potential(v - step, q, q_hat, 32)) / 2e-4
        assert abs(slope) < 1e-5
