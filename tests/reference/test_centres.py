"""Real replicas around centers: against nested sums over plain grids with SciPy's root, and against enumerated perceptrons.

The numbers come from two scripts of fifty lines that share no code with the project: every field is a row of equidistant nodes, saddle
points are written out by hand for one constrained center and for two free ones, and their roots taken by `scipy.optimize.root`.
"""

from math import comb, log

import numpy as np
import pytest

from numerics.compile import compile_theory
from numerics.solve import solve
from replica.derive import derive
from tests.properties.ensembles import storage

ONE = 'ensemble = { kind = "robust", y = "copies", overlap = 0.5, constrained = true }'
TWO = 'ensemble = { kind = "two_centres", y = "copies", near = 0.5, far = 0.4, apart = 0.3, constrained = false }'
COPIES = 'copies = { value = 2, domain = "[1, inf)" }'
AROUND_ONE = {  # (copies, alpha): overlaps of centers, of solutions in and across groups, of centers with solutions of another group
    (2, 0.4): (0.33025998, 0.35495569, 0.29812764, 0.31369276),
    (3, 0.4): (0.36408347, 0.35064812, 0.30120074, 0.33083630),
    (2, 0.2): (0.18217177, 0.29609965, 0.15917742, 0.17027006),
}
AROUND_TWO = {  # copies: the free entropy, overlaps of solutions in and across groups, at alpha = 0.3
    2: (-0.7804044377307, 0.42021089248331, 0.21786951592124),
    3: (-1.0988244100193, 0.40255757633764, 0.23516806192769),
}


def module(student: str, alpha: float):
    return compile_theory(derive(storage(student=student, alpha=f"value = {alpha}", controls=COPIES)))


@pytest.mark.slow
def test_solutions_around_a_center_that_is_one():
    theory = module(ONE, 0.4)
    for (copies, alpha), values in AROUND_ONE.items():
        (found,) = solve(theory, {"copies": copies, "alpha": alpha})
        names = ("q[centre,centre]", "q1[solution,solution]", "q0[solution,solution]", "q0[centre,solution]")
        assert found.converged, found.sentence
        np.testing.assert_allclose([float(found[name]) for name in names], values, atol=1e-8, equal_nan=False)


@pytest.mark.slow
def test_solutions_between_two_centers():
    theory = module(TWO, 0.3)
    for copies, values in AROUND_TWO.items():
        (found,) = solve(theory, {"copies": copies})
        numbers = [found.free_entropy, found["q1[solution,solution]"], found["q0[solution,solution]"]]
        assert found.converged, found.sentence
        np.testing.assert_allclose([float(v) for v in numbers], values, atol=1e-12, equal_nan=False)


ON_A_SPHERE = {  # beta: the free entropy, overlaps as above but the last, at alpha = 0.5, three copies and overlap 0.7
    "inf": (-1.9254411658774, (0.46601323, 0.53840159, 0.39288102, 0.42787683)),
    "2": (-1.7988973956824, (0.39068048, 0.51905592, 0.31226641, 0.34923935)),
}


@pytest.mark.slow
@pytest.mark.parametrize("beta", ON_A_SPHERE)
def test_solutions_on_a_sphere_around_a_center_that_is_one(beta):
    """Against the extremum of a log-determinant and plain sums over fields, in overlaps alone, found on differences of it."""
    student = 'ensemble = { kind = "robust", y = 3, overlap = 0.7, constrained = true }'
    (found,) = solve(compile_theory(derive(storage(prior="spherical", student=student, alpha="value = 0.5", beta=beta))))
    assert found.converged, found.sentence
    value, overlaps = ON_A_SPHERE[beta]
    assert float(found.free_entropy) == pytest.approx(value, abs=1e-12)
    names = ("q[centre,centre]", "q1[solution,solution]", "q0[solution,solution]", "q0[centre,solution]")
    np.testing.assert_allclose([float(found[name]) for name in names], overlaps, atol=3e-8, equal_nan=False)


def _turned(values: np.ndarray) -> np.ndarray:
    """Walsh-Hadamard transform."""
    step = 1
    while step < len(values):
        halves = values.reshape(-1, 2, step)
        values = np.stack([halves[:, 0] + halves[:, 1], halves[:, 0] - halves[:, 1]], 1).reshape(-1)
        step *= 2
    return values


def counted(size: int, samples: int, instances: int, rng: np.random.Generator) -> tuple[float, float]:
    """Mean over instances, with its error, of log sum over solutions of (solutions at overlap 1/2)^2, per weight.

    Every weight vector is looked at.  Shares of the vectors at that distance are counted, whose number is known: the deviation from the
    limit is then of order 1/size, without logarithms.
    """
    flips = size // 4
    vectors = np.arange(2**size, dtype=np.uint32)
    signs = (((vectors[:, None] >> np.arange(size)) & 1).astype(np.float32)) * 2 - 1
    shell = [sum((-1) ** j * comb(k, j) * comb(size - k, flips - j) for j in range(flips + 1)) for k in range(size + 1)]
    spectrum = np.array(shell, float)[np.bitwise_count(vectors)]
    share = -(0.25 * log(0.25) + 0.75 * log(0.75))
    found = []
    for _ in range(instances):
        solves = (signs @ rng.standard_normal((size, samples)).astype(np.float32) > 0).all(1).astype(float)
        near = np.rint(_turned(_turned(solves) * spectrum) / 2**size)
        found.append((log((solves * near**2).sum()) - 2 * log(comb(size, flips))) / size + 2 * share)
    return float(np.mean(found)), float(np.std(found) / np.sqrt(instances))


@pytest.mark.slow
def test_groups_around_a_solution_are_as_many_as_counted():
    (theory,) = solve(module(ONE, 0.4), {"alpha": 0.25})
    limit = float(theory.free_entropy) + 3 * log(2)  # the prior weighs every vector with 2^-size
    rng = np.random.default_rng(3)
    sizes = np.array([8, 12, 16])
    means, errors = np.array([counted(int(d), int(d) // 4, count, rng) for d, count in zip(sizes, (2000, 1500, 400), strict=True)]).T
    design = np.stack([np.ones(3), 1 / sizes], 1) / errors[:, None]
    inverse = np.linalg.inv(design.T @ design)
    intercept = inverse @ design.T @ (means / errors)
    assert abs(intercept[0] - limit) < 3 * np.sqrt(inverse[0, 0]), (intercept, limit, means, errors)
    assert abs(means[-1] - limit) < 0.02
