"""A probe around a reference with one step of replica symmetry breaking that learns from a teacher: a spike in a noisy matrix.

The functional is that of Franz and Parisi, Phys. Rev. Lett. 79 (1997) 2486, for Sherrington-Kirkpatrick couplings with a planted
vector, typed in here and integrated on plain nodes; its slopes are taken by differences.
"""

from __future__ import annotations

import numpy as np
import pytest

from numerics.compile import Module, compile_theory
from numerics.solve import solve
from numerics.status import Status
from replica.derive import derive
from replica.spec import Spec
from tests.reference.test_local_entropy_broken import normal, tilted

SNR, BETA, X, OVERLAP = 1.2, 3.0, 0.4, 0.8
SPEC = """
format = 1
name = "around a state that knows of the spike"
[latent.signal]
prior = "binary"
[data]
law = {{ kind = "spiked", of = ["signal"], snr = 1.2 }}
[student]
protocol = {{ kind = "gibbs", beta = "beta" }}
prior = "binary"
{student}
[ansatz]
{ansatz}
[controls]
beta = {{ value = 3, domain = "(0, inf)" }}
{controls}
"""
PROBE, OVERLAP_LINE = 'ensemble = { kind = "franz_parisi", overlap = "S" }', 'S = { value = 0.8, domain = "(-1, 1)" }'
STEP, STEP_LINE = 'kind = "rsb"\nk = 1\nx = "x"', 'x = { value = 0.4, domain = "(0, 1)" }'
NAMES = ("m[probe]", "q0[reference,probe]", "q1[reference,probe]", "q2[probe,probe]")


def compiled(student: str = PROBE, ansatz: str = STEP) -> Module:
    controls = "\n".join([OVERLAP_LINE] * (student == PROBE) + [STEP_LINE] * (ansatz == STEP))
    return compile_theory(derive(Spec.from_toml(SPEC.format(**locals()))))


def entropic(reference: tuple, probe: tuple, host: float, nodes: int) -> float:
    """E log 2 cosh of a probe's field, from conjugates: (of the spike, level by level); host: with the copy that it stands on."""
    z, w = normal(nodes)
    (m, q0, q1), (m_probe, p0, p1, inside) = reference, probe
    z0, z1 = z[:, None], z[None, :]
    field = m + np.sqrt(q0) * z0 + np.sqrt(q1 - q0) * z1
    mean = m_probe + p0 / np.sqrt(q0) * z0 + (p1 - p0) / np.sqrt(q1 - q0) * z1
    rest = np.sqrt(inside - p0**2 / q0 - (p1 - p0) ** 2 / (q1 - q0))
    value = 0.0
    for sign in (1, -1):
        odds = 1 / (1 + np.exp(-2 * sign * field))
        for y, g in zip(z, w, strict=True):
            total = mean + rest * y + sign * (host - p1)
            value = value + g * odds * np.logaddexp(total, -total)
    return float(w @ tilted(value, X * np.logaddexp(field, -field), w))


def potential(v: np.ndarray, reference: tuple, nodes: int) -> float:
    """Free entropy of a probe; v: overlaps NAMES, their conjugates, and that of the imposed overlap."""
    m, p0, p1, q, m_hat, p0_hat, p1_hat, q_hat, host = v
    trace = -OVERLAP * host + (1 - X) * p1 * p1_hat + X * p0 * p0_hat - m * m_hat - q_hat * (1 - q) / 2
    noise = BETA**2 * SNR / 4 * (1 - q**2 + 2 * (OVERLAP**2 - (1 - X) * p1**2 - X * p0**2))
    return trace + noise + BETA * SNR * (m**2 / 2 - 1 / 4) + entropic(reference, (m_hat, p0_hat, p1_hat, q_hat), host, nodes)


@pytest.mark.slow
def test_a_probe_is_where_the_functional_is_stationary():
    (found,) = solve(compiled(), all_solutions=False)
    assert found.status is Status.CONVERGED
    o, c = found.order_parameters, found.conjugates
    assert o["q1[reference,reference]"] - o["q0[reference,reference]"] > 0.1 and o["m[reference]"] > 0.1
    v = np.array([*(o[name] for name in NAMES), *(c[f"{name}_hat"] for name in NAMES), c["q2[reference,probe]_hat"]])
    reference = tuple(c[f"{name}_hat"] for name in ("m[reference]", "q0[reference,reference]", "q1[reference,reference]"))
    assert found["local_entropy"] == pytest.approx(potential(v, reference, 128), abs=1e-9)
    for k in range(len(v)):
        step = 1e-4 * np.eye(len(v))[k]
        assert abs(potential(v + step, reference, 48) - potential(v - step, reference, 48)) / 2e-4 < 1e-6, k


@pytest.mark.slow
def test_a_probe_at_the_overlap_of_a_state_is_one_more_copy_of_it():
    """There its free entropy is that inside a state, which is the largest; the last field has no variance then, so it is approached."""
    (alone,) = solve(compiled(student=""), all_solutions=False)
    internal = alone["entropy"] - alone["complexity"] - BETA * alone["energy"]
    module, below = compiled(), []
    for near in (0.01, 0.005):
        (found,) = solve(module, {"S": float(alone["q1"]) - near}, all_solutions=False)
        below.append(internal - found["local_entropy"])
        for name, own in zip(NAMES, ("m", "q0", "q1", "q1"), strict=True):
            assert abs(found[name] - alone[own]) < near
    assert 0 < below[1] < 0.005**2 and below[0] / below[1] == pytest.approx(4, rel=0.1)  # a parabola


@pytest.mark.slow
def test_around_a_bayes_optimal_reference_levels_are_one():
    (broken,), (symmetric,) = (solve(compiled(ansatz=a), {"beta": 1.0, "S": 0.6}, all_solutions=False) for a in (STEP, 'kind = "rs"'))
    assert broken.status is Status.AT_END and "levels of the ansatz are one" in broken.sentence
    assert symmetric["m[reference]"] == pytest.approx(symmetric["q[reference,reference]"], abs=1e-10)
    assert broken["q0[reference,reference]"] == pytest.approx(symmetric["q[reference,reference]"], abs=1e-9)
    assert broken["local_entropy"] == pytest.approx(symmetric["local_entropy"], abs=broken.quadrature_error)
    assert broken["m[probe]"] == pytest.approx(symmetric["m[probe]"], abs=1e-9)
