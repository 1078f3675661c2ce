"""Published and independently computed numbers of broken symmetry, local entropies and ground states, from the one tree.

Values: tests/reference/landscape_values.json (its "formula" and "method" say how each was computed without this engine); the local
entropy at a finite number of replicas and around a reference come from a second evaluation of hand-written formulas.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_ndtr

from numerics.continuation import follow
from numerics.solve import solve
from tests.properties import ensembles
from tests.properties.ensembles import RS, compiled, disorder, edge, franz_parisi, mutual, robust, rsb
from tests.properties.solved import catalog_module

VALUES = {entry["id"]: entry for entry in json.loads((Path(__file__).parent / "landscape_values.json").read_text())["values"]}


def first(spec):
    found = solve(compiled(spec))[0]
    assert found.status.ok, found.status
    return found


def local_entropy(alpha: float, S: float, u: dict[str, float]) -> float:
    """Of the binary perceptron at kappa = 0, in another gauge: the reference's true field and weight are integrated explicitly.

    Card 1.1 of the landscape papers at y -> 0 (Franz-Parisi); the numbers of an earlier prototype are off by 2e-9 (a grid cut short).
    """
    q, v, T = 1 - u["V[reference]"], 1 - u["V[probe]"], u["q0[reference,probe]"]
    qh, vh, Th = u["q[reference,reference]_hat"], u["q1[probe,probe]_hat"], u["q0[reference,probe]_hat"]
    Sh = u["q1[reference,probe]_hat"]

    def line(n, a, b):
        x, w = np.polynomial.legendre.leggauss(n)
        x = (b - a) / 2 * x + (a + b) / 2
        return x, w * (b - a) / 2 * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)

    energy = entropy = 0.0
    b, wb = line(80, -9, 9)
    for z, weight in zip(*line(120, -9, 9), strict=True):
        low = -np.sqrt(q) * z / np.sqrt(1 - q)
        a, wa = line(80, max(low, -9.5), max(low, -9.5) + 10 + max(0, -low))
        spread = np.sqrt(v - T**2 / q - (S - T) ** 2 / (1 - q))
        h = T / np.sqrt(q) * z + (S - T) / np.sqrt(1 - q) * a[:, None] + spread * b[None, :]
        energy += weight * (wa[:, None] * wb[None, :] * log_ndtr(h / np.sqrt(1 - v))).sum() / np.exp(log_ndtr(-low))
        for w in (1, -1):
            h = Th / np.sqrt(qh) * z + (Sh - Th) * w + np.sqrt(vh - Th**2 / qh) * b
            entropy += weight * (wb * np.logaddexp(h, -h)).sum() / (1 + np.exp(-2 * w * np.sqrt(qh) * z))
    return -(S * Sh - T * Th) - vh * (1 - v) / 2 + entropy + alpha * energy


@pytest.mark.parametrize("overlap", [0.5, 0.7])
def test_local_entropy_around_a_solution(overlap):
    found = first(franz_parisi(0.5, overlap))
    assert float(found["entropy"]) == pytest.approx(0.3143900669, abs=1e-10)
    assert float(found["local_entropy"]) == pytest.approx(local_entropy(0.5, overlap, found.unknowns), abs=1e-12)


def test_three_replicas_around_a_centre():
    found = first(robust(0.4, 0.9, "3"))
    four_log_2 = 2.772588722239781
    assert float(found.free_entropy) + four_log_2 == pytest.approx(0.8124637672807, abs=1e-12)


@pytest.mark.parametrize(("alpha", "overlap"), [pytest.param("0.4", "0.6", marks=pytest.mark.slow), ("0.8", "0.95")])
def test_infinitely_many_replicas_at_a_mutual_overlap(alpha, overlap):
    expected = VALUES["local_entropy.binary_perceptron.table_psi_inf"]["value"][alpha][overlap]
    found = first(mutual(float(alpha), float(overlap), "inf"))
    assert float(found["local_entropy"]) == pytest.approx(expected["psi"], abs=1e-11)
    assert float(found.unknowns["q0_hat"]) == pytest.approx(expected["qhat"], rel=1e-9)
    assert float(found.unknowns["delta_q1"]) == pytest.approx(expected["delta"], rel=1e-9)


@pytest.mark.parametrize(("kappa", "start"), [(-0.4, 3.9), (-0.5, 4.7), (-1.0, 12.0), (-2.0, 120.0)])
def test_capacity_with_one_step(kappa, start):
    expected = VALUES[f"spherical_perceptron.alpha_c_1RSB.kappa={kappa}"]
    found = first(edge(kappa, rsb(1), "q1 = 1", start))
    assert float(found["alpha"]) == pytest.approx(expected["value"], rel=1e-11)
    assert float(found["q0"]) == pytest.approx(expected["q0"], rel=1e-9)
    assert float(found["x"]) == pytest.approx(expected["eta"], rel=1e-8)
    assert abs(float(found.free_entropy)) < 1e-11  # at the edge the leading order of the free entropy vanishes by itself


def test_capacity_is_continued_from_the_values_of_the_spec():
    expected = VALUES["spherical_perceptron.alpha_c_1RSB.kappa=-0.25"]
    found = solve(catalog_module("spherical_storage_1rsb"), {"kappa": -0.25})[0]
    assert float(found["alpha"]) == pytest.approx(expected["value"], rel=1e-11)
    assert float(found["q0"]) == pytest.approx(expected["q0"], rel=1e-8)


@pytest.mark.parametrize(("kappa", "name"), [(0.0, "0"), (0.5, "0.5"), (-0.5, "-0.5")])
def test_capacity_without_breaking(kappa, name):
    found = first(edge(kappa, RS, "q = 1", 2.0))
    assert float(found["alpha"]) == pytest.approx(float(VALUES[f"spherical_perceptron.alpha_c_RS.kappa={name}"]["value"]), rel=1e-12)


def test_ground_state_of_sk():
    assert float(first(disorder())["energy"]) == pytest.approx(VALUES["SK.E_RS_T0"]["value"], abs=1e-14)
    one = first(disorder(ansatz=rsb(1)))
    assert float(one["energy"]) == pytest.approx(VALUES["SK.E_1RSB_T0"]["value"], abs=1e-12)
    assert float(one["x"]) == pytest.approx(VALUES["SK.E_1RSB_T0"]["mu"], rel=1e-8)
    assert float(one["complexity"]) == pytest.approx(0, abs=1e-12)
    two = first(disorder(ansatz=rsb(2)))
    assert float(two["energy"]) == pytest.approx(VALUES["SK.E_2RSB_T0"]["value"], abs=1e-8)


def test_ground_state_of_three_spins():
    found = first(disorder(law='{ kind = "pspin", p = 3 }', ansatz=rsb(1)))
    assert float(found["energy"]) == pytest.approx(float(VALUES["ising_pspin.p=3.E_1RSB_T0"]["value"]), abs=1e-13)


def test_retrieval_ends_in_a_fold():
    spec = disorder(
        latent='[latent.pattern]\nprior = "binary"', law='{ kind = "hopfield", load = "alpha", condensed = "pattern" }',
        controls='alpha = { value = 0.1, domain = "[0, inf)" }',
    )
    expected = VALUES["hopfield.alpha_c_RS_T0"]
    folds = follow(ensembles.compiled(spec), {"alpha": (0.1, 0.15)}).events("fold")
    assert folds
    for fold in folds:
        assert fold.at["alpha"] == pytest.approx(float(expected["value"]), abs=1e-13)
