"""Up to four steps of replica symmetry breaking, of coupled spins and of patterns on a sphere, against Parisi's functional by hand."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import log_ndtr, logsumexp

from numerics.solve import solve
from numerics.status import Status
from replica.spec import Spec
from tests.properties.ensembles import compiled, disorder, edge, held_steps, rsb, storage

Z = np.arange(-9, 9.01, 1 / 12)
W = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) / 12
H, EDGE = np.linspace(-40, 40, 8001), 38.0  # local fields; beyond the edge phi rises like |h|


def averaged(phi: np.ndarray, x: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """(1/x) log E exp(x phi) on a grid of local fields, for each step from the innermost on."""
    for step, gap in zip(x[::-1], gaps[::-1], strict=True):
        there = H[:, None] + np.sqrt(gap) * Z
        spline = CubicSpline(H, phi)
        value = spline(np.clip(there, -EDGE, EDGE)) + spline(EDGE, 1) * np.maximum(np.abs(there) - EDGE, 0)
        top = value.max(axis=1)
        phi = top + np.log(np.exp(step * (value - top[:, None])) @ W) / step
    return phi


def ground(q: np.ndarray, x: np.ndarray) -> float:
    """Energy per spin of q(x) = q[i] on steps that begin at x, in units of 1/beta: Parisi's equation on a grid of local fields.

    Source: A. Crisanti & T. Rizzo, Phys. Rev. E 65 (2002) 046137, as T -> 0.
    """
    gap, y = q[-1] - q[-2], x[-1]
    sides = [s * y * H + log_ndtr((s * H + y * gap) / np.sqrt(gap)) for s in (1, -1)]
    phi = averaged(np.logaddexp(*sides) / y + y * gap / 2, x[:-1], np.diff(q[:-1]))
    return float((x * np.diff(q**2)).sum() / 4 - CubicSpline(H, phi)(np.sqrt(q[0]) * Z) @ W)


def warm(q: np.ndarray, x: np.ndarray, beta: float, p: int = 2) -> float:
    """Free entropy per spin over that of free spins, of groups of p spins.

    Source: E. Gardner, Nucl. Phys. B 257 (1985) 747, with any number of steps.
    """
    fields = p * q ** (p - 1) / 2
    phi = averaged(np.logaddexp(beta * H, -beta * H) - np.log(2), x, np.diff(fields))
    lengths = 1 + (p - 1) * np.diff([0.0, *x, 1.0]) @ q**p - p * q[-1] ** (p - 1)
    return float(beta**2 / 4 * lengths + CubicSpline(H, phi)(np.sqrt(fields[0]) * Z) @ W)


def overlaps(found, steps: int, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """q and x of a solution, in ascending order."""
    q = np.array([float(found[f"q{i}"]) for i in range(steps + 1)])
    x = np.array([float(found[name]) if name in found.unknowns else found.at[name] for name in names])
    assert (np.diff(q) > 0).all() and (np.diff(x) > 0).all()
    return q, x


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.7), pytest.param(0.1, 0.4, marks=pytest.mark.slow)])
def test_parisi_parameters_of_two_steps_are_held(low, high):
    found = solve(compiled(held_steps()), {"low": low, "high": high}, all_solutions=False)[0]
    assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
    q, x = overlaps(found, 2, ["low", "high"])
    assert warm(q, x, 2.0) == pytest.approx(float(found.free_entropy), abs=1e-9)
    up, down = (q + s * np.array([0.5, -0.5, 0.5]) for s in (1e-4, -1e-4))
    assert (warm(up, x, 2.0) - warm(down, x, 2.0)) / 2e-4 == pytest.approx(0, abs=1e-7)
    each = np.array([float(found["complexity1"]), float(found["complexity2"])])
    up, down = (x + s * np.array([1.0, -2.0]) for s in (5e-4, -5e-4))
    assert (warm(q, up, 2.0) - warm(q, down, 2.0)) / 1e-3 == pytest.approx(-(each / x**2) @ [1.0, -2.0], abs=1e-7)
    assert float(found["complexity"]) == pytest.approx(float(found["complexity1"]) + float(found["complexity2"]), abs=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize(("x", "free"), [('["free", 0.7]', (0,)), ('[0.1, "free"]', (1,)), ('["free", 0.25, "free"]', (0, 2))])
def test_some_parisi_parameters_are_held(x, free):
    steps = x.count(",") + 1
    found = solve(compiled(disorder(ansatz=rsb(steps, x), beta="2.0")), all_solutions=False)[0]
    assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
    ladder = np.array([float(found[f"x{k + 1}"]) if k in free else float(part) for k, part in enumerate(x.strip("[]").split(","))])
    q, _ = overlaps(found, steps, [])
    assert (np.diff(ladder) > 0).all() and warm(q, ladder, 2.0) == pytest.approx(float(found.free_entropy), abs=1e-9)
    for k in free:
        up, down = (ladder + s * (np.arange(steps) == k) for s in (1e-3, -1e-3))
        assert (warm(q, up, 2.0) - warm(q, down, 2.0)) / 2e-3 == pytest.approx(0, abs=1e-7)
    assert "complexity" in found.observables


@pytest.mark.slow
def test_steps_at_which_complexity_vanishes_are_those_that_are_extremized():
    extremal = solve(compiled(disorder(ansatz=rsb(2), beta="2.0")), all_solutions=False)[0]
    high = 'high = { value = 0.6, domain = "(0, 1)", solve = "complexity = 0" }'
    both = """low = { value = 0.2, domain = "(0, 1)", solve = "complexity1 = 0" }
high = { value = 0.5, domain = "(0, 1)", solve = "complexity2 = 0" }"""
    for x, controls, names in (('["free", "high"]', high, ("x1", "high")), ('["low", "high"]', both, ("low", "high"))):
        found = solve(compiled(disorder(ansatz=rsb(2, x), beta="2.0", controls=controls)), all_solutions=False)[0]
        assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
        for name, other in (*zip(names, ("x1", "x2"), strict=True), *((q, q) for q in ("q0", "q1", "q2", "free_entropy"))):
            assert float(found[name]) == pytest.approx(float(extremal[other]), abs=1e-9)


@pytest.mark.slow
def test_three_steps_at_a_temperature():
    found = solve(compiled(disorder(ansatz=rsb(3), beta="2.0")), all_solutions=False)[0]
    assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
    q, x = overlaps(found, 3, ["x1", "x2", "x3"])
    assert warm(q, x, 2.0) == pytest.approx(float(found.free_entropy), abs=1e-9)
    for k in range(3):
        up, down = (x + s * (np.arange(3) == k) for s in (1e-3, -1e-3))
        assert (warm(q, up, 2.0) - warm(q, down, 2.0)) / 2e-3 == pytest.approx(0, abs=1e-7)


@pytest.mark.slow
def test_groups_of_three_spins_with_two_steps_held():
    """Gardner's phase: the outermost overlap vanishes."""
    found = solve(compiled(disorder(law='{ kind = "pspin", p = 3 }', ansatz=rsb(2, "[0.5, 0.8]"), beta="3.0")), all_solutions=False)[0]
    assert found.converged, found.sentence
    q = np.array([0.0, float(found["q1"]), float(found["q2"])])
    assert q[1] > 0.1 and warm(q, np.array([0.5, 0.8]), 3.0, p=3) == pytest.approx(float(found.free_entropy), abs=1e-9)


SLOW = [pytest.param(*one, marks=pytest.mark.slow) for one in ((3, -0.76331348), (4, -0.76322899))]


@pytest.mark.parametrize(("steps", "energy"), [(2, -0.76360801), *SLOW])
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


KAPPA = -0.5
WIDE = np.arange(-30, 30.01, 1 / 12)  # a steep leaf moves the law of a field by many of its widths
NEGATIVE = f'kappa = {{ value = {KAPPA}, domain = "(-inf, inf)" }}'


def sphere(q: np.ndarray, x: np.ndarray, chi: float, phi: np.ndarray, inside: int = 0) -> tuple[float, float]:
    """(entropy, energy): what a weight and what a sample bring to the free entropy of patterns on a sphere.

    Source: E. Gardner, J. Phys. A 21 (1988) 257, with the hierarchical overlaps of G. Parisi.

    Args:
        q: overlaps, ascending; x: Parisi parameters of the steps between them; chi: what is left above the last one.
        phi: of a sample, on the grid H of fields; inside: how many steps, innermost first, are in it already.
    """
    entropy = 0.0
    for number, (step, low, high) in enumerate(zip(x[::-1], q[-2::-1], q[:0:-1], strict=True)):
        if number >= inside:
            there = H[:, None] + np.sqrt(high - low) * WIDE
            spline = CubicSpline(H, phi)
            value, beyond = spline(np.clip(there, -EDGE, EDGE)), there + EDGE
            value += np.where(beyond < 0, beyond * (spline(-EDGE, 1) + beyond * spline(-EDGE, 2) / 2), 0.0)
            phi = logsumexp(step * value - WIDE**2 / 2, axis=1, b=(WIDE[1] - WIDE[0]) / np.sqrt(2 * np.pi)) / step
        wider = chi + step * (high - low)
        entropy, chi = entropy + np.log(wider / chi) / step, wider
    return 0.5 * (entropy + q[0] / chi), float(CubicSpline(H, phi)(np.sqrt(q[0]) * Z) @ W)


def volume(q: np.ndarray, x: np.ndarray, alpha: float) -> float:
    """Logarithm of the volume of solutions per weight."""
    chi = 1 - q[-1]
    entropy, energy = sphere(q, x, chi, log_ndtr((H - KAPPA) / np.sqrt(chi)))
    return entropy + 0.5 * np.log(chi) + alpha * energy


def capacity(q: np.ndarray, x: np.ndarray) -> float:
    """Where solutions shrink to a point: Phi over the large parameter vanishes there."""
    gap, y, short = 1 - q[-1], x[-1], KAPPA - H  # the innermost average of exp(-y max(0, short - sqrt(gap) z)^2/2), by hand
    stiff = 1 + y * gap
    failing = log_ndtr(short / np.sqrt(gap * stiff)) - y * short**2 / (2 * stiff) - np.log(stiff) / 2
    phi = np.logaddexp(log_ndtr(-short / np.sqrt(gap)), failing) / y
    entropy, energy = sphere(np.append(q, 1.0), x, 1.0, phi, inside=1)
    return -entropy / energy


def stationary(function, *vectors: np.ndarray, bound: float) -> None:
    """No slope in any entry, relative to the value, by central differences of one part in a thousand of the distance to the next entry."""
    here = function(*vectors)
    for number, vector in enumerate(vectors):
        for k in range(len(vector)):
            gap = 1e-2 * min(
                vector[k], *(abs(v - vector[k]) for j, v in enumerate(vector) if j != k), 1 - vector[k] if number == 0 else np.inf
            )
            moved = []
            for sign in (1, -1):
                shifted = [v.copy() for v in vectors]
                shifted[number][k] += sign * gap
                moved.append(function(*shifted))
            assert abs(moved[0] - moved[1]) <= bound * abs(here), (number, k, moved)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_volume_of_the_negative_perceptron(steps):
    """kappa = -1/2 between the de Almeida-Thouless line (3.9507) and the capacity; starts are far from the solution."""
    module = compiled(storage(prior="spherical", margin='"kappa"', ansatz=rsb(steps), alpha="value = 4.6", controls=NEGATIVE))
    found = solve(module, all_solutions=False)[0]
    assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
    q, x = overlaps(found, steps, ["x"] if steps == 1 else [f"x{i}" for i in range(1, steps + 1)])
    assert volume(q, x, 4.6) == pytest.approx(float(found.free_entropy), abs=1e-8)
    stationary(lambda q, x: volume(q, x, 4.6), q, x, bound=1e-5)
    symmetric = -4.110966987770677  # one step lowers the volume, the second lowers it less
    assert symmetric - float(found.free_entropy) > 0.2 and (steps == 1 or -4.3294355 - float(found.free_entropy) > 0.004)


@pytest.mark.slow
def test_violated_margins_with_two_steps():
    """A finite price of a violated margin, kappa = -1/2, above the capacity."""
    spec = storage(prior="spherical", margin="-0.5", ansatz=rsb(2, "[0.4, 0.6]"), alpha="value = 5.5", beta="8")
    found = solve(compiled(spec), all_solutions=False)[0]
    assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
    q, _ = overlaps(found, 2, [])

    def free_entropy(q: np.ndarray) -> float:
        chi = 1 - q[-1]
        short = (H - KAPPA) / np.sqrt(chi)
        entropy, energy = sphere(q, np.array([0.4, 0.6]), chi, np.logaddexp(log_ndtr(short), log_ndtr(-short) - 8.0))
        return entropy + 0.5 * np.log(chi) + 5.5 * energy

    assert free_entropy(q) == pytest.approx(float(found.free_entropy), abs=1e-8)
    stationary(free_entropy, q, bound=1e-6)


@pytest.mark.slow
def test_capacity_with_two_steps():
    found = solve(compiled(edge(KAPPA, rsb(2), "q2 = 1", 4.7)), all_solutions=False)[0]
    assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
    q, x = (np.array([float(found[name]) for name in names]) for names in (("q0", "q1"), ("x1", "x2")))
    assert capacity(q, x) == pytest.approx(float(found["alpha"]), abs=1e-8)
    stationary(capacity, q, x, bound=1e-5)
    assert float(found["alpha"]) < 4.700139487719  # with one step


@pytest.mark.slow
def test_levels_that_are_one_are_said_to_be():
    """The p-spin model above Gardner's temperature has one step; a second one has nothing to split."""
    one, two = (
        solve(compiled(disorder(law='{ kind = "pspin", p = 3 }', ansatz=rsb(k), beta="2.0")), all_solutions=False)[0] for k in (1, 2)
    )
    assert two.status is Status.AT_END and "one step of replica symmetry breaking less" in two.note
    assert float(two.free_entropy) == float(one.free_entropy)
    for name, other in (("q1", "q1"), ("q2", "q1"), ("x1", "x"), ("x2", "x")):
        assert float(two[name]) == float(one[other])


RULE = """
format = 1
name = "a margin that the rule does not have"
[teacher]
prior = "gaussian"
channel = "sign"
[student]
protocol = { kind = "gibbs", beta = 4 }
prior = "spherical"
loss = { kind = "theta", margin = 1 }
[ansatz]
kind = "rsb"
k = 1
x = "free"
[controls]
alpha = { value = 3, domain = "(0, inf)" }
"""


def learnt(p: np.ndarray) -> float:
    """Free entropy at (m, q0, q1, x): Gauss sums over the field of all states and of one state.

    Source: H. S. Seung, H. Sompolinsky & N. Tishby, Phys. Rev. A 45 (1992) 6056, with one step of broken symmetry.
    """
    m, q0, q1, x = p
    inside, within = 1 - q1, 1 - q1 + x * (q1 - q0)
    entropy = 0.5 * (np.log(inside) + np.log(within / inside) / x + (q0 - m**2) / within)
    short = (1 - np.sqrt(q0) * Z[:, None] - np.sqrt(q1 - q0) * Z) / np.sqrt(inside)
    gained = np.log(np.exp(x * np.log(np.exp(-4) + (1 - np.exp(-4)) * np.exp(log_ndtr(-short)))) @ W) / x
    return float(entropy + 3 * np.sum(W * 2 * np.exp(log_ndtr(m * Z / np.sqrt(q0 - m**2))) * gained))


@pytest.mark.slow
def test_broken_symmetry_around_a_teacher():
    found = solve(compiled(Spec.from_toml(RULE)), all_solutions=False)[0]
    assert found.status in (Status.CONVERGED, Status.LIMITED), found.sentence
    p = np.array([float(found[name]) for name in ("m", "q0", "q1", "x")])
    assert p[1] < p[2] and learnt(p) == pytest.approx(float(found.free_entropy), abs=1e-10)
    for k in range(4):
        up, down = (learnt(p + s * (np.arange(4) == k)) for s in (1e-4, -1e-4))
        assert (up - down) / 2e-4 == pytest.approx(0, abs=1e-5)
