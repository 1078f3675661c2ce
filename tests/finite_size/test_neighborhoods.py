"""Exact enumeration: solutions, their entropy, their neighborhoods and the centers of dense regions, against loops that share no code."""

from itertools import product
from math import comb

import numpy as np
import pytest

from replica.spec import Spec
from simulate.draw import draw
from simulate.finite_size import average
from simulate.instance import Unsupported
from simulate.runs import simulate

HEAD = 'format = 1\nname = "neighborhoods"\n'
LEARNER = """
protocol = {{ kind = "gibbs", beta = {beta} }}
prior = {prior}
loss = {{ kind = "theta", margin = "kappa" }}
"""
CONTROLS = """
[controls]
alpha = { value = 0.5, domain = "(0, inf)" }
kappa = { value = 0.0, domain = "(-inf, inf)" }
S = { value = 0.5, domain = "[-1, 1]" }
y_real = { value = 3, domain = "[1, inf]" }
"""
USED = '[observables]\nall = { formula = "S + kappa + alpha + 1/y_real" }\n'


def alone(prior='"binary"', beta="inf"):
    return Spec.from_toml(HEAD + "[student]" + LEARNER.format(prior=prior, beta=beta) + USED + CONTROLS)


def ensemble(text, prior='"binary"', beta="inf", teacher=""):
    return Spec.from_toml(HEAD + teacher + "[student]" + LEARNER.format(prior=prior, beta=beta) + f"ensemble = {text}\n" + USED + CONTROLS)


FRANZ_PARISI = '{ kind = "franz_parisi", overlap = "S" }'
ROBUST = '{ kind = "robust", y = "y_real", overlap = "S", constrained = false }'
SOFT = '{ kind = "robust", y = "y_real", coupling = "S" }'


def data(spec, d, seed, at=None):
    spec = spec.expand()
    return draw(spec, spec.at(at or {}), d, seed).arrays


def solutions(arrays, atoms, d, margin=0.0):
    """By a loop over all vectors."""
    vectors = np.array(list(product(atoms, repeat=d)))
    return vectors[np.all(arrays["y"] * (vectors @ arrays["x"].T) / np.sqrt(d) > margin, axis=1)]


def shell(d, overlap):
    """Per weight: limit of the log size of the set of signs at an overlap, and its size at d."""
    p = (1 - overlap) / 2
    return -p * np.log(p) - (1 - p) * np.log(1 - p), np.log(comb(d, round(p * d))) / d


@pytest.mark.parametrize(("atoms", "prior", "d"), [((-1, 1), '"binary"', 15), ((0, 1, 2), "{ atoms = [0, 1, 2] }", 8)])
def test_number_of_solutions(atoms, prior, d):
    spec = alone(prior)
    runs = simulate(spec, {"kappa": 0.1}, (d,), 5, "enumeration")
    for place, seed in enumerate(row.seed for row in runs.rows if row.observable == "entropy"):
        found = solutions(data(spec, d, seed, {"kappa": 0.1}), atoms, d, 0.1)
        assert runs.values("entropy", d)[place] == pytest.approx(np.log(len(found)) / d, abs=1e-12)
        assert runs.values("q", d)[place] == pytest.approx(np.sum(found.mean(axis=0) ** 2) / d, abs=1e-12)
        assert runs.values("Q", d)[place] == pytest.approx(np.mean(found.astype(float) ** 2), abs=1e-12)


def test_gibbs_measure_at_a_finite_temperature():
    spec, d = alone(beta="2"), 9
    runs = simulate(spec, {"alpha": 1.5}, (d,), 3, "enumeration")
    for seed in range(3):
        arrays = data(spec, d, seed, {"alpha": 1.5})
        vectors = np.array(list(product((-1, 1), repeat=d)))
        energies = np.sum(arrays["y"] * (vectors @ arrays["x"].T) < 0, axis=1)
        chance = np.exp(-2.0 * energies)
        chance /= chance.sum()
        assert runs.values("energy", d)[seed] == pytest.approx(chance @ energies / d, rel=1e-12)
        assert runs.values("entropy", d)[seed] == pytest.approx(-chance @ np.log(chance) / d, rel=1e-12)
        assert runs.values("free_entropy", d)[seed] == pytest.approx(np.log(np.mean(np.exp(-2.0 * energies))) / d, rel=1e-12)


@pytest.mark.parametrize("teacher", ["", '[teacher]\nprior = "binary"\nchannel = "sign"\n'])
def test_local_entropy_is_a_count(teacher):
    spec, d, S = ensemble(FRANZ_PARISI, teacher=teacher), 12, 0.5
    runs = simulate(spec, sizes=(d,), seeds=4, algorithm="enumeration")
    assert len(runs.values("local_entropy", d)) >= 2
    for place, seed in enumerate(row.seed for row in runs.rows if row.observable == "local_entropy"):
        found = solutions(data(spec, d, seed), (-1, 1), d)
        counts = np.array([sum(np.sum(a != b) == 3 for b in found) for a in found])
        limit, size = shell(d, S)
        exact = np.mean(np.log(counts[counts > 0])) / d + limit - size
        assert runs.values("local_entropy", d)[place] == pytest.approx(exact, abs=1e-9)
        assert runs.values("isolated", d)[place] == pytest.approx(np.mean(counts == 0), abs=1e-12)


def test_franz_parisi_entropy_at_half_overlap():
    """Replica theory at alpha = 1/2 gives 0.2947130030."""
    runs = simulate(ensemble(FRANZ_PARISI), sizes=(16,), seeds=100, algorithm="enumeration")
    assert len(runs.failures) < 10
    mean = average(runs.values("local_entropy", 16), 16)
    assert mean.stderr < 0.01
    assert abs(mean.value - 0.2947130030) < 3.5 * mean.stderr


def test_centers_of_three_copies():
    spec, d, y = ensemble(ROBUST), 10, 3
    runs = simulate(spec, {"S": 0.6}, (d,), 4, "enumeration")
    vectors = np.array(list(product((-1, 1), repeat=d)))
    limit, size = shell(d, 0.6)
    for place, seed in enumerate(row.seed for row in runs.rows if row.observable == "complexity"):
        found = solutions(data(spec, d, seed, {"S": 0.6}), (-1, 1), d)
        counts = np.sum(vectors @ found.T == 6, axis=1).astype(float)
        chance = counts**y / np.sum(counts**y)
        near = counts > 0
        local = chance[near] @ np.log(counts[near]) / d
        assert runs.values("local_entropy", d)[place] == pytest.approx(local + limit - size, abs=1e-9)
        assert runs.values("complexity", d)[place] == pytest.approx(np.log(np.sum(counts**y)) / d - y * local, abs=1e-9)


def test_infinitely_many_copies_take_the_densest_center():
    spec, d, at = ensemble(ROBUST), 10, {"S": 0.6, "y_real": np.inf}
    runs = simulate(spec, at, (d,), 3, "enumeration")
    vectors = np.array(list(product((-1, 1), repeat=d)))
    limit, size = shell(d, 0.6)
    for place, seed in enumerate(row.seed for row in runs.rows if row.observable == "local_entropy"):
        most = np.sum(vectors @ solutions(data(spec, d, seed, at), (-1, 1), d).T == 6, axis=1).max()
        assert runs.values("local_entropy", d)[place] == pytest.approx(np.log(most) / d + limit - size, abs=1e-9)


def test_a_soft_coupling_weighs_all_distances():
    spec, d, y, gamma = ensemble(SOFT), 9, 3, 0.5
    runs = simulate(spec, sizes=(d,), seeds=2, algorithm="enumeration")
    for place, seed in enumerate(row.seed for row in runs.rows if row.observable == "complexity"):
        found = solutions(data(spec, d, seed), (-1, 1), d)
        overlaps = found @ found.T
        Z = np.exp(gamma * overlaps).sum(axis=1)
        chance = Z**y / np.sum(Z**y)
        bond = (gamma * overlaps * np.exp(gamma * overlaps)).sum(axis=1) / Z
        assert runs.values("local_entropy", d)[place] == pytest.approx(chance @ (np.log(Z) - bond) / d, abs=1e-9)
        assert runs.values("complexity", d)[place] == pytest.approx((np.log(np.sum(Z**y)) - y * (chance @ np.log(Z))) / d, abs=1e-9)


def test_shell_of_an_alphabet_with_zero():
    """Without data every vector is a solution: what is left is the shell in the limit, which is concave in the overlap."""
    spec = ensemble(FRANZ_PARISI, prior="{ atoms = [-1, 0, 1] }")
    at = {"kappa": -50.0, "alpha": 0.2}
    found = [simulate(spec, {**at, "S": k / 6}, (6,), 1, "enumeration").values("local_entropy", 6)[0] for k in (0, 1, 2)]
    assert found[0] > found[1] > found[2]
    assert found[1] > (found[0] + found[2]) / 2


def test_refusals_are_sentences():
    runs = simulate(ensemble(FRANZ_PARISI), {"S": 0.45}, (12,), 2, "enumeration")
    assert not runs.rows
    assert runs.failures[0].sentence == "no two weight vectors of d = 12 have the overlap 0.45, overlaps are multiples of 0.166667 from -1"
    close = simulate(ensemble(FRANZ_PARISI), {"S": 10 / 12}, (12,), 10, "enumeration").failures
    assert any("of the references have no probe at that overlap" in failure.sentence for failure in close)
    with pytest.raises(Unsupported, match="needs a prior made of atoms"):
        simulate(alone('"spherical"'), sizes=(8,), seeds=1, algorithm="enumeration")
    with pytest.raises(Unsupported, match=r"algorithm 'guess' is not known here \(known: erm "):
        simulate(alone(), sizes=(8,), seeds=1, algorithm="guess")
