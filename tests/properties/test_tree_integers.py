"""At integer numbers of replicas the tree's averages are exact: against sums over all configurations and tensor integrals."""

import itertools

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from replica.families import rs
from replica.nodes import Gauss
from replica.tree import Leaf, Side

FEW = settings(max_examples=5, derandomize=True, deadline=None, database=None)
X, W = np.polynomial.hermite_e.hermegauss(40)
W = W / W.sum()
ATOMS = {"teacher": ((-1.0, 0.3), (0.5, 0.7)), "student": ((-1.0, 0.4), (0.0, 0.1), (1.5, 0.5))}
LAWS = {"teacher": lambda y, z: expit(2 * y * z), "student": lambda y, z: expit(y * z) ** 0.7 * np.exp(-0.05 * z**2)}

share = st.floats(0.05, 0.95)


def grid(size: int, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Independent standard normals: points (nodes**size, size) and weights."""
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    points = np.stack(np.meshgrid(*[x] * size, indexing="ij"), -1).reshape(-1, size)
    return points, np.stack(np.meshgrid(*[w / w.sum()] * size, indexing="ij"), -1).reshape(-1, size).prod(axis=1)


def covariance(system, replicas: int, numbers: dict, teacher: bool, hat: bool) -> np.ndarray:
    """Q_ab of the leaves, teacher first."""
    q, own = (numbers[system.symbol(o, hat)] for o in (rs.Q, rs.Q_SELF))
    Q = np.full((replicas, replicas), float(q)) + (own - q) * np.eye(replicas)
    if not teacher:
        return Q
    m, rho = (numbers[system.symbol(o, hat)] for o in (rs.M, rs.RHO))
    return np.block([[np.array([[rho]]), np.full((1, replicas), m)], [np.full((replicas, 1), m), Q]])


def drawn(system, teacher: bool, hat: bool, values: tuple[float, ...]) -> dict:
    """Numbers for every overlap of a positive covariance; the gauge is the last value, between its least and the teacher's own."""
    q = values[0]
    numbers = {system.symbol(rs.Q, hat): q, system.symbol(rs.Q_SELF, hat): q + values[1]}
    if teacher:
        m = values[2] * np.sqrt(q)
        rho, least = 1.0, m**2 / q
        numbers |= {
            system.symbol(rs.M, hat): m, system.symbol(rs.RHO, hat): rho, system.symbol(rs.GAUGE, hat): least + values[3] * (rho - least)
        }
    return numbers


def tree_average(node, numbers: dict, leaf_function, labels=(1.0,)) -> float:
    """log E exp of the tree's own node: its Gaussian fields on a grid, its leaves by `leaf_function(species, h, A, y)`."""
    (gauss,) = (measure for measure in node.measures if isinstance(measure, Gauss))
    cov = np.array(gauss.covariance.xreplace(numbers).evalf(), float)
    values, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    points, weights = grid(len(cov), 40)
    points = points @ root.T
    fields = {variable: points[:, k] for k, variable in enumerate(gauss.variables)}
    total = 0.0
    for y in labels:
        exponent = np.zeros(len(points))
        for leaf in node.exponent.atoms(Leaf):
            copies, A = float(node.exponent.coeff(leaf)), float(leaf.A.xreplace(numbers))
            exponent += copies * np.log(leaf_function(leaf.species, fields[leaf.h], A, y))
        total += float(weights @ np.exp(exponent))
    return float(np.log(total))


@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("teacher", [True, False])
@given(values=st.tuples(share, share, share, share))
@FEW
def test_entropic_term_is_a_sum_over_configurations(replicas, teacher, values):
    system = rs.replica_symmetric(teacher, sp.Integer(replicas), None)
    numbers = drawn(system, teacher, True, values)

    def leaf(species, h, A, y):
        return sum(p * np.exp(A * w**2 / 2 + h * w) for w, p in ATOMS[species])

    found = tree_average(system.entropic.log_integral(), numbers, leaf)
    Q = covariance(system, replicas, numbers, teacher, True)
    species = (["teacher"] if teacher else []) + ["student"] * replicas
    direct = 0.0
    for configuration in itertools.product(*(ATOMS[s] for s in species)):
        w = np.array([atom for atom, _ in configuration])
        direct += np.prod([p for _, p in configuration]) * np.exp(w @ Q @ w / 2)
    assert found == pytest.approx(np.log(direct), abs=1e-10)


@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("teacher", [True, False])
@given(values=st.tuples(share, share, share, share))
@settings(FEW, max_examples=2)
def test_energetic_term_is_a_tensor_integral(replicas, teacher, values):
    system = rs.replica_symmetric(teacher, sp.Integer(replicas), None)
    numbers = drawn(system, teacher, False, values)
    labels = (1.0, -1.0)

    def leaf(species, h, A, y):
        return LAWS[species](y, h[:, None] + np.sqrt(A) * X) @ W

    found = tree_average(system.energetic.log_integral(), numbers, leaf, labels)
    Q = covariance(system, replicas, numbers, teacher, False)
    size = len(Q)
    points, weights = grid(size, 40 if size < 4 else 24)
    fields = points @ np.linalg.cholesky(Q).T
    species = (["teacher"] if teacher else []) + ["student"] * replicas
    direct = sum(float(weights @ np.prod([LAWS[s](y, fields[:, k]) for k, s in enumerate(species)], axis=0)) for y in labels)
    assert found == pytest.approx(np.log(direct), abs=1e-6 if size == 4 else 1e-8)


@pytest.mark.parametrize("side", Side)
@given(values=st.tuples(share, share, share), gauges=st.tuples(share, share))
@FEW
def test_the_gauge_does_not_matter(side, values, gauges):
    """The teacher's overlap with itself at the root is no order parameter."""
    system = rs.replica_symmetric(True, sp.Integer(2), None)
    hat = side is Side.ENTROPIC
    terms = system.entropic if hat else system.energetic

    def leaf(species, h, A, y):
        if hat:
            return sum(p * np.exp(A * w**2 / 2 + h * w) for w, p in ATOMS[species])
        return LAWS[species](y, h[:, None] + np.sqrt(A) * X) @ W

    one, other = (tree_average(terms.log_integral(), drawn(system, True, hat, (*values, g)), leaf, (1.0, -1.0)) for g in gauges)
    assert one == pytest.approx(other, abs=1e-8)
